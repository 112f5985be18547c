// YcsbClient: one client of one of Yahoo's core workloads: draws what to do next and with which key. YcsbStore: who does it.
// YcsbKeys: the numbers that the clients of one contestant have inserted, in memory that their processes share.
//
// A client and its store belong to one thread; YcsbKeys are made before the processes are, and are for all of them.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>

#include "bench/workloads/key_distribution.h"
#include "bench/workloads/ycsb_table.h"
#include "protocol/result.h"

namespace skua::bench {

using YcsbValues = std::array<std::string, YcsbTable::kFields>;

class YcsbStore {
 public:
  virtual ~YcsbStore() = default;

  // Whether the key is there.
  virtual Result<bool> read(const std::string& key) = 0;
  virtual Status update(const std::string& key, std::size_t field, const std::string& value) = 0;
  virtual Status insert(const std::string& key, const YcsbValues& values) = 0;
  // How many rows there were.
  virtual Result<std::int64_t> scan(const std::string& first_key, std::int64_t rows) = 0;
};

class YcsbKeys {
 public:
  // Numbers below `records` are there already.
  explicit YcsbKeys(std::int64_t records);
  YcsbKeys(const YcsbKeys&) = delete;
  YcsbKeys& operator=(const YcsbKeys&) = delete;
  ~YcsbKeys();

  // A number that no other insert has.
  std::int64_t take() { return shared_->next++; }
  // The insert of this number is over. Numbers below known_count() are, all of them.
  void settle(std::int64_t number, bool inserted);
  std::int64_t known_count() const { return shared_->known; }
  std::int64_t inserted_count() const { return shared_->inserted; }
  // Whether all of those that are known must be found.
  bool is_complete() const { return shared_->failed == 0; }

 private:
  static constexpr std::size_t kWindow = 1 << 16;  // more inserts are never under way at once
  struct Shared {
    std::atomic<std::int64_t> next;
    std::atomic<std::int64_t> known;
    std::atomic<std::int64_t> inserted = 0;
    std::atomic<std::int64_t> failed = 0;
    std::array<std::atomic<bool>, kWindow> settled{};
  };

  Shared* shared_;
};

class YcsbClient {
 public:
  YcsbClient(const YcsbMix& mix, const YcsbTable& table, YcsbKeys& keys, std::unique_ptr<YcsbStore> store,
             std::uint64_t seed);

  Status run_one();

 private:
  std::int64_t draw_number();
  Status read(const std::string& key);
  Status update(const std::string& key);
  Status insert();
  Status scan();

  YcsbMix mix_;
  YcsbKeys& keys_;
  std::unique_ptr<YcsbStore> store_;
  std::mt19937_64 random_;
  ScrambledZipfian scattered_;
  Zipfian latest_;
};

}  // namespace skua::bench
