#include "skua/async_transaction.h"

#include <utility>

#include "client/engine/answer.h"
#include "client/engine/async_state.h"
#include "client/engine/control_sql.h"

namespace skua {

namespace {

// Nothing is begun in a chain of tasks that was asked to end.
#define SKUA_CO_REFUSE_CANCELLED()                                                         \
  if (const TaskScope* scope = co_await CurrentScope(); scope != nullptr && scope->cancelled() != nullptr) \
  co_return *scope->cancelled()

}  // namespace

AsyncTransaction::AsyncTransaction(std::unique_ptr<State> state) : state_(std::move(state)) {}
AsyncTransaction::AsyncTransaction(AsyncTransaction&&) noexcept = default;
AsyncTransaction& AsyncTransaction::operator=(AsyncTransaction&&) noexcept = default;
AsyncTransaction::~AsyncTransaction() = default;

bool AsyncTransaction::is_open() const { return state_ != nullptr && state_->open.is_open(); }

Status AsyncTransaction::check_open() const {
  if (state_ == nullptr) return make_error(ErrorCode::kUsage, "the transaction was moved from");
  return state_->open.check_open();
}

Task<Result<ResultSet>> AsyncTransaction::execute(std::string sql, Parameters parameters, RequestOptions options) {
  SKUA_CO_REFUSE_CANCELLED();
  SKUA_CO_TRY(check_open());
  SKUA_CO_TRY(check_transaction_sql(sql));
  const OpenTransaction& open = state_->open;
  SKUA_CO_ASSIGN(const auto rows, RowStream::State::start(open.channel(), Execution::Kind::kExecute, sql, parameters,
                                                          open.complete(options), open.number()));
  co_return co_await Answer(state_->loop, rows->channel(), rows->id(), [&rows] { return rows->try_collect(); });
}

Task<Result<AsyncRowStream>> AsyncTransaction::stream(std::string sql, Parameters parameters, RequestOptions options) {
  SKUA_CO_REFUSE_CANCELLED();
  SKUA_CO_TRY(check_open());
  SKUA_CO_TRY(check_transaction_sql(sql));
  const OpenTransaction& open = state_->open;
  SKUA_CO_ASSIGN(auto rows, RowStream::State::start(open.channel(), Execution::Kind::kStream, sql, parameters,
                                                    open.complete(options), open.number()));
  SKUA_CO_TRY(co_await Answer(state_->loop, rows->channel(), rows->id(), [&rows] { return rows->try_open(); }));
  co_return AsyncRowStream(std::make_unique<AsyncRowStream::State>(state_->loop, Slot(), std::move(rows)));
}

Task<Result<Summary>> AsyncTransaction::execute_many(std::string sql, ParameterRows rows, RequestOptions options) {
  SKUA_CO_REFUSE_CANCELLED();
  SKUA_CO_TRY(check_open());
  SKUA_CO_ASSIGN(Operation operation, state_->open.execute_many(sql, rows, options));
  co_return co_await call<Summary>(state_->loop, state_->open.channel(), std::move(operation));
}

Task<Status> AsyncTransaction::change_savepoint(std::string name, SavepointAction action) {
  SKUA_CO_REFUSE_CANCELLED();
  SKUA_CO_TRY(check_open());
  SKUA_CO_ASSIGN(Operation operation, state_->open.change_savepoint(name, action));
  SKUA_CO_TRY(co_await call<Summary>(state_->loop, state_->open.channel(), std::move(operation)));
  co_return Status();
}

Task<Status> AsyncTransaction::savepoint(std::string name) {
  return change_savepoint(std::move(name), SavepointAction::kSet);
}
Task<Status> AsyncTransaction::release(std::string name) {
  return change_savepoint(std::move(name), SavepointAction::kRelease);
}
Task<Status> AsyncTransaction::rollback_to(std::string name) {
  return change_savepoint(std::move(name), SavepointAction::kRollbackTo);
}

Task<Status> AsyncTransaction::commit(RequestOptions options) {
  SKUA_CO_REFUSE_CANCELLED();
  SKUA_CO_TRY(check_open());
  SKUA_CO_ASSIGN(Operation operation, state_->open.commit(options));
  SKUA_CO_TRY(co_await call<Summary>(state_->loop, state_->open.channel(), std::move(operation)));
  end();
  co_return Status();
}

Task<Status> AsyncTransaction::rollback() {
  SKUA_CO_TRY(check_open());
  // In a chain that was asked to end the destructor's way is the right one: nothing is waited for.
  if (const TaskScope* scope = co_await CurrentScope(); scope != nullptr && scope->cancelled() != nullptr) {
    state_.reset();
    co_return Status();
  }
  SKUA_CO_ASSIGN(Operation operation, state_->open.rollback());
  SKUA_CO_TRY(co_await call<Summary>(state_->loop, state_->open.channel(), std::move(operation)));
  end();
  co_return Status();
}

void AsyncTransaction::end() {
  state_->open.end();
  state_->slot = Slot();
}

#undef SKUA_CO_REFUSE_CANCELLED

}  // namespace skua
