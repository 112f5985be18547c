#include "tests/stress/bank.h"

#include <fmt/format.h>

namespace skua::stress {

Status Bank::create(Connection& connection) {
  SKUA_ASSIGN(Transaction transaction, connection.begin());
  const std::string statements[] = {
      "CREATE TABLE account(id INTEGER PRIMARY KEY, balance INTEGER NOT NULL)",
      "CREATE TABLE transfer(id INTEGER PRIMARY KEY, process INTEGER, source INTEGER, target INTEGER, amount "
      "INTEGER)",
      "CREATE TABLE entry(process INTEGER, sequence INTEGER, payload TEXT, PRIMARY KEY (process, sequence)) "
      "WITHOUT ROWID",
      "CREATE TABLE item(id INTEGER PRIMARY KEY, text TEXT)",
      fmt::format(
          "INSERT INTO account WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) "
          "SELECT i, {} FROM n",
          kAccounts, kOpeningBalance),
      fmt::format(
          "INSERT INTO item WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) "
          "SELECT i, printf('%0{}d', i) FROM n",
          kItems, kItemBytes),
  };
  for (const std::string& sql : statements) {
    SKUA_TRY(transaction.execute(sql));
  }
  return transaction.commit();
}

Status Bank::check_sums(const ResultSet& sums) {
  SKUA_ASSIGN(const Row row, sums.one());
  SKUA_ASSIGN(const std::int64_t total, row.get<std::int64_t>(0));
  SKUA_ASSIGN(const std::int64_t accounts, row.get<std::int64_t>(1));
  if (total == kTotal && accounts == kAccounts) return {};
  return broken(fmt::format("{} accounts hold {}, not {} and {}", accounts, total, kAccounts, kTotal));
}

}  // namespace skua::stress
