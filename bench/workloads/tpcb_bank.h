// TpcbBank: the tables and the transaction of TPC-B in the shape that pgbench gave them, for any SQL engine. A
// customer's deposit changes an account, its teller and its branch, and leaves a line in the history.
//
// Plain data and text. Any thread.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace skua::bench {

struct TpcbDeposit {
  std::int64_t account = 0;
  std::int64_t teller = 0;
  std::int64_t branch = 0;
  std::int64_t delta = 0;
};

struct TpcbStep {
  std::string sql;
  std::vector<std::int64_t TpcbDeposit::*> parameters;
};

enum class SqlDialect { kSqlite, kPostgres };

class TpcbBank {
 public:
  // 10 tellers and 100,000 accounts for each branch.
  explicit TpcbBank(std::int64_t branches) : branches_(branches) {}

  std::int64_t account_count() const { return branches_ * kAccountsPerBranch; }
  // One statement each: the tables, then what is in them.
  std::vector<std::string> setup_statements(SqlDialect dialect) const;
  // The five statements of one transaction. Each changes one row; the one that is a SELECT returns one.
  static std::vector<TpcbStep> steps(SqlDialect dialect);
  // One row of one column: 1 if every deposit is in all four tables, else 0.
  static const char* consistency_query();

  TpcbDeposit draw(std::mt19937_64& random) const;

 private:
  static constexpr std::int64_t kTellersPerBranch = 10;
  static constexpr std::int64_t kAccountsPerBranch = 100'000;

  std::int64_t branches_;
};

}  // namespace skua::bench
