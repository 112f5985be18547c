// Engine: the way of coroutines to a daemon: a few connections that any number of tasks share.
//
//   skua::Task<skua::Status> greet(skua::Engine& engine) {
//     SKUA_CO_ASSIGN(const auto name, co_await engine.scalar<std::string>("SELECT name FROM customer WHERE id = ?",
//                                                                         skua::Parameters::of(1)));
//     std::puts(name.c_str());
//     co_return {};
//   }
//
//   skua::Engine engine;                            // $SKUA_SOCKET; connects when it is first used
//   const skua::Status status = engine.run_task(greet(engine));
//
// Runs on a libuv loop of the caller, or on one of its own. One thread: that of the loop. Tasks, streams and transactions
// must not outlive the engine. No function throws.
//
// A connection that is lost is opened again, with growing pauses, and requests wait for it. Of what was under way, outside of
// transactions, that is sent again which cannot have happened or does no harm twice: what was not sent whole, statements that
// only read (SELECT, VALUES, EXPLAIN) as long as no row of them was handed out, and requests with an idempotency key; for as
// long as their deadline allows, or `wait_ms_max` where there is none. All else fails, with kLost or, if it may have been
// committed, kInDoubt.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "skua/async_row_stream.h"
#include "skua/async_transaction.h"
#include "skua/connection.h"
#include "skua/options.h"
#include "skua/parameters.h"
#include "skua/program.h"
#include "skua/async_queries.h"
#include "skua/result_set.h"
#include "skua/started_task.h"
#include "skua/task.h"
#include "skua/task_group.h"

struct uv_loop_s;

namespace skua {

// What a program may say about an engine. Times are in milliseconds.
struct EngineOptions {
  // As for a blocking connection. connect_timeout_ms is that of one attempt.
  ConnectOptions connect{};
  // A uv_loop_t; must outlive the engine. Null: the engine has its own, which run_task() runs.
  uv_loop_s* loop = nullptr;
  // Sockets, at least 1. Requests of one connection run concurrently; a second one serves while the first is full, and gets a
  // second share where the daemon divides its time between sessions.
  std::uint32_t connections = 2;
  // Of one connection: requests under way, and transactions. More wait for their turn.
  std::uint32_t requests_max = 4'096;
  std::uint32_t transactions_max = 64;
  // How long a request waits for a connection, and for its turn; then it fails with kConnect or kLimit.
  std::uint32_t wait_ms_max = 5'000;
  // The pauses between attempts to connect grow from the first to the second of these, and vary by a quarter.
  std::uint32_t reconnect_ms_min = 10;
  std::uint32_t reconnect_ms_max = 1'000;
  // A connection on which nothing came for so long is asked for a sign of life, and given up if there is none for as long
  // again. 0: never.
  std::uint32_t liveness_ms = 15'000;
  // For requests that name no deadline. 0: none.
  std::uint32_t deadline_ms = 0;
};

// What an engine has done so far, and what it has to do.
struct EngineCounters {
  std::uint64_t requests = 0;      // sent
  std::uint64_t resent = 0;        // of those: sent again after a lost connection
  std::uint64_t connects = 0;      // connections opened
  std::uint64_t lost = 0;          // and lost
  std::size_t under_way = 0;       // requests now
  std::size_t waiting = 0;         // tasks that wait for a connection or their turn now
  std::size_t open_connections = 0;  // now
};

class Engine : public AsyncQueries<Engine> {
 public:
  explicit Engine(EngineOptions options = {});
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  // Ends its connections. Tasks that still wait for something of it must be gone.
  ~Engine();

  // Waits until there is a connection: to find out early. kConnect, kVersion, kAccess as Connection::connect().
  Task<Status> connect();

  // Exactly one statement, all of its rows.
  Task<Result<ResultSet>> execute(std::string sql, Parameters parameters = {}, RequestOptions options = {});
  // Exactly one statement, its rows as they come, row by row, in batches or in partitions.
  Task<Result<AsyncRowStream>> stream(std::string sql, Parameters parameters = {}, RequestOptions options = {});
  // One statement for each row of parameters, all in one transaction, unless options.independent.
  Task<Result<Summary>> execute_many(std::string sql, ParameterRows rows, RequestOptions options = {});
  // Several statements in one round trip.
  Task<Result<ProgramResult>> run(Program program, RequestOptions options = {});
  // kWrite waits for its turn at the writer, kRead takes a snapshot.
  Task<Result<AsyncTransaction>> begin(TransactionMode mode = TransactionMode::kWrite, RequestOptions options = {});
  // That many read transactions that see exactly the same state of the database: all or none.
  Task<Result<std::vector<AsyncTransaction>>> begin_group(std::size_t count, RequestOptions options = {});
  // The statement is prepared, not executed.
  Task<Result<Description>> describe(std::string sql, RequestOptions options = {});
  // The daemon's counters: rows of (name, value).
  Task<Result<ResultSet>> stats(RequestOptions options = {});
  // Who has the writer of each database, and who waits for it, as Connection::locks().
  Task<Result<std::vector<DatabaseLock>>> locks(RequestOptions options = {});
  // A round trip without SQL.
  Task<Status> ping(RequestOptions options = {});

