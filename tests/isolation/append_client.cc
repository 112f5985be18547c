#include "tests/isolation/append_client.h"

#include <fmt/format.h>

#include <chrono>
#include <thread>
#include <utility>

#include "tests/support/failure.h"
#include "tests/support/process.h"

namespace skua::test {

namespace {

using Kind = ListOperation::Kind;

constexpr std::int64_t kOperationsMax = 4;
// Lists in use at the same time, and after how many transactions others take their place: reads stay short.
constexpr std::int64_t kLists = 5;
constexpr std::int64_t kTransactionsPerLists = 300;

constexpr std::string_view kAppendSql =
    "INSERT INTO list VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET elements = elements || ',' || "
    "excluded.elements";
constexpr std::string_view kReadSql = "SELECT elements FROM list WHERE key = ?";
constexpr std::string_view kBrokenSql = "INSERT INTO list VALUES (?, NULL)";

std::int64_t now_ns() {
  // Comparable between processes: CLOCK_MONOTONIC.
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::string_view sql_of(const ListOperation& operation) {
  return operation.kind == Kind::kRead ? kReadSql : kAppendSql;
}

Parameters parameters_of(const ListOperation& operation) {
  if (operation.kind == Kind::kRead) return Parameters::of(operation.key);
  return Parameters::of(operation.key, std::to_string(operation.value));
}

Error rolled_back_as_wanted() { return make_error(ErrorCode::kConstraint, "rolled back as wanted"); }

}  // namespace

AppendClient::AppendClient(const Plan& plan, const std::string& log_file, std::uint64_t seed)
    : plan_(plan), log_(log_file), random_(seed) {}

void AppendClient::run() {
  while (true) {
    const std::int64_t id = plan_.next_transaction->fetch_add(1);
    if (id >= plan_.transactions) return;
    if (!connection_ || !connection_->is_open()) connect();
    const Shape shape = any_shape();
    ListTransaction transaction = plan_transaction(id, shape);
    perform(transaction, shape);
  }
}

void AppendClient::connect() {
  ConnectOptions options;
  options.socket_path = plan_.socket_path;
  options.client_name = "list_append";
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (true) {
    auto connection = Connection::connect(options);
    if (connection) {
      connection_.emplace(std::move(*connection));
      return;
    }
    require(std::chrono::steady_clock::now() < until, "cannot connect: " + connection.error().message);
    // There is no event to wait for: the daemon was killed, and will be started again.
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

AppendClient::Shape AppendClient::any_shape() {
  const std::int64_t percent = random_.between(1, 100);
  if (percent <= 35) return Shape::kStatement;
  if (percent <= 65) return Shape::kTransaction;
  if (percent <= 75) return Shape::kReadTransaction;
  if (percent <= 93) return Shape::kProgram;
  return Shape::kExecuteMany;
}

ListTransaction AppendClient::plan_transaction(std::int64_t id, Shape shape) {
  ListTransaction transaction;
  transaction.id = id;
  const std::int64_t count = shape == Shape::kStatement ? 1 : random_.between(1, kOperationsMax);
  for (std::int64_t i = 0; i < count; ++i) {
    ListOperation& operation = transaction.operations.emplace_back();
    operation.key = id / kTransactionsPerLists * kLists + random_.between(0, kLists - 1);
    const bool appends = shape == Shape::kExecuteMany || random_.one_in(2);
    if (!appends || shape == Shape::kReadTransaction) continue;
    operation.kind = Kind::kAppend;
    operation.value = id * kOperationsMax + i + 1;
  }
  return transaction;
}

void AppendClient::perform(ListTransaction& transaction, Shape shape) {
  transaction.begun_ns = now_ns();
  log_.begin(transaction);
  const bool is_interactive = shape == Shape::kTransaction || shape == Shape::kReadTransaction;
  if (!is_interactive) log_.may_commit(transaction);
  const Status status = [&] {
    switch (shape) {
      case Shape::kStatement:
        return statement(transaction);
      case Shape::kTransaction:
        if (strikes(Fault::kNoTransaction, 1)) return without_transaction(transaction);
        return interactive(transaction, TransactionMode::kWrite);
      case Shape::kReadTransaction:
        return interactive(transaction, TransactionMode::kRead);
      case Shape::kProgram:
        return program(transaction);
      case Shape::kExecuteMany:
        return execute_many(transaction);
    }
    return Status();
  }();
  transaction.ended_ns = now_ns();
  transaction.ending = Ending::kCommitted;
  if (!status) {
    const ErrorCode code = status.error().code;
    transaction.ending = code == ErrorCode::kInDoubt ? Ending::kInDoubt : Ending::kFailed;
    // The only constraint errors are wanted ones.
    if (code != ErrorCode::kInDoubt && code != ErrorCode::kLost && code != ErrorCode::kConstraint) {
      log_.surprise(fmt::format("{} error: {}", to_string(code), status.error().message));
    }
  } else if (strikes(Fault::kHideCommit)) {
    transaction.ending = Ending::kFailed;
  }
  log_.end(transaction);
}

bool AppendClient::strikes(Fault fault, std::uint32_t times) {
  return plan_.fault == fault && random_.one_in(times);
}

RequestOptions AppendClient::any_durability() {
  RequestOptions options;
  if (random_.one_in(4)) options.durability = Durability::kRelaxed;
  return options;
}

template <class Executor>
Status AppendClient::execute(Executor& executor, ListOperation& operation) {
  SKUA_ASSIGN(const ResultSet rows,
              executor.execute(sql_of(operation), parameters_of(operation), any_durability()));
  return take_elements(rows, operation);
}

Status AppendClient::take_elements(const ResultSet& rows, ListOperation& operation) {
  if (operation.kind != Kind::kRead) return {};
  SKUA_ASSIGN(const std::optional<Row> row, rows.one_or_none());
  if (row) {
    SKUA_ASSIGN(const std::string_view text, row->get<std::string_view>(0));
    operation.elements = parse_elements(text);
  }
  operation.is_answered = true;
  if (operation.elements.size() > 1 && strikes(Fault::kSwapElements)) {
    std::swap(operation.elements[0], operation.elements[1]);
  }
  return {};
}

Status AppendClient::statement(ListTransaction& transaction) {
  ListOperation& operation = transaction.operations.front();
  if (operation.kind == Kind::kAppend) {
    if (strikes(Fault::kDropAppend)) return {};
    if (strikes(Fault::kAppendTwice)) SKUA_TRY(execute(*connection_, operation));
    return execute(*connection_, operation);
  }
  SKUA_TRY(execute(*connection_, operation));
  if (plan_.fault == Fault::kStaleRead) {
    const auto [earlier, is_first] = remembered_.emplace(operation.key, operation.elements);
    if (!is_first && strikes(Fault::kStaleRead, 2)) operation.elements = earlier->second;
  }
  return {};
}

Status AppendClient::interactive(ListTransaction& transaction, TransactionMode mode) {
  const bool is_writer = mode == TransactionMode::kWrite;
  std::optional<Transaction> snapshot;
  if (is_writer && plan_.fault == Fault::kOldSnapshot) {
    SKUA_ASSIGN(snapshot, connection_->begin(TransactionMode::kRead));
  }
  SKUA_ASSIGN(Transaction open, connection_->begin(mode, any_durability()));
  std::map<std::int64_t, bool> appended;  // by key
  for (ListOperation& operation : transaction.operations) {
    const bool is_read = operation.kind == Kind::kRead;
    if (is_read && snapshot && !appended[operation.key]) {
      SKUA_TRY(execute(*snapshot, operation));
    } else if (is_read && is_writer && strikes(Fault::kOutsideRead, 1)) {
      SKUA_TRY(execute(*connection_, operation));
    } else {
      SKUA_TRY(execute(open, operation));
    }
    if (!is_read) appended[operation.key] = true;
  }
  if (is_writer && random_.one_in(10)) {
    SKUA_TRY(open.rollback());
    return rolled_back_as_wanted();
  }
  log_.may_commit(transaction);
  return open.commit();
}

Status AppendClient::without_transaction(ListTransaction& transaction) {
  log_.may_commit(transaction);
  for (ListOperation& operation : transaction.operations) SKUA_TRY(execute(*connection_, operation));
  return {};
}

Status AppendClient::program(ListTransaction& transaction) {
  Program program;
  for (const ListOperation& operation : transaction.operations) {
    program.steps.push_back({std::string(sql_of(operation)), parameters_of(operation), {}, false});
  }
  if (random_.one_in(10)) program.steps.push_back({std::string(kBrokenSql), Parameters::of(-1), {}, false});
  SKUA_ASSIGN(const ProgramResult result, connection_->run(program, any_durability()));
  for (std::size_t i = 0; i < transaction.operations.size(); ++i) {
    SKUA_TRY(take_elements(result.steps[i].rows, transaction.operations[i]));
  }
  return {};
}

Status AppendClient::execute_many(ListTransaction& transaction) {
  if (transaction.operations.size() > 1 && strikes(Fault::kTear, 1)) {
    SKUA_TRY(execute(*connection_, transaction.operations.front()));
    return make_error(ErrorCode::kInDoubt, "half of it was sent");
  }
  ParameterRows rows(2);
  for (const ListOperation& operation : transaction.operations) {
    rows.append(ValueView::integer(operation.key));
    rows.append(ValueView::text(std::to_string(operation.value)));
    rows.end_row();
  }
  SKUA_TRY(connection_->execute_many(kAppendSql, rows, any_durability()));
  return {};
}

}  // namespace skua::test
