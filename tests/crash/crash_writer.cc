#include "tests/crash/crash_writer.h"

#include <fmt/format.h>

#include <utility>

namespace skua::test {

namespace {

constexpr std::string_view kInsert = "INSERT INTO entry VALUES (?, ?, ?, ?)";
constexpr std::string_view kWithdraw = "UPDATE account SET balance = balance - ? WHERE id = ?";
constexpr std::string_view kDeposit = "UPDATE account SET balance = balance + ? WHERE id = ?";
constexpr std::string_view kTransfer = "INSERT INTO transfer VALUES (?, ?, ?, ?)";

struct Move {
  std::int64_t source;
  std::int64_t target;
  std::int64_t amount;
};

Move any_move(Random& random) {
  const std::int64_t source = random.between(1, Ledger::kAccounts);
  return {source, source % Ledger::kAccounts + 1, random.between(1, 100)};
}

Error rolled_back_as_wanted() { return make_error(ErrorCode::kConstraint, "rolled back as wanted"); }

}  // namespace

const std::vector<CrashWriter::Act>& CrashWriter::acts() {
  static const std::vector<Act> acts = {
      {"insert", &CrashWriter::insert, false, 8},
      {"executeMany", &CrashWriter::insert_many, false, 3},
      {"transaction", &CrashWriter::transaction, false, 3},
      {"program", &CrashWriter::program, false, 3},
      {"transfer", &CrashWriter::transfer, false, 2},
      {"transfer program", &CrashWriter::transfer_program, false, 3},
      {"executeMany with a broken constraint", &CrashWriter::broken_many, true, 1},
      {"program with a broken constraint", &CrashWriter::broken_program, true, 1},
      {"transaction, rolled back", &CrashWriter::rolled_back, true, 1},
      {"commit of an aborted transaction", &CrashWriter::refused_commit, true, 1},
  };
  return acts;
}

CrashWriter::CrashWriter(Connection connection, std::int64_t first_id, std::uint64_t seed,
                         std::atomic<std::uint64_t>& clock)
    : connection_(std::move(connection)), next_id_(first_id), random_(seed), clock_(clock) {}

void CrashWriter::run_until_lost() {
  while (connection_.is_open()) perform(choose());
}

const CrashWriter::Act& CrashWriter::choose() {
  int weights = 0;
  for (const Act& act : acts()) weights += act.weight;
  auto left = static_cast<int>(random_.between(1, weights));
  for (const Act& act : acts()) {
    left -= act.weight;
    if (left <= 0) return act;
  }
  return acts().back();
}

void CrashWriter::perform(const Act& act) {
  Operation operation;
  operation.id = next_id_++;
  if (random_.one_in(4)) operation.durability = Durability::kRelaxed;
  operation.begun = ++clock_;
  const Status status = (this->*act.perform)(operation);
  operation.ended = ++clock_;
  if (status) {
    operation.fate = Fate::kAcknowledged;
    if (act.is_refused) surprises_.push_back(fmt::format("{} was acknowledged", act.name));
  } else {
    const ErrorCode code = status.error().code;
    operation.fate = code == ErrorCode::kInDoubt ? Fate::kInDoubt : Fate::kRefused;
    const bool is_wanted = act.is_refused && code == ErrorCode::kConstraint;
    if (!is_wanted && code != ErrorCode::kInDoubt && code != ErrorCode::kLost) {
      surprises_.push_back(fmt::format("{}: {} error: {}", act.name, to_string(code), status.error().message));
    }
  }
  operations_.push_back(operation);
}

// Mostly less than a page, sometimes several.
std::string CrashWriter::payload() {
  const std::int64_t bytes = random_.one_in(20) ? random_.between(4'000, 20'000) : random_.between(0, 800);
  return std::string(static_cast<std::size_t>(bytes), static_cast<char>(random_.between('a', 'z')));
}

Parameters CrashWriter::entry(const Operation& operation, std::int64_t part) {
  return Parameters::of(operation.id, part, operation.rows, Blob{payload()});
}

RequestOptions CrashWriter::options(const Operation& operation) const {
  RequestOptions options;
  options.durability = operation.durability;
  return options;
}

Result<Transaction> CrashWriter::begin(const Operation& operation) {
  return connection_.begin(TransactionMode::kWrite, options(operation));
}

template <class Executor>
Status CrashWriter::insert_part(Executor& executor, const Operation& operation, std::int64_t part) {
  SKUA_TRY(executor.execute(kInsert, entry(operation, part), options(operation)));
  return {};
}

Program CrashWriter::inserts(const Operation& operation) {
  Program program;
  for (std::int64_t part = 0; part < operation.rows; ++part) {
    program.steps.push_back({std::string(kInsert), entry(operation, part), {}, false});
  }
  return program;
}

Status CrashWriter::insert(Operation& operation) { return insert_part(connection_, operation, 0); }

Status CrashWriter::insert_many(Operation& operation) {
  operation.rows = random_.between(2, 20);
  ParameterRows rows(4);
  for (std::int64_t part = 0; part < operation.rows; ++part) {
    rows.append(ValueView::integer(operation.id));
    rows.append(ValueView::integer(part));
    rows.append(ValueView::integer(operation.rows));
    rows.append(ValueView::blob(payload()));
    rows.end_row();
  }
  SKUA_TRY(connection_.execute_many(kInsert, rows, options(operation)));
  return {};
}

Status CrashWriter::transaction(Operation& operation) {
  operation.rows = random_.between(2, 6);
  SKUA_ASSIGN(Transaction transaction, begin(operation));
  for (std::int64_t part = 0; part < operation.rows; ++part)
    SKUA_TRY(insert_part(transaction, operation, part));
  return transaction.commit();
}

Status CrashWriter::program(Operation& operation) {
  operation.rows = random_.between(2, 6);
  SKUA_TRY(connection_.run(inserts(operation), options(operation)));
  return {};
}

Status CrashWriter::transfer(Operation& operation) {
  const Move move = any_move(random_);
  SKUA_ASSIGN(Transaction transaction, begin(operation));
  SKUA_TRY(transaction.execute(kWithdraw, Parameters::of(move.amount, move.source)));
  SKUA_TRY(transaction.execute(kDeposit, Parameters::of(move.amount, move.target)));
  SKUA_TRY(transaction.execute(kTransfer, Parameters::of(operation.id, move.source, move.target, move.amount)));
  SKUA_TRY(insert_part(transaction, operation, 0));
  return transaction.commit();
}

Status CrashWriter::transfer_program(Operation& operation) {
  const Move move = any_move(random_);
  Program program = inserts(operation);
  const auto add = [&](std::string_view sql, Parameters parameters) {
    program.steps.push_back({std::string(sql), std::move(parameters), {}, false});
  };
  add(kWithdraw, Parameters::of(move.amount, move.source));
  add(kDeposit, Parameters::of(move.amount, move.target));
  add(kTransfer, Parameters::of(operation.id, move.source, move.target, move.amount));
  SKUA_TRY(connection_.run(program, options(operation)));
  return {};
}

Status CrashWriter::broken_many(Operation& operation) {
  ParameterRows rows(4);
  for (const std::int64_t part : {0, 1, 0}) {
    rows.append(ValueView::integer(operation.id));
    rows.append(ValueView::integer(part));
    rows.append(ValueView::integer(2));
    rows.append(ValueView::blob(payload()));
    rows.end_row();
  }
  SKUA_TRY(connection_.execute_many(kInsert, rows, options(operation)));
  return {};
}

Status CrashWriter::broken_program(Operation& operation) {
  operation.rows = 2;
  Program program = inserts(operation);
  program.steps.push_back(program.steps.front());
  SKUA_TRY(connection_.run(program, options(operation)));
  return {};
}

Status CrashWriter::rolled_back(Operation& operation) {
  SKUA_ASSIGN(Transaction transaction, begin(operation));
  SKUA_TRY(insert_part(transaction, operation, 0));
  SKUA_TRY(transaction.rollback());
  return rolled_back_as_wanted();
}

Status CrashWriter::refused_commit(Operation& operation) {
  SKUA_ASSIGN(Transaction transaction, begin(operation));
  SKUA_TRY(insert_part(transaction, operation, 0));
  const auto again =
      transaction.execute("INSERT OR ROLLBACK INTO entry VALUES (?, ?, ?, ?)", entry(operation, 0));
  if (again) return {};
  if (again.error().code != ErrorCode::kConstraint) return again.error();
  const Status commit = transaction.commit();
  if (commit) return {};
  if (commit.error().code != ErrorCode::kTransactionAborted) return commit.error();
  return rolled_back_as_wanted();
}

}  // namespace skua::test