  // Runs body(transaction), a Task<Result<T>>, and commits if it succeeds; rolls back and passes the error on if it fails.
  template <class Body>
  std::invoke_result_t<Body&, AsyncTransaction&> in_transaction(Body body, TransactionMode mode = TransactionMode::kWrite,
                                                                RequestOptions options = {});
  // Runs body(transaction, item), a Task<Result<T>>, for all items at once in a task group, each in a read transaction of its
  // own, all on one state of the database. The results are in the order of the items.
  template <class Item, class Body>
  auto on_one_snapshot(std::vector<Item> items, Body body, RequestOptions options = {})
      -> Task<Result<std::vector<typename std::invoke_result_t<Body&, AsyncTransaction&, Item&>::value_type::value_type>>>;

  // Fails only if the task is asked to end.
  Task<Status> sleep(std::uint32_t milliseconds);
  // Asks the task to end when the time has passed, which is then kDeadline.
  template <class T>
  Task<Result<T>> with_deadline(std::uint32_t milliseconds, Task<Result<T>> task);

  // Starts a task from code that is not a coroutine. Destroying what is returned drops the task.
  template <class T, class Done>
  StartedTask start(Task<T> task, Done done) {
    return StartedTask::start(std::move(task), std::move(done));
  }
  // Runs the loop until the task has ended. Not from within the loop.
  template <class T>
  T run_task(Task<T> task);

  // At this moment.
  EngineCounters counters() const;

  // For the library's own use.
  class State;

 private:
  // Calls `ring` on the loop after that time, once, unless it is destroyed before.
  class Alarm {
   public:
    Alarm(State& state, std::uint32_t milliseconds, std::function<void()> ring);
    Alarm(const Alarm&) = delete;
    Alarm& operator=(const Alarm&) = delete;
    ~Alarm();

   private:
    class Timer;
    std::unique_ptr<Timer> timer_;
  };

  // A request that has one response, made by prepare(channel, options) for each attempt.
  template <class Body, class Prepare>
  Task<Result<Body>> attempt(RequestOptions options, Prepare prepare);

  void run_loop_until(const bool& is_done);
  void stop_loop();
  static Error deadline_error(std::uint32_t milliseconds);

  std::unique_ptr<State> state_;
};

template <class Body>
std::invoke_result_t<Body&, AsyncTransaction&> Engine::in_transaction(Body body, TransactionMode mode, RequestOptions options) {
  SKUA_CO_ASSIGN(AsyncTransaction transaction, co_await begin(mode, std::move(options)));
  auto result = co_await body(transaction);
  if (!result) {
    // Its own error matters more than that of the rollback, which the destructor says again if need be.
    if (transaction.is_open()) static_cast<void>(co_await transaction.rollback());
    co_return result;
  }
  if (transaction.is_open()) SKUA_CO_TRY(co_await transaction.commit());
  co_return result;
}

template <class Item, class Body>
auto Engine::on_one_snapshot(std::vector<Item> items, Body body, RequestOptions options)
    -> Task<Result<std::vector<typename std::invoke_result_t<Body&, AsyncTransaction&, Item&>::value_type::value_type>>> {
  using T = typename std::invoke_result_t<Body&, AsyncTransaction&, Item&>::value_type::value_type;
  static_assert(!std::is_void_v<T>, "the body of on_one_snapshot() must give a value: a Task<Result<T>>, not a Task<Status>");
  std::vector<T> values;
  if (items.empty()) co_return values;
  SKUA_CO_ASSIGN(std::vector<AsyncTransaction> transactions, co_await begin_group(items.size(), std::move(options)));
  TaskGroup group;
  std::vector<TaskGroup::Spawned<T>> spawned;
  for (std::size_t i = 0; i < items.size(); ++i) spawned.push_back(group.spawn(body(transactions[i], items[i])));
  SKUA_CO_TRY(co_await group.join());
  for (auto& task : spawned) values.push_back(std::move(task.value()));
  co_return values;
}

template <class T>
Task<Result<T>> Engine::with_deadline(std::uint32_t milliseconds, Task<Result<T>> task) {
  TaskGroup group;
  auto spawned = group.spawn(std::move(task));
  Alarm alarm(*state_, milliseconds, [&group, milliseconds] { group.cancel(deadline_error(milliseconds)); });
  // What the task itself says counts: it may have come to its end all the same.
  static_cast<void>(co_await group.join());
  co_return std::move(spawned.result());
}

template <class T>
T Engine::run_task(Task<T> task) {
  std::optional<T> value;
  bool is_done = false;
  const StartedTask started = start(std::move(task), [&](T ended) {
    value.emplace(std::move(ended));
    is_done = true;
    stop_loop();
  });
  run_loop_until(is_done);
  return std::move(*value);
}

}  // namespace skua
