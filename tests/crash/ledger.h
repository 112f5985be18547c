// Ledger: what was asked of the daemon and what it answered, over all rounds of a crash run, and whether a
// database is one that these answers allow.
//
// Each operation writes rows into `entry` that bear its id and say how many they are; a transfer also moves
// money between accounts. What a crash left open is settled by what is found after it: from then on it must
// stay so. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "skua/options.h"
#include "tests/crash/offline_database.h"

namespace skua::test {

enum class Fate : std::uint8_t {
  kAcknowledged,  // it happened
  kRefused,       // it did not, or was rolled back
  kInDoubt,       // it happened whole or not at all
};

struct Operation {
  std::int64_t id = 0;
  std::int64_t rows = 1;  // in `entry`
  Durability durability = Durability::kFull;
  Fate fate = Fate::kInDoubt;
  // Both from one clock that ticks for every writer: what had ended before another began came before it.
  std::uint64_t begun = 0;
  std::uint64_t ended = 0;
};

// What a run counts, over all rounds.
struct CrashCounts {
  std::uint64_t acknowledged_full = 0;
  std::uint64_t acknowledged_relaxed = 0;
  std::uint64_t refused = 0;
  std::uint64_t in_doubt = 0;
  std::uint64_t in_doubt_found = 0;
  std::uint64_t relaxed_lost = 0;
  std::uint64_t full_lost = 0;  // what must not be
};

class Ledger {
 public:
  static constexpr std::int64_t kAccounts = 50;
  static constexpr std::int64_t kOpeningBalance = 1'000;

  // The statements that make the tables.
  static std::vector<std::string> schema();

  // Looks at a database after the crash that ended these operations, and settles them. What is wrong, one
  // sentence each.
  std::vector<std::string> settle(const std::vector<Operation>& operations, bool power_was_lost,
                                  OfflineDatabase& database);

  const CrashCounts& counts() const { return counts_; }
  // Operations that are there for good.
  std::size_t settled_count() const { return settled_.size(); }

 private:
  using Rows = std::unordered_map<std::int64_t, std::int64_t>;  // by operation

  Rows found_rows(OfflineDatabase& database, std::vector<std::string>& wrong) const;
  void settle_operation(const Operation& operation, bool found, bool power_was_lost,
                        std::vector<std::string>& wrong);
  static void check_order(const std::vector<Operation>& operations, const Rows& found,
                          std::vector<std::string>& wrong);
  static void check_accounts(OfflineDatabase& database, std::vector<std::string>& wrong);

  Rows settled_;
  CrashCounts counts_;
};

}  // namespace skua::test
