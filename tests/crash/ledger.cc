#include "tests/crash/ledger.h"

#include <fmt/format.h>

#include <algorithm>

namespace skua::test {

std::vector<std::string> Ledger::schema() {
  return {
      "CREATE TABLE entry(operation INTEGER, part INTEGER, parts INTEGER, payload BLOB, PRIMARY KEY "
      "(operation, part)) "
      "WITHOUT ROWID",
      "CREATE TABLE account(id INTEGER PRIMARY KEY, balance INTEGER NOT NULL)",
      "CREATE TABLE transfer(operation INTEGER PRIMARY KEY, source INTEGER, target INTEGER, amount INTEGER)",
      fmt::format(
          "INSERT INTO account WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) "
          "SELECT i, {} FROM n",
          kAccounts, kOpeningBalance),
  };
}

Ledger::Rows Ledger::found_rows(OfflineDatabase& database, std::vector<std::string>& wrong) const {
  Rows found;
  const auto on_row = [&](sqlite3_stmt* row) {
    const std::int64_t id = sqlite3_column_int64(row, 0);
    const std::int64_t rows = sqlite3_column_int64(row, 1);
    const std::int64_t parts_min = sqlite3_column_int64(row, 2);
    const std::int64_t parts_max = sqlite3_column_int64(row, 3);
    if (rows != parts_min || rows != parts_max) {
      wrong.push_back(fmt::format("operation {:x} is there in part: {} rows of {}", id, rows, parts_max));
    }
    found.emplace(id, rows);
  };
  database.each_row("SELECT operation, count(*), min(parts), max(parts) FROM entry GROUP BY operation", on_row);
  return found;
}

std::vector<std::string> Ledger::settle(const std::vector<Operation>& operations, bool power_was_lost,
                                        OfflineDatabase& database) {
  std::vector<std::string> wrong;
  const std::string verdict = database.text("PRAGMA integrity_check");
  if (verdict != "ok") wrong.push_back("integrity_check: " + verdict);
  const Rows found = found_rows(database, wrong);
  for (const auto& [id, rows] : settled_) {
    if (!found.contains(id))
      wrong.push_back(fmt::format("operation {:x}, there after an earlier crash, is gone", id));
  }
  std::size_t of_this_round = 0;
  for (const Operation& operation : operations) {
    const auto entry = found.find(operation.id);
    if (entry != found.end()) {
      ++of_this_round;
      if (entry->second != operation.rows) {
        wrong.push_back(
            fmt::format("operation {:x} has {} rows, not {}", operation.id, entry->second, operation.rows));
      }
    }
    settle_operation(operation, entry != found.end(), power_was_lost, wrong);
  }
  for (const auto& [id, rows] : found) {
    if (settled_.contains(id)) continue;
    wrong.push_back(fmt::format("operation {:x} is there and must not be", id));
  }
  check_order(operations, found, wrong);
  check_accounts(database, wrong);
  return wrong;
}

void Ledger::settle_operation(const Operation& operation, bool found, bool power_was_lost,
                              std::vector<std::string>& wrong) {
  const bool is_relaxed = operation.durability == Durability::kRelaxed;
  switch (operation.fate) {
    case Fate::kAcknowledged:
      ++(is_relaxed ? counts_.acknowledged_relaxed : counts_.acknowledged_full);
      if (found) break;
      if (is_relaxed && power_was_lost) {
        ++counts_.relaxed_lost;
      } else {
        ++counts_.full_lost;
        wrong.push_back(fmt::format("the {} operation {:x} was acknowledged and is lost",
                                    is_relaxed ? "relaxed" : "full", operation.id));
      }
      break;
    case Fate::kRefused:
      ++counts_.refused;
      // Not settled: settle() finds it there.
      return;
    case Fate::kInDoubt:
      ++counts_.in_doubt;
      if (found) ++counts_.in_doubt_found;
      break;
  }
  if (found) settled_.emplace(operation.id, operation.rows);
}

void Ledger::check_order(const std::vector<Operation>& operations, const Rows& found,
                         std::vector<std::string>& wrong) {
  std::uint64_t last_begun = 0;
  for (const Operation& operation : operations) {
    if (found.contains(operation.id)) last_begun = std::max(last_begun, operation.begun);
  }
  for (const Operation& operation : operations) {
    if (operation.fate != Fate::kAcknowledged || operation.ended >= last_begun) continue;
    if (found.contains(operation.id)) continue;
    wrong.push_back(fmt::format("operation {:x} is lost, and one that began after its acknowledgement is there",
                                operation.id));
  }
}

void Ledger::check_accounts(OfflineDatabase& database, std::vector<std::string>& wrong) {
  const std::int64_t total = database.number("SELECT sum(balance) FROM account");
  if (total != kAccounts * kOpeningBalance) wrong.push_back(fmt::format("the accounts hold {}", total));
  const std::int64_t unexplained =
      database.number(fmt::format("SELECT count(*) FROM account WHERE balance <> {} - "
                                  "(SELECT coalesce(sum(amount), 0) FROM transfer WHERE source = account.id) + "
                                  "(SELECT coalesce(sum(amount), 0) FROM transfer WHERE target = account.id)",
                                  kOpeningBalance));
  if (unexplained > 0) wrong.push_back(fmt::format("{} balances differ from their transfers", unexplained));
  const std::int64_t halves =
      database.number("SELECT count(*) FROM transfer WHERE operation NOT IN (SELECT operation FROM entry)");
  if (halves > 0) wrong.push_back(fmt::format("{} transfers without their entry", halves));
}

}  // namespace skua::test
