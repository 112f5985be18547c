#include "client/src/open_transaction.h"

#include <utility>

#include "client/src/request.h"

namespace skua {

OpenTransaction::~OpenTransaction() {
  // A connection that is lost takes its transactions with it.
  if (channel_ == nullptr || !channel_->is_open()) return;
  const RequestOptions options = complete({});
  if (Result<Request> request = rollback_request(channel_->head(options, number_))) {
    channel_->send_and_forget(std::move(*request));
  }
}

bool OpenTransaction::roll_back_unheard(Channel::Watcher& watcher) {
  if (channel_ == nullptr || !channel_->is_open()) return false;
  const RequestOptions options = complete({});
  Result<Request> request = rollback_request(channel_->head(options, number_));
  if (!request) return false;
  const std::shared_ptr<Channel> channel = std::move(channel_);
  channel->send_and_forget(std::move(*request), watcher);
  return true;
}

Status OpenTransaction::check_open() const {
  if (channel_ == nullptr) return make_error(ErrorCode::kUsage, "the transaction has ended");
  return {};
}

RequestOptions OpenTransaction::complete(const RequestOptions& options) const {
  RequestOptions completed = options;
  if (completed.database.empty()) completed.database = database_;
  return completed;
}

Result<Operation> OpenTransaction::execute_many(std::string_view sql, const ParameterRows& rows, const RequestOptions& options) {
  SKUA_TRY(check_open());
  return execute_many_operation(*channel_, sql, rows, complete(options), number_);
}

Result<Operation> OpenTransaction::change_savepoint(std::string_view name, SavepointAction action) {
  SKUA_TRY(check_open());
  return savepoint_operation(*channel_, complete({}), number_, name, action);
}

Result<Operation> OpenTransaction::commit(const RequestOptions& options) {
  SKUA_TRY(check_open());
  return commit_operation(*channel_, complete(options), number_);
}

Result<Operation> OpenTransaction::rollback() {
  SKUA_TRY(check_open());
  return rollback_operation(*channel_, complete({}), number_);
}

void release_failed_begin(const std::shared_ptr<Channel>& channel, const RequestOptions& options, const Error& error,
                          std::span<const std::uint32_t> numbers) {
  if (error.transaction != TransactionState::kAborted) return;
  for (const std::uint32_t number : numbers) OpenTransaction(channel, number, options.database);
}

}  // namespace skua
