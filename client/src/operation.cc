#include "client/src/operation.h"

#include <fmt/format.h>

#include <utility>

#include "protocol/features.h"

namespace skua {

namespace {

Execution told(Execution::Kind kind, const RequestHead& head, std::string_view sql = {}) {
  Execution execution;
  execution.kind = kind;
  execution.sql = sql;
  execution.transaction = head.transaction;
  execution.database = head.database;
  return execution;
}

}  // namespace

Result<Operation> execute_operation(Channel& channel, Execution::Kind kind, std::string_view sql, const Parameters& parameters,
                                    const RequestOptions& options, std::uint32_t transaction, KnownColumns::Entry& known) {
  known = channel.known_columns().find(sql);
  const RequestHead head = channel.head(options, transaction);
  SKUA_ASSIGN(Request request, execute_request(head, sql, parameters, options.window_bytes, options.durability, known.id));
  Operation operation{std::move(request)};
  if (channel.observer() != nullptr) {
    Execution execution = told(kind, head, sql);
    execution.parameters = &parameters;
    operation.observation = Observation(channel.observer(), execution);
  }
  return operation;
}

Result<Operation> execute_many_operation(Channel& channel, std::string_view sql, const ParameterRows& rows,
                                         const RequestOptions& options, std::uint32_t transaction) {
  const RequestHead head = channel.head(options, transaction);
  SKUA_ASSIGN(Request request, execute_many_request(head, sql, rows, options.durability, options.independent));
  Execution execution = told(Execution::Kind::kExecuteMany, head, sql);
  execution.row_count = rows.row_count();
  return Operation{std::move(request), Observation(channel.observer(), execution)};
}

Result<Operation> program_operation(Channel& channel, const Program& program, const RequestOptions& options) {
  const RequestHead head = channel.head(options);
  SKUA_ASSIGN(Request request, program_request(head, program, options.durability));
  Operation operation{std::move(request)};
  if (channel.observer() != nullptr) {
    const std::string sql = sql_of(program);
    operation.observation = Observation(channel.observer(), told(Execution::Kind::kProgram, head, sql));
  }
  return operation;
}

Result<Operation> begin_operation(Channel& channel, TransactionMode mode, const RequestOptions& options, std::uint32_t& number) {
  number = channel.next_transaction();
  const RequestHead head = channel.head(options, number);
  SKUA_ASSIGN(Request request, begin_request(head, mode, options.durability));
  return Operation{std::move(request), Observation(channel.observer(), told(Execution::Kind::kBegin, head))};
}

Result<Operation> begin_group_operation(Channel& channel, const RequestOptions& options, std::span<std::uint32_t> numbers) {
  if (numbers.empty()) return make_error(ErrorCode::kUsage, "a group has one transaction at least");
  if (!channel.has_feature(kFeatureSiblings)) {
    return make_error(ErrorCode::kVersion,
                      fmt::format("skuad {} cannot open transactions that share a snapshot: update it",
                                  channel.server().server_version));
  }
  for (std::uint32_t& number : numbers) number = channel.next_transaction();
  const RequestHead head = channel.head(options, numbers.front());
  SKUA_ASSIGN(Request request, begin_group_request(head, numbers.subspan(1)));
  return Operation{std::move(request), Observation(channel.observer(), told(Execution::Kind::kBegin, head))};
}

Result<Operation> commit_operation(Channel& channel, const RequestOptions& options, std::uint32_t transaction) {
  const RequestHead head = channel.head(options, transaction);
  SKUA_ASSIGN(Request request, commit_request(head));
  return Operation{std::move(request), Observation(channel.observer(), told(Execution::Kind::kCommit, head))};
}

Result<Operation> rollback_operation(Channel& channel, const RequestOptions& options, std::uint32_t transaction) {
  const RequestHead head = channel.head(options, transaction);
  SKUA_ASSIGN(Request request, rollback_request(head));
  return Operation{std::move(request), Observation(channel.observer(), told(Execution::Kind::kRollback, head))};
}

Result<Operation> savepoint_operation(Channel& channel, const RequestOptions& options, std::uint32_t transaction,
                                      std::string_view name, SavepointAction action) {
  const RequestHead head = channel.head(options, transaction);
  SKUA_ASSIGN(Request request, savepoint_request(head, name, action));
  return Operation{std::move(request), Observation(channel.observer(), told(Execution::Kind::kSavepoint, head, name))};
}

}  // namespace skua
