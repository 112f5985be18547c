// AsyncTransaction: several statements that take effect together, for coroutines. Its destructor rolls back what was not
// committed.
//
//   SKUA_CO_ASSIGN(skua::AsyncTransaction transaction, co_await engine.begin());
//   SKUA_CO_TRY(co_await transaction.execute("UPDATE ..."));
//   co_return co_await transaction.commit();
//
// After a failed statement the transaction goes on, as in SQLite, unless the error says ends_transaction(): then everything but
// rollback() is refused. Requests of one transaction are done in the order in which they were awaited; tasks may share one.
// If its connection is lost, the transaction is gone: kLost, or kInDoubt for a commit whose answer did not come, which may have
// happened. Nothing of a transaction is ever sent a second time. It must not outlive its engine.
// Belongs to the thread of the engine's loop.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "skua/async_row_stream.h"
#include "skua/options.h"
#include "skua/parameters.h"
#include "skua/async_queries.h"
#include "skua/result_set.h"
#include "skua/task.h"

namespace skua {

enum class SavepointAction : std::uint16_t;

class AsyncTransaction : public AsyncQueries<AsyncTransaction> {
 public:
  AsyncTransaction(AsyncTransaction&&) noexcept;
  AsyncTransaction& operator=(AsyncTransaction&&) noexcept;
  ~AsyncTransaction();

  // Exactly one statement, all of its rows.
  Task<Result<ResultSet>> execute(std::string sql, Parameters parameters = {}, RequestOptions options = {});
  // Exactly one statement, its rows as they come.
  Task<Result<AsyncRowStream>> stream(std::string sql, Parameters parameters = {}, RequestOptions options = {});
  // One statement for each row of parameters; after an error none of them has taken effect.
  Task<Result<Summary>> execute_many(std::string sql, ParameterRows rows, RequestOptions options = {});

  // A savepoint of that name, at most 256 bytes; 64 in a transaction. release() keeps what came after it and forgets it,
  // rollback_to() undoes what came after it and keeps it.
  Task<Status> savepoint(std::string name);
  Task<Status> release(std::string name);
  Task<Status> rollback_to(std::string name);

  // As durable as begin() was asked for.
  Task<Status> commit(RequestOptions options = {});
  // Undoes all of it. Also for a transaction that the daemon has rolled back.
  Task<Status> rollback();

  // True until commit() or rollback() succeeded.
  bool is_open() const;

  // For the library's own use.
  class State;
  explicit AsyncTransaction(std::unique_ptr<State> state);

 private:
  Status check_open() const;
  Task<Status> change_savepoint(std::string name, SavepointAction action);
  void end();

  std::unique_ptr<State> state_;
};

}  // namespace skua
