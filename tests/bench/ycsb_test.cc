// YcsbClient and YcsbKeys: the mixes of Yahoo's core workloads, and which records are known to be there.
#include <criterion/criterion.h>

#include <map>
#include <set>
#include <string>
#include <thread>

#include "bench/workloads/ycsb_client.h"

using namespace skua;
using namespace skua::bench;

namespace {

constexpr std::int64_t kRecords = 1'000;
constexpr int kOperations = 20'000;

// Counts what is done, in memory.
class CountingStore final : public YcsbStore {
 public:
  struct Counts {
    int reads = 0;
    int updates = 0;
    int inserts = 0;
    int scans = 0;
    std::set<std::string> keys;
  };
  explicit CountingStore(Counts& counts) : counts_(counts) {
    for (std::int64_t i = 0; i < kRecords; ++i) counts_.keys.insert(YcsbTable::key_of(i));
  }

  Result<bool> read(const std::string& key) override {
    ++counts_.reads;
    return counts_.keys.contains(key);
  }
  Status update(const std::string& key, std::size_t field, const std::string& value) override {
    ++counts_.updates;
    if (!counts_.keys.contains(key)) return make_error(ErrorCode::kInternal, "an update of nothing");
    if (field >= YcsbTable::kFields) return make_error(ErrorCode::kInternal, "there is no such field");
    if (value.size() != YcsbTable::kFieldBytes) return make_error(ErrorCode::kInternal, "a value of another size");
    return {};
  }
  Status insert(const std::string& key, const YcsbValues&) override {
    ++counts_.inserts;
    if (counts_.keys.insert(key).second) return {};
    return make_error(ErrorCode::kInternal, "a key twice");
  }
  Result<std::int64_t> scan(const std::string& first_key, std::int64_t rows) override {
    ++counts_.scans;
    if (rows < 1 || rows > YcsbTable::kScanRowsMax) return make_error(ErrorCode::kInternal, "too many rows");
    return counts_.keys.contains(first_key) ? rows : 0;
  }

 private:
  Counts& counts_;
};

CountingStore::Counts counts_of(const YcsbMix& mix) {
  CountingStore::Counts counts;
  YcsbKeys keys(kRecords);
  YcsbClient client(mix, YcsbTable("t", kRecords), keys, std::make_unique<CountingStore>(counts), 7);
  for (int i = 0; i < kOperations; ++i) {
    const Status done = client.run_one();
    cr_assert(done.has_value(), "ycsb-%c: %s", mix.letter, done ? "" : done.error().message.c_str());
  }
  cr_assert_eq(keys.inserted_count(), counts.inserts);
  return counts;
}

void expect_share(int count, double share, const char* what) {
  cr_assert_float_eq(count, share * kOperations, 0.015 * kOperations, "%s: %d", what, count);
}

}  // namespace

Test(ycsb, the_mixes_are_those_of_the_core_workloads) {
  struct Expected {
    double reads, updates, inserts, scans;
  };
  const std::map<char, Expected> expected = {
      {'a', {0.5, 0.5, 0, 0}},      {'b', {0.95, 0.05, 0, 0}},    {'c', {1, 0, 0, 0}},
      {'d', {0.95, 0, 0.05, 0}},    {'e', {0, 0, 0.05, 0.95}},    {'f', {1, 0.5, 0, 0}},
  };
  cr_assert_eq(expected.size(), kYcsbMixes.size());
  for (const YcsbMix& mix : kYcsbMixes) {
    const CountingStore::Counts counts = counts_of(mix);
    const Expected& shares = expected.at(mix.letter);
    expect_share(counts.reads, shares.reads, "reads");
    expect_share(counts.updates, shares.updates, "updates");
    expect_share(counts.inserts, shares.inserts, "inserts");
    expect_share(counts.scans, shares.scans, "scans");
  }
}

Test(ycsb, no_two_records_have_the_same_key) {
  std::set<std::string> keys;
  for (std::int64_t i = 0; i < 100'000; ++i) cr_assert(keys.insert(YcsbTable::key_of(i)).second);
  for (const std::string& key : keys) cr_assert_eq(key.size(), 14);
}

Test(ycsb, a_record_is_known_when_all_before_it_are) {
  YcsbKeys keys(10);
  const std::int64_t first = keys.take();
  const std::int64_t second = keys.take();
  cr_assert_eq(first, 10);
  cr_assert_eq(second, 11);
  keys.settle(second, true);
  cr_assert_eq(keys.known_count(), 10);
  cr_assert(keys.is_complete());
  keys.settle(first, false);
  cr_assert_eq(keys.known_count(), 12);
  cr_assert_eq(keys.inserted_count(), 1);
  cr_assert(!keys.is_complete());
}

Test(ycsb, records_become_known_whoever_inserts_them) {
  YcsbKeys keys(0);
  constexpr int kThreads = 4;
  // All of them together are no more than may be under way at once: a thread may be interrupted for as long as it likes.
  constexpr int kEach = 15'000;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&keys] {
      for (int n = 0; n < kEach; ++n) keys.settle(keys.take(), true);
    });
  }
  for (std::thread& thread : threads) thread.join();
  cr_assert_eq(keys.known_count(), kThreads * kEach);
  cr_assert_eq(keys.inserted_count(), kThreads * kEach);
}
