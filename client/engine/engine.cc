#include "skua/engine.h"

#include <fmt/format.h>

#include <utility>

#include "client/engine/answer.h"
#include "client/engine/async_state.h"
#include "client/engine/attempts.h"
#include "client/engine/control_sql.h"
#include "client/engine/engine_state.h"
#include "client/src/operation.h"
#include "client/src/request.h"

namespace skua {

// A place on a connection, as `slot`.
#define SKUA_CO_TAKE_SLOT(slot, attempts, ...)                                                \
  Result<Slot> slot##_result = co_await state_->pool.slot((attempts).wish(__VA_ARGS__));       \
  if (!slot##_result) co_return (attempts).final_error(std::move(slot##_result).error());      \
  Slot slot = std::move(*slot##_result)

// One more attempt at it, if there is one.
#define SKUA_CO_REPEAT_AFTER(attempts, failed)                                                \
  if (const auto pause_ms = (attempts).pause_after(failed); !pause_ms) {                       \
    co_return attempts.final_error(failed);                                                    \
  } else if (*pause_ms > 0) {                                                                  \
    if (Status slept = co_await Sleep(state_->loop, *pause_ms); !slept) {                      \
      co_return attempts.final_error(std::move(slept).error());                                \
    }                                                                                          \
  }

Engine::Engine(EngineOptions options) : state_(std::make_unique<State>(std::move(options))) {}
Engine::~Engine() = default;

EngineCounters Engine::counters() const { return state_->pool.counters(); }

Task<Status> Engine::connect() {
  Attempts attempts(state_->options, {});
  SKUA_CO_TRY(co_await state_->pool.slot(attempts.wish()));
  co_return Status();
}

Task<Result<ResultSet>> Engine::execute(std::string sql, Parameters parameters, RequestOptions options) {
  SKUA_CO_TRY(check_shared_sql(sql));
  Attempts attempts(state_->options, std::move(options));
  while (true) {
    SKUA_CO_TAKE_SLOT(slot, attempts);
    auto rows = RowStream::State::start(slot.link().channel(), Execution::Kind::kExecute, sql, parameters, attempts.next(), 0);
    if (!rows) co_return std::move(rows).error();
    RowStream::State& state = **rows;
    state_->pool.count_request(attempts.is_again());
    Result<ResultSet> result =
        co_await Answer(state_->loop, state.channel(), state.id(), [&state] { return state.try_collect(); });
    if (result) co_return result;
    SKUA_CO_REPEAT_AFTER(attempts, std::move(result).error())
  }
}

Task<Result<AsyncRowStream>> Engine::stream(std::string sql, Parameters parameters, RequestOptions options) {
  SKUA_CO_TRY(check_shared_sql(sql));
  Attempts attempts(state_->options, std::move(options));
  while (true) {
    SKUA_CO_TAKE_SLOT(slot, attempts);
    auto rows = RowStream::State::start(slot.link().channel(), Execution::Kind::kStream, sql, parameters, attempts.next(), 0);
    if (!rows) co_return std::move(rows).error();
    RowStream::State& state = **rows;
    state_->pool.count_request(attempts.is_again());
    Status opened = co_await Answer(state_->loop, state.channel(), state.id(), [&state] { return state.try_open(); });
    if (opened) {
      co_return AsyncRowStream(std::make_unique<AsyncRowStream::State>(state_->loop, std::move(slot), std::move(*rows)));
    }
    SKUA_CO_REPEAT_AFTER(attempts, std::move(opened).error())
  }
}

template <class Body, class Prepare>
Task<Result<Body>> Engine::attempt(RequestOptions options, Prepare prepare) {
  Attempts attempts(state_->options, std::move(options));
  while (true) {
    SKUA_CO_TAKE_SLOT(slot, attempts);
    std::shared_ptr<Channel> channel = slot.link().channel();
    SKUA_CO_ASSIGN(Operation operation, prepare(*channel, attempts.next()));
    state_->pool.count_request(attempts.is_again());
    Result<Body> body = co_await call<Body>(state_->loop, std::move(channel), std::move(operation));
    if (body) co_return body;
    SKUA_CO_REPEAT_AFTER(attempts, std::move(body).error())
  }
}

Task<Result<Summary>> Engine::execute_many(std::string sql, ParameterRows rows, RequestOptions options) {
  SKUA_CO_TRY(check_shared_sql(sql));
  co_return co_await attempt<Summary>(std::move(options), [&](Channel& channel, const RequestOptions& next) {
    return execute_many_operation(channel, sql, rows, next, 0);
  });
}

Task<Result<ProgramResult>> Engine::run(Program program, RequestOptions options) {
  for (const Program::Step& step : program.steps) SKUA_CO_TRY(check_shared_sql(step.sql));
  co_return co_await attempt<ProgramResult>(std::move(options), [&](Channel& channel, const RequestOptions& next) {
    return program_operation(channel, program, next);
  });
}

Task<Result<Description>> Engine::describe(std::string sql, RequestOptions options) {
  co_return co_await attempt<Description>(std::move(options), [&](Channel& channel, const RequestOptions& next) -> Result<Operation> {
    SKUA_ASSIGN(Request request, describe_request(channel.head(next), sql));
    return Operation{std::move(request)};
  });
}

Task<Result<std::vector<DatabaseLock>>> Engine::locks(RequestOptions options) {
  co_return co_await attempt<std::vector<DatabaseLock>>(
      std::move(options), [](Channel& channel, const RequestOptions& next) -> Result<Operation> {
        SKUA_ASSIGN(Request request, locks_request(channel.head(next)));
        return Operation{std::move(request)};
      });
}

Task<Status> Engine::ping(RequestOptions options) {
  const auto pinged = co_await attempt<Summary>(
      std::move(options), [](Channel& channel, const RequestOptions& next) -> Result<Operation> {
        SKUA_ASSIGN(Request request, ping_request(channel.head(next)));
        return Operation{std::move(request)};
      });
  if (!pinged) co_return pinged.error();
  co_return Status();
}

Task<Result<ResultSet>> Engine::stats(RequestOptions options) {
  Attempts attempts(state_->options, std::move(options));
  while (true) {
    SKUA_CO_TAKE_SLOT(slot, attempts);
    const std::shared_ptr<Channel> channel = slot.link().channel();
    const RequestOptions& next = attempts.next();
    SKUA_CO_ASSIGN(Request request, stats_request(channel->head(next)));
    SKUA_CO_ASSIGN(const std::uint64_t id, channel->start(std::move(request)));
    RowStream::State rows(channel, id, next.window_bytes);
    state_->pool.count_request(attempts.is_again());
    Result<ResultSet> result = co_await Answer(state_->loop, *channel, id, [&rows] { return rows.try_collect(); });
    if (result) co_return result;
    SKUA_CO_REPEAT_AFTER(attempts, std::move(result).error())
  }
}

Task<Result<AsyncTransaction>> Engine::begin(TransactionMode mode, RequestOptions options) {
  Attempts attempts(state_->options, std::move(options));
  while (true) {
    SKUA_CO_TAKE_SLOT(slot, attempts, Slot::Kind::kTransaction);
    const std::shared_ptr<Channel> channel = slot.link().channel();
    std::uint32_t number = 0;
    const RequestOptions& next = attempts.next();
    SKUA_CO_ASSIGN(Operation operation, begin_operation(*channel, mode, next, number));
    // Rolls back if this coroutine is destroyed before the answer is here.
    auto state = std::make_unique<AsyncTransaction::State>(state_->loop, state_->pool, std::move(slot), channel, number, next.database);
    state_->pool.count_request(attempts.is_again());
    Result<Summary> begun = co_await call<Summary>(state_->loop, channel, std::move(operation));
    if (begun) co_return AsyncTransaction(std::move(state));
    if (begun.error().transaction != TransactionState::kAborted) state->open.end();
    SKUA_CO_REPEAT_AFTER(attempts, std::move(begun).error())
  }
}

Task<Result<std::vector<AsyncTransaction>>> Engine::begin_group(std::size_t count, RequestOptions options) {
  if (count == 0) co_return make_error(ErrorCode::kUsage, "a group has one transaction at least");
  Attempts attempts(state_->options, std::move(options));
  while (true) {
    SKUA_CO_TAKE_SLOT(slot, attempts, Slot::Kind::kTransaction, static_cast<std::uint32_t>(count));
    const std::shared_ptr<Channel> channel = slot.link().channel();
    const RequestOptions& next = attempts.next();
    std::vector<std::uint32_t> numbers(count);
    SKUA_CO_ASSIGN(Operation operation, begin_group_operation(*channel, next, numbers));
    std::vector<std::unique_ptr<AsyncTransaction::State>> states;
    for (std::size_t i = 0; i < count; ++i) {
      states.push_back(std::make_unique<AsyncTransaction::State>(state_->loop, state_->pool, i + 1 < count ? slot.split() : std::move(slot),
                                                                 channel, numbers[i], next.database));
    }
    state_->pool.count_request(attempts.is_again());
    Result<Summary> begun = co_await call<Summary>(state_->loop, channel, std::move(operation));
    if (begun) {
      std::vector<AsyncTransaction> group;
      for (auto& state : states) group.emplace_back(std::move(state));
      co_return group;
    }
    if (begun.error().transaction != TransactionState::kAborted) {
      for (auto& state : states) state->open.end();
    }
    SKUA_CO_REPEAT_AFTER(attempts, std::move(begun).error())
  }
}

#undef SKUA_CO_REPEAT_AFTER
#undef SKUA_CO_TAKE_SLOT

Task<Status> Engine::sleep(std::uint32_t milliseconds) { co_return co_await Sleep(state_->loop, milliseconds); }

void Engine::run_loop_until(const bool& is_done) { state_->loop.run_until(is_done); }
void Engine::stop_loop() { state_->loop.stop(); }

Error Engine::deadline_error(std::uint32_t milliseconds) {
  return make_error(ErrorCode::kDeadline, fmt::format("the task did not end within {} ms", milliseconds));
}

class Engine::Alarm::Timer {
 public:
  Timer(Loop& loop, std::function<void()> ring) : timer(loop, std::move(ring)) {}
  skua::Timer timer;
};

Engine::Alarm::Alarm(State& state, std::uint32_t milliseconds, std::function<void()> ring)
    : timer_(std::make_unique<Timer>(state.loop, std::move(ring))) {
  timer_->timer.start(milliseconds, true);
}
Engine::Alarm::~Alarm() = default;

}  // namespace skua
