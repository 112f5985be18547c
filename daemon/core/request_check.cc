#include "daemon/core/request_check.h"

#include <fmt/format.h>

#include "protocol/limits.h"

namespace skua {

namespace {

using Class = StatementKind::Class;

Status check_sql(std::string_view sql) {
  if (sql.size() > kSqlBytesMax) {
    return make_error(ErrorCode::kLimit, fmt::format("the SQL text has {} bytes, the most is {} (sql_bytes_max)",
                                                     sql.size(), kSqlBytesMax));
  }
  if (const std::size_t nul = sql.find('\0'); nul != std::string_view::npos) {
    Error error = make_error(ErrorCode::kSql, "the SQL text contains a NUL byte: pass such values as parameters");
    error.sql_offset = static_cast<std::int32_t>(nul);
    return error;
  }
  return {};
}

Status check_parameter_count(std::size_t count) {
  if (count <= kParametersMax) return {};
  return make_error(ErrorCode::kLimit, fmt::format("there are {} parameters, the most is {} (parameters_max)", count,
                                                   kParametersMax));
}

Status check_execute(Request& request, std::uint32_t window_bytes_max, Classifier& classifier)
    SKUA_REQUIRES(loop_thread) {
  request.open_execute();
  SKUA_TRY(check_sql(request.sql));
  SKUA_TRY(check_parameter_count(request.parameters.size()));
  if (request.window_bytes > window_bytes_max) {
    return make_error(ErrorCode::kLimit, fmt::format("a window of {} bytes is asked for, the most is {} "
                                                     "(stream_window_bytes_max)",
                                                     request.window_bytes, window_bytes_max));
  }
  SKUA_ASSIGN(request.statement, classifier.classify(request.sql));
  return {};
}

Status check_requirement(wire::Requirement::Reader requirement, kj::uint step) {
  if (requirement.getStep() >= step) {
    return make_error(ErrorCode::kProtocol, fmt::format("step {} requires something of step {}, which is not an earlier "
                                                        "one",
                                                        step, requirement.getStep()));
  }
  if (requirement.getOutcome() > wire::Outcome::RETURNED_NONE) {
    return make_error(ErrorCode::kProtocol, fmt::format("step {} requires the unknown outcome {}", step,
                                                        static_cast<unsigned>(requirement.getOutcome())));
  }
  return {};
}

Status check_program(Request& request, wire::Program::Reader program, Classifier& classifier)
    SKUA_REQUIRES(loop_thread) {
  const auto steps = program.getSteps();
  if (steps.size() > kProgramStepsMax) {
    return make_error(ErrorCode::kLimit, fmt::format("the program has {} steps, the most is {} (program_steps_max)",
                                                     steps.size(), kProgramStepsMax));
  }
  request.statement = StatementKind{};
  for (kj::uint i = 0; i < steps.size(); ++i) {
    const std::string_view sql = view_of(steps[i].getSql());
    if (i == 0) request.sql = sql;
    SKUA_TRY(check_sql(sql));
    SKUA_TRY(check_parameter_count(steps[i].getParameters().size()));
    for (const auto requirement : steps[i].getRequirements()) SKUA_TRY(check_requirement(requirement, i));
    SKUA_ASSIGN(const StatementKind kind, classifier.classify(sql));
    if (kind.is_transaction_control()) {
      return make_error(ErrorCode::kTransactionState,
                        fmt::format("step {} is transaction control: a program is a transaction of its own, or belongs "
                                    "to the request's",
                                    i));
    }
    if (kind.statement_class == Class::kWrite) request.statement.statement_class = Class::kWrite;
  }
  return {};
}

Status check_execute_many(Request& request, wire::ExecuteMany::Reader many, Classifier& classifier)
    SKUA_REQUIRES(loop_thread) {
  request.sql = view_of(many.getSql());
  SKUA_TRY(check_sql(request.sql));
  SKUA_ASSIGN(const StatementKind kind, classifier.classify(request.sql));
  if (kind.is_transaction_control()) {
    return make_error(ErrorCode::kTransactionState, "transaction control cannot be executed many times");
  }
  request.in_slices = many.getIndependent();
  request.statement.statement_class = Class::kWrite;
  return {};
}

Status check_savepoint(wire::Savepoint::Reader savepoint) {
  const std::string_view name = view_of(savepoint.getName());
  if (name.empty()) return make_error(ErrorCode::kProtocol, "a savepoint needs a name");
  if (name.find('\0') != std::string_view::npos) {
    return make_error(ErrorCode::kProtocol, "a savepoint's name contains a NUL byte");
  }
  if (name.size() > kSavepointNameBytesMax) {
    return make_error(ErrorCode::kLimit, fmt::format("a savepoint's name has {} bytes, the most is {} "
                                                     "(savepoint_name_bytes_max)",
                                                     name.size(), kSavepointNameBytesMax));
  }
  if (savepoint.getAction() > wire::SavepointAction::ROLLBACK_TO) {
    return make_error(ErrorCode::kProtocol, fmt::format("unknown savepoint action {}",
                                                        static_cast<unsigned>(savepoint.getAction())));
  }
  return {};
}

Status check_key(Request& request) {
  if (!request.message->head().has_key) return {};
  const wire::Request::Reader root = request.message->root();
  const std::size_t bytes = root.getIdempotencyKey().size();
  if (bytes == 0) return {};
  if (bytes > kIdempotencyKeyBytesMax) {
    return make_error(ErrorCode::kLimit, fmt::format("the idempotency key has {} bytes, the most is {} "
                                                     "(idempotency_key_bytes_max)",
                                                     bytes, kIdempotencyKeyBytesMax));
  }
  const bool can_have = request.kind == wire::Request::EXECUTE ||
                        (request.kind == wire::Request::EXECUTE_MANY && !root.getExecuteMany().getIndependent()) ||
                        (request.kind == wire::Request::PROGRAM && !root.getProgram().getIndependent());
  if (!can_have) {
    return make_error(ErrorCode::kProtocol,
                      "an idempotency key is for execute, and for executeMany and programs that are not independent: what is done "
                      "whole or not at all");
  }
  request.has_key = true;
  return {};
}

}  // namespace

Status check_request(Request& request, std::uint32_t window_bytes_max, Classifier& classifier) {
  SKUA_TRY(check_key(request));
  if (request.kind == wire::Request::EXECUTE) return check_execute(request, window_bytes_max, classifier);
  const wire::Request::Reader root = request.message->root();
  switch (request.kind) {
    case wire::Request::EXECUTE_MANY: return check_execute_many(request, root.getExecuteMany(), classifier);
    case wire::Request::PROGRAM: return check_program(request, root.getProgram(), classifier);
    case wire::Request::DESCRIBE: return check_sql(view_of(root.getDescribe().getSql()));
    case wire::Request::SAVEPOINT: return check_savepoint(root.getSavepoint());
    case wire::Request::BEGIN:
      if (root.getBegin().getMode() > wire::TransactionMode::READ) {
        return make_error(ErrorCode::kProtocol, "unknown transaction mode");
      }
      return {};
    case wire::Request::BACKUP:
    case wire::Request::COMMIT:
    case wire::Request::ROLLBACK: return {};
    default: break;
  }
  return make_error(ErrorCode::kProtocol,
                    fmt::format("unknown kind of request {}: this daemon speaks protocol version {}",
                                static_cast<unsigned>(request.kind), kProtocolVersionMax));
}

}  // namespace skua
