// ItemTable: rows of four columns, a key among them, and what clients of Skua and of PostgreSQL do with them: read one, change
// one, go through all. Every row that is read is compared with what it must be.
//
// Plain data; an operation belongs to the process and thread that made it.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "bench/peers/postgres_server.h"
#include "bench/peers/skua_server.h"
#include "bench/workload.h"
#include "bench/workloads/tpcb_bank.h"

namespace skua::bench {

class ItemTable {
 public:
  ItemTable(std::string name, std::int64_t rows) : name_(std::move(name)), rows_(rows) {}

  std::int64_t row_count() const { return rows_; }
  // One statement each.
  std::vector<std::string> setup_statements(SqlDialect dialect) const;
  Status fill(const SkuaServer& server) const;
  Status fill(PostgresServer& server) const;

  // One row by its key. A unit is a round trip.
  Result<Operation> read(const SkuaServer& server, std::uint64_t seed) const;
  Result<Operation> read(const PostgresServer& server, std::uint64_t seed) const;
  // One column of one row by its key, synced to the disk. A unit is a row.
  Result<Operation> update(const SkuaServer& server, std::uint64_t seed) const;
  Result<Operation> update(const PostgresServer& server, std::uint64_t seed) const;
  // The next rows of a stream of all rows, which begins anew at its end. A unit is a row.
  Result<Operation> scan(const SkuaServer& server) const;
  // PostgreSQL's client has no stream of batches: pages of rows by key.
  Result<Operation> scan(const PostgresServer& server) const;

  std::string read_sql(SqlDialect dialect) const;
  std::string update_sql(SqlDialect dialect) const;
  std::string scan_sql() const;
  // Uniform.
  std::int64_t draw_key(std::mt19937_64& random) const {
    return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(rows_)) + 1;
  }

 private:
  std::string name_;
  std::int64_t rows_;
};

}  // namespace skua::bench
