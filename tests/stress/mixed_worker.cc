#include "tests/stress/mixed_worker.h"

#include <fmt/format.h>

#include <utility>

#include "tests/stress/bank.h"

namespace skua::stress {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t kRangeRows = 50;

// How often each operation is in the deck.
constexpr std::pair<Operation, int> kMix[] = {
    {Operation::kPing, 2},
    {Operation::kPointRead, 35},
    {Operation::kRangeRead, 10},
    {Operation::kTotalRead, 4},
    {Operation::kInsert, 15},
    {Operation::kReadOwnInsert, 5},
    {Operation::kTransfer, 10},
    {Operation::kTransferRolledBack, 3},
    {Operation::kTransferProgram, 6},
    {Operation::kReadTransaction, 4},
    {Operation::kStream, 3},
    {Operation::kStreamAbandoned, 3},
};

}  // namespace

MixedWorker::MixedWorker(Connection connection, std::int64_t process, std::uint64_t seed, WorkerReport& report)
    : connection_(std::move(connection)), process_(process), random_(seed), report_(report) {
  for (const auto& [operation, times] : kMix)
    deck_.insert(deck_.end(), static_cast<std::size_t>(times), operation);
}

void MixedWorker::shuffle() {
  for (std::size_t i = deck_.size() - 1; i > 0; --i) {
    std::swap(deck_[i], deck_[static_cast<std::size_t>(random_.between(0, static_cast<std::int64_t>(i)))]);
  }
}

void MixedWorker::run_until(Clock::time_point end) {
  while (true) {
    shuffle();
    for (const Operation operation : deck_) {
      const Clock::time_point begin = Clock::now();
      if (begin >= end || !connection_.is_open()) return;
      const Status status = perform(operation);
      const auto index = static_cast<std::size_t>(operation);
      if (status) {
        report_.durations[index].add(Clock::now() - begin);
        ++report_.operations;
      } else {
        report_.add_error(fmt::format("{}: {} error: {}", kOperationNames[index],
                                      to_string(status.error().code), status.error().message));
      }
    }
  }
}

Status MixedWorker::perform(Operation operation) {
  switch (operation) {
    case Operation::kPing:
      return connection_.ping();
    case Operation::kPointRead:
      return point_read();
    case Operation::kRangeRead:
      return range_read();
    case Operation::kTotalRead:
      return Bank::check_total(connection_);
    case Operation::kInsert:
      return insert();
    case Operation::kReadOwnInsert:
      return read_own_insert();
    case Operation::kTransfer:
      return transfer(true);
    case Operation::kTransferRolledBack:
      return transfer(false);
    case Operation::kTransferProgram:
      return transfer_program();
    case Operation::kReadTransaction:
      return read_transaction();
    case Operation::kStream:
      return stream();
    case Operation::kStreamAbandoned:
      return abandon_stream();
  }
  return {};
}

std::int64_t MixedWorker::any_account() { return random_.between(1, Bank::kAccounts); }

MixedWorker::TransferPlan MixedWorker::plan_transfer() {
  const std::int64_t source = any_account();
  const std::int64_t distance = random_.between(1, Bank::kAccounts - 1);
  return {source, (source - 1 + distance) % Bank::kAccounts + 1, random_.between(1, 20)};
}

Status MixedWorker::point_read() {
  SKUA_TRY(
      Bank::number(connection_, "SELECT balance FROM account WHERE id = ?", Parameters::of(any_account())));
  return {};
}

Status MixedWorker::range_read() {
  const std::int64_t first = random_.between(1, Bank::kAccounts - kRangeRows + 1);
  SKUA_ASSIGN(const ResultSet rows,
              connection_.execute("SELECT id, balance FROM account WHERE id BETWEEN ? AND ? ORDER BY id",
                                  Parameters::of(first, first + kRangeRows - 1)));
  std::int64_t expected = first;
  for (const Row row : rows) {
    SKUA_ASSIGN(const std::int64_t id, row.get<std::int64_t>("id"));
    if (id != expected++)
      return Bank::broken(fmt::format("a range read gave account {} for {}", id, expected - 1));
  }
  if (expected != first + kRangeRows) return Bank::broken("a range read came short");
  return {};
}

Status MixedWorker::insert() {
  const auto sequence = static_cast<std::int64_t>(report_.entries) + 1;
  SKUA_ASSIGN(const ResultSet result,
              connection_.execute("INSERT INTO entry(process, sequence, payload) VALUES (?, ?, ?)",
                                  Parameters::of(process_, sequence, std::string(64, 'x'))));
  if (result.summary().changes != 1) return Bank::broken("an insert changed not one row");
  ++report_.entries;
  return {};
}

