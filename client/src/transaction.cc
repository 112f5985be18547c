#include "skua/transaction.h"

#include <utility>

#include "client/src/channel.h"
#include "client/src/request.h"
#include "client/src/row_stream_state.h"

namespace skua {

namespace {

Error not_open() { return make_error(ErrorCode::kUsage, "the transaction has ended"); }

void rollback_unheard(Channel& channel, const RequestOptions& options, std::uint32_t number) {
  // A connection that is lost takes its transactions with it.
  if (!channel.is_open()) return;
  if (Result<Request> request = rollback_request(channel.head(options, number))) {
    channel.send_and_forget(std::move(*request));
  }
}

}  // namespace

Transaction::Transaction(std::shared_ptr<Channel> channel, std::uint32_t number, std::string database)
    : channel_(std::move(channel)), number_(number), database_(std::move(database)) {}

Transaction::Transaction(Transaction&&) noexcept = default;

Transaction& Transaction::operator=(Transaction&& other) noexcept {
  if (this == &other) return *this;
  if (channel_ != nullptr) rollback_unheard(*channel_, in_database({}), number_);
  channel_ = std::move(other.channel_);
  number_ = other.number_;
  database_ = std::move(other.database_);
  return *this;
}

Transaction::~Transaction() {
  if (channel_ != nullptr) rollback_unheard(*channel_, in_database({}), number_);
}

RequestOptions Transaction::in_database(const RequestOptions& options) const {
  RequestOptions complete = options;
  if (complete.database.empty()) complete.database = database_;
  return complete;
}

Result<ResultSet> Transaction::execute(std::string_view sql, const Parameters& parameters,
                                       const RequestOptions& options) {
  if (channel_ == nullptr) return not_open();
  return execute_statement(channel_, sql, parameters, in_database(options), number_);
}

Result<RowStream> Transaction::stream(std::string_view sql, const Parameters& parameters,
                                      const RequestOptions& options) {
  if (channel_ == nullptr) return not_open();
  return stream_statement(channel_, sql, parameters, in_database(options), number_);
}

Result<Summary> Transaction::execute_many(std::string_view sql, const ParameterRows& rows,
                                          const RequestOptions& options) {
  if (channel_ == nullptr) return not_open();
  const RequestOptions complete = in_database(options);
  SKUA_ASSIGN(Request request,
              execute_many_request(channel_->head(complete, number_), sql, rows, complete.durability, complete.independent));
  return channel_->call<Summary>(std::move(request));
}

Status Transaction::change_savepoint(std::string_view name, SavepointAction action) {
  if (channel_ == nullptr) return not_open();
  const RequestOptions complete = in_database({});
  SKUA_ASSIGN(Request request, savepoint_request(channel_->head(complete, number_), name, action));
  SKUA_TRY(channel_->call<Summary>(std::move(request)));
  return {};
}

Status Transaction::savepoint(std::string_view name) { return change_savepoint(name, SavepointAction::kSet); }
Status Transaction::release(std::string_view name) { return change_savepoint(name, SavepointAction::kRelease); }
Status Transaction::rollback_to(std::string_view name) {
  return change_savepoint(name, SavepointAction::kRollbackTo);
}

Status Transaction::commit(const RequestOptions& options) {
  if (channel_ == nullptr) return not_open();
  const RequestOptions complete = in_database(options);
  SKUA_ASSIGN(Request request, commit_request(channel_->head(complete, number_)));
  SKUA_TRY(channel_->call<Summary>(std::move(request)));
  channel_.reset();
  return {};
}

Status Transaction::rollback() {
  if (channel_ == nullptr) return not_open();
  const RequestOptions complete = in_database({});
  SKUA_ASSIGN(Request request, rollback_request(channel_->head(complete, number_)));
  SKUA_TRY(channel_->call<Summary>(std::move(request)));
  channel_.reset();
  return {};
}

}  // namespace skua
