#include "skua/transaction.h"

#include <utility>

#include "client/src/channel.h"
#include "client/src/open_transaction.h"
#include "client/src/operation.h"
#include "client/src/row_stream_state.h"

namespace skua {

Transaction::Transaction(std::unique_ptr<OpenTransaction> open) : open_(std::move(open)) {}
Transaction::Transaction(Transaction&&) noexcept = default;
Transaction& Transaction::operator=(Transaction&&) noexcept = default;
Transaction::~Transaction() = default;

bool Transaction::is_open() const { return open_ != nullptr && open_->is_open(); }
std::uint32_t Transaction::number() const { return open_ == nullptr ? 0 : open_->number(); }

Status Transaction::check_open() const {
  if (open_ == nullptr) return make_error(ErrorCode::kUsage, "the transaction was moved from");
  return open_->check_open();
}

Result<ResultSet> Transaction::execute(std::string_view sql, const Parameters& parameters,
                                       const RequestOptions& options) {
  SKUA_TRY(check_open());
  return execute_statement(open_->channel(), sql, parameters, open_->complete(options), open_->number());
}

Result<RowStream> Transaction::stream(std::string_view sql, const Parameters& parameters,
                                      const RequestOptions& options) {
  SKUA_TRY(check_open());
  return stream_statement(open_->channel(), sql, parameters, open_->complete(options), open_->number());
}

Result<Summary> Transaction::execute_many(std::string_view sql, const ParameterRows& rows,
                                          const RequestOptions& options) {
  SKUA_TRY(check_open());
  SKUA_ASSIGN(Operation operation, open_->execute_many(sql, rows, options));
  return perform<Summary>(*open_->channel(), std::move(operation));
}

Status Transaction::change_savepoint(std::string_view name, SavepointAction action) {
  SKUA_TRY(check_open());
  SKUA_ASSIGN(Operation operation, open_->change_savepoint(name, action));
  SKUA_TRY(perform<Summary>(*open_->channel(), std::move(operation)));
  return {};
}

Status Transaction::savepoint(std::string_view name) { return change_savepoint(name, SavepointAction::kSet); }
Status Transaction::release(std::string_view name) { return change_savepoint(name, SavepointAction::kRelease); }
Status Transaction::rollback_to(std::string_view name) {
  return change_savepoint(name, SavepointAction::kRollbackTo);
}

Status Transaction::commit(const RequestOptions& options) {
  SKUA_TRY(check_open());
  SKUA_ASSIGN(Operation operation, open_->commit(options));
  SKUA_TRY(perform<Summary>(*open_->channel(), std::move(operation)));
  open_->end();
  return {};
}

Status Transaction::rollback() {
  SKUA_TRY(check_open());
  SKUA_ASSIGN(Operation operation, open_->rollback());
  SKUA_TRY(perform<Summary>(*open_->channel(), std::move(operation)));
  open_->end();
  return {};
}

}  // namespace skua
