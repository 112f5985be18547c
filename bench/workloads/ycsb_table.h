// YcsbTable: the table of Yahoo's benchmark, for any SQL engine: a key and ten fields of 100 bytes. YcsbMix: what a client of one
// of the six core workloads does how often.
//
// Plain data and text. Any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "bench/workloads/tpcb_bank.h"

namespace skua::bench {

// Shares of all operations, which add up to 1. The rest of them are reads.
struct YcsbMix {
  char letter = 'a';
  const char* what = "";
  double updates = 0;
  double inserts = 0;
  double scans = 0;
  double read_modify_writes = 0;
  bool latest = false;  // the newest keys are asked for most, and not some that are all over the table
};

inline constexpr std::array<YcsbMix, 6> kYcsbMixes = {{
    {.letter = 'a', .what = "50% reads, 50% updates", .updates = 0.5},
    {.letter = 'b', .what = "95% reads, 5% updates", .updates = 0.05},
    {.letter = 'c', .what = "reads"},
    {.letter = 'd', .what = "95% reads of the latest, 5% inserts", .inserts = 0.05, .latest = true},
    {.letter = 'e', .what = "95% scans of up to 100 rows, 5% inserts", .inserts = 0.05, .scans = 0.95},
    {.letter = 'f', .what = "50% reads, 50% reads with an update after it", .read_modify_writes = 0.5},
}};

class YcsbTable {
 public:
  static constexpr std::size_t kFields = 10;
  static constexpr std::size_t kFieldBytes = 100;
  static constexpr std::int64_t kScanRowsMax = 100;

  YcsbTable(std::string name, std::int64_t records) : name_(std::move(name)), records_(records) {}

  const std::string& name() const { return name_; }
  std::int64_t record_count() const { return records_; }
  // One statement each: the table, and the records 0 to record_count().
  std::vector<std::string> setup_statements(SqlDialect dialect) const;
  // The order of keys has nothing to do with the order of their numbers. Numbers are below 2^32.
  static std::string key_of(std::int64_t number);

  // One row, by its key.
  std::string read_sql(SqlDialect dialect) const;
  // Parameters: the value, the key.
  std::string update_sql(SqlDialect dialect, std::size_t field) const;
  // Parameters: the key, ten values.
  std::string insert_sql(SqlDialect dialect) const;
  // Parameters: the first key, how many rows.
  std::string scan_sql(SqlDialect dialect) const;

  // Printable bytes.
  static std::string draw_value(std::mt19937_64& random);

 private:
  std::string name_;
  std::int64_t records_;
};

}  // namespace skua::bench
