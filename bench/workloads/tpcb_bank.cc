#include "bench/workloads/tpcb_bank.h"

#include <fmt/format.h>

#include <algorithm>

namespace skua::bench {

namespace {

// Uniform enough: 2^64 is no multiple of the count, by less than one in 10^12.
std::int64_t one_to(std::int64_t count, std::mt19937_64& random) {
  return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(count)) + 1;
}

// INSERT of rows 1 to `rows`, where `i` is the row's number. The filler makes a row about 100 bytes.
std::string fill(const char* table, std::int64_t rows, const std::string& values, std::size_t filler_bytes) {
  return fmt::format(
      "INSERT INTO {} WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) "
      "SELECT {}, '{}' FROM n",
      table, rows, values, std::string(filler_bytes, '-'));
}

}  // namespace

std::vector<std::string> TpcbBank::setup_statements(SqlDialect dialect) const {
  const bool postgres = dialect == SqlDialect::kPostgres;
  const char* integer = postgres ? "bigint" : "INTEGER";
  const char* time = postgres ? "timestamp with time zone" : "TEXT";
  return {
      fmt::format("CREATE TABLE branch(id {0} PRIMARY KEY, balance {0} NOT NULL, filler TEXT NOT NULL)",
                  integer),
      fmt::format("CREATE TABLE teller(id {0} PRIMARY KEY, branch {0} NOT NULL, balance {0} NOT NULL, "
                  "filler TEXT NOT NULL)",
                  integer),
      fmt::format("CREATE TABLE account(id {0} PRIMARY KEY, branch {0} NOT NULL, balance {0} NOT NULL, "
                  "filler TEXT NOT NULL)",
                  integer),
      fmt::format("CREATE TABLE history(teller {0} NOT NULL, branch {0} NOT NULL, account {0} NOT NULL, "
                  "delta {0} NOT NULL, time {1} NOT NULL, filler TEXT NOT NULL)",
                  integer, time),
      fill("branch", branches_, "i, 0", 88),
      fill("teller", branches_ * kTellersPerBranch, fmt::format("i, (i - 1) / {} + 1, 0", kTellersPerBranch),
           84),
      fill("account", account_count(), fmt::format("i, (i - 1) / {} + 1, 0", kAccountsPerBranch), 84),
  };
}

std::vector<TpcbStep> TpcbBank::steps(SqlDialect dialect) {
  using Deposit = TpcbDeposit;
  std::vector<TpcbStep> steps = {
      {"UPDATE account SET balance = balance + ?1 WHERE id = ?2", {&Deposit::delta, &Deposit::account}},
      {"SELECT balance FROM account WHERE id = ?1", {&Deposit::account}},
      {"UPDATE teller SET balance = balance + ?1 WHERE id = ?2", {&Deposit::delta, &Deposit::teller}},
      {"UPDATE branch SET balance = balance + ?1 WHERE id = ?2", {&Deposit::delta, &Deposit::branch}},
      {"INSERT INTO history(teller, branch, account, delta, time, filler) "
       "VALUES (?1, ?2, ?3, ?4, CURRENT_TIMESTAMP, '----------------------')",
       {&Deposit::teller, &Deposit::branch, &Deposit::account, &Deposit::delta}},
  };
  if (dialect == SqlDialect::kPostgres) {
    for (TpcbStep& step : steps) std::replace(step.sql.begin(), step.sql.end(), '?', '$');
  }
  return steps;
}

const char* TpcbBank::consistency_query() {
  return "SELECT CASE WHEN (SELECT sum(balance) FROM account) = (SELECT sum(balance) FROM branch) "
         "AND (SELECT sum(balance) FROM teller) = (SELECT sum(balance) FROM branch) "
         "AND (SELECT coalesce(sum(delta), 0) FROM history) = (SELECT sum(balance) FROM branch) "
         "THEN 1 ELSE 0 END";
}

TpcbDeposit TpcbBank::draw(std::mt19937_64& random) const {
  constexpr std::int64_t kDeltaMax = 5'000;
  TpcbDeposit deposit;
  deposit.account = one_to(account_count(), random);
  deposit.teller = one_to(branches_ * kTellersPerBranch, random);
  deposit.branch = one_to(branches_, random);
  deposit.delta = one_to(2 * kDeltaMax + 1, random) - kDeltaMax - 1;
  return deposit;
}

}  // namespace skua::bench
