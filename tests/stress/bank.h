// Bank: the database of the stress programs, and what must hold in it at every moment.
//
// Accounts whose balances add up to the same total whatever is transferred; a row for each transfer; entries,
// of which each process counts the ones that were acknowledged to it; and items, enough of them to stream for a
// while. Functions over a connection; its thread.
#pragma once

#include <cstdint>

#include "skua/client.h"

namespace skua::stress {

class Bank {
 public:
  static constexpr std::int64_t kAccounts = 1'000;
  static constexpr std::int64_t kOpeningBalance = 1'000;
  static constexpr std::int64_t kTotal = kAccounts * kOpeningBalance;
  static constexpr std::int64_t kItems = 20'000;
  static constexpr std::int64_t kItemBytes = 100;

  static Status create(Connection& connection);

  // kInternal if the total or the number of accounts is not as it must be. `executor`: a connection or a
  // transaction.
  template <class Executor>
  static Status check_total(Executor& executor) {
    SKUA_ASSIGN(const ResultSet sums, executor.execute("SELECT sum(balance), count(*) FROM account"));
    return check_sums(sums);
  }
  // The first column of the only row.
  template <class Executor>
  static Result<std::int64_t> number(Executor& executor, std::string_view sql,
                                     const Parameters& parameters = {}) {
    SKUA_ASSIGN(const ResultSet rows, executor.execute(sql, parameters));
    SKUA_ASSIGN(const Row row, rows.one());
    return row.get<std::int64_t>(0);
  }

  // How a broken promise is reported.
  static Error broken(std::string what) {
    return make_error(ErrorCode::kInternal, "broken promise: " + std::move(what));
  }

 private:
  static Status check_sums(const ResultSet& sums);
};

}  // namespace skua::stress