Status MixedWorker::read_own_insert() {
  SKUA_ASSIGN(const std::int64_t last,
              Bank::number(connection_, "SELECT coalesce(max(sequence), 0) FROM entry WHERE process = ?",
                           Parameters::of(process_)));
  if (last == static_cast<std::int64_t>(report_.entries)) return {};
  return Bank::broken(fmt::format("{} inserts were acknowledged and {} are seen", report_.entries, last));
}

Status MixedWorker::transfer(bool commit) {
  const TransferPlan plan = plan_transfer();
  SKUA_ASSIGN(Transaction transaction, connection_.begin());
  SKUA_ASSIGN(const std::int64_t before, Bank::number(transaction, "SELECT balance FROM account WHERE id = ?",
                                                      Parameters::of(plan.source)));
  SKUA_TRY(transaction.execute("UPDATE account SET balance = ? WHERE id = ?",
                               Parameters::of(before - plan.amount, plan.source)));
  if (!commit) return transaction.rollback();
  SKUA_TRY(transaction.execute("UPDATE account SET balance = balance + :amount WHERE id = :id",
                               Parameters().set("amount", plan.amount).set("id", plan.target)));
  SKUA_TRY(transaction.execute("INSERT INTO transfer(process, source, target, amount) VALUES (?, ?, ?, ?)",
                               Parameters::of(process_, plan.source, plan.target, plan.amount)));
  SKUA_TRY(transaction.commit());
  ++report_.transfers;
  return {};
}

Status MixedWorker::transfer_program() {
  const TransferPlan plan = plan_transfer();
  Program program;
  program.steps.push_back({"UPDATE account SET balance = balance - ?1 WHERE id = ?2 AND balance >= ?1",
                           Parameters::of(plan.amount, plan.source),
                           {},
                           false});
  program.steps.push_back({"UPDATE account SET balance = balance + ? WHERE id = ?",
                           Parameters::of(plan.amount, plan.target),
                           {{0, Outcome::kChangedRows}},
                           false});
  program.steps.push_back({"INSERT INTO transfer(process, source, target, amount) VALUES (?, ?, ?, ?)",
                           Parameters::of(process_, plan.source, plan.target, plan.amount),
                           {{1, Outcome::kChangedRows}},
                           false});
  SKUA_ASSIGN(const ProgramResult result, connection_.run(program));
  if (result.steps.size() != program.steps.size()) return Bank::broken("a program's answer lacks steps");
  for (const StepResult& step : result.steps) {
    if (step.error) return *step.error;
  }
  if (result.steps[0].rows.summary().changes == 1 && result.steps[2].skipped) {
    return Bank::broken("a step was skipped though what it requires came true");
  }
  if (!result.steps[2].skipped) ++report_.transfers;
  return {};
}

Status MixedWorker::read_transaction() {
  constexpr std::string_view kSql = "SELECT (SELECT count(*) FROM transfer) + (SELECT count(*) FROM entry)";
  SKUA_ASSIGN(Transaction transaction, connection_.begin(TransactionMode::kRead));
  SKUA_ASSIGN(const std::int64_t before, Bank::number(transaction, kSql));
  SKUA_TRY(Bank::check_total(transaction));
  SKUA_ASSIGN(const std::int64_t after, Bank::number(transaction, kSql));
  if (before != after) return Bank::broken("a read transaction saw others commit");
  return transaction.commit();
}

Status MixedWorker::stream() {
  SKUA_ASSIGN(RowStream stream, connection_.stream("SELECT id, balance FROM account"));
  std::int64_t rows = 0;
  std::int64_t total = 0;
  while (true) {
    SKUA_ASSIGN(const bool more, stream.next());
    if (!more) break;
    SKUA_ASSIGN(const std::int64_t balance, stream.row().get<std::int64_t>(1));
    ++rows;
    total += balance;
  }
  if (rows == Bank::kAccounts && total == Bank::kTotal) return {};
  return Bank::broken(fmt::format("a stream gave {} accounts that hold {}", rows, total));
}

Status MixedWorker::abandon_stream() {
  SKUA_ASSIGN(RowStream stream, connection_.stream("SELECT id, text FROM item ORDER BY id"));
  const std::int64_t wanted = random_.between(1, Bank::kItems / 4);
  for (std::int64_t expected = 1; expected <= wanted; ++expected) {
    SKUA_ASSIGN(const bool more, stream.next());
    if (!more) return Bank::broken("a stream ended early");
    SKUA_ASSIGN(const std::int64_t id, stream.row().get<std::int64_t>(0));
    if (id != expected) return Bank::broken(fmt::format("a stream gave item {} for {}", id, expected));
  }
  return {};
}

}  // namespace skua::stress
