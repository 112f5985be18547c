// The engine on a libuv loop of the caller.
#include <uv.h>

#include <string>

#include "tests/engine_client/co_test.h"
#include "tests/engine_client/engine_world.h"

using namespace skua;
using namespace skua::test;

CoTest(engine_loop, of_the_caller_ends_when_nothing_is_to_do) {
  RealDaemon daemon;
  uv_loop_t loop;
  uv_loop_init(&loop);
  {
    EngineOptions options = options_for(daemon);
    options.loop = &loop;
    Engine engine(options);
    int done = 0;
    for (int i = 0; i < 10; ++i) {
      engine
          .start(engine.scalar<std::int64_t>("SELECT 7"),
                 [&](Result<std::int64_t> value) {
                   must(value);
                   ++done;
                 })
          .detach();
    }
    cr_assert_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    cr_assert_eq(done, 10);
    // Also the second time, when the connection is there.
    engine.start(engine.ping(), [&](Status status) { done += status.has_value(); }).detach();
    cr_assert_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    cr_assert_eq(done, 11);
    cr_assert(must(engine.run_task(engine.scalar<std::int64_t>("SELECT 8"))) == 8);
  }
  uv_run(&loop, UV_RUN_DEFAULT);
  cr_assert_eq(uv_loop_close(&loop), 0, "the engine left a handle");
}

CoTest(engine_loop, serves_what_the_caller_has_on_it) {
  RealDaemon daemon;
  uv_loop_t loop;
  uv_loop_init(&loop);
  int ticks = 0;
  uv_timer_t timer;
  uv_timer_init(&loop, &timer);
  timer.data = &ticks;
  uv_timer_start(
      &timer, [](uv_timer_t* handle) { ++*static_cast<int*>(handle->data); }, 1, 1);
  {
    EngineOptions options = options_for(daemon);
    options.loop = &loop;
    Engine engine(options);
    const auto rows = engine.run_task([](Engine& its) -> Task<Result<std::int64_t>> {
      SKUA_CO_ASSIGN(AsyncRowStream stream, co_await its.stream(kMillion));
      std::int64_t n = 0;
      while (true) {
        SKUA_CO_ASSIGN(const Batch batch, co_await stream.next_batch());
        if (batch.row_count() == 0) break;
        n += static_cast<std::int64_t>(batch.row_count());
      }
      SKUA_CO_TRY(co_await its.sleep(20));
      co_return n;
    }(engine));
    cr_assert_eq(must(rows), 1'000'000);
  }
  cr_assert_gt(ticks, 5);
  uv_close(reinterpret_cast<uv_handle_t*>(&timer), nullptr);
  uv_run(&loop, UV_RUN_DEFAULT);
  cr_assert_eq(uv_loop_close(&loop), 0);
}

CoTest(engine_loop, an_engine_that_was_never_used_leaves_nothing) {
  uv_loop_t loop;
  uv_loop_init(&loop);
  {
    EngineOptions options;
    options.loop = &loop;
    const Engine engine(options);
  }
  uv_run(&loop, UV_RUN_DEFAULT);
  cr_assert_eq(uv_loop_close(&loop), 0);
}

CoTest(engine_loop, a_task_that_never_waits_leaves_the_loop_as_it_was) {
  {
    Engine engine;
    cr_assert_eq(engine.run_task([]() -> Task<int> { co_return 7; }()), 7);
  }
  uv_loop_t loop;
  uv_loop_init(&loop);
  int ticks = 0;
  uv_timer_t timer;
  uv_timer_init(&loop, &timer);
  timer.data = &ticks;
  uv_timer_start(
      &timer, [](uv_timer_t* handle) { ++*static_cast<int*>(handle->data); }, 1, 0);
  {
    EngineOptions options;
    options.loop = &loop;
    Engine engine(options);
    cr_assert_eq(engine.run_task([]() -> Task<int> { co_return 8; }()), 8);
    uv_run(&loop, UV_RUN_DEFAULT);
    cr_assert_eq(ticks, 1, "the loop was stopped for nothing");
  }
  uv_close(reinterpret_cast<uv_handle_t*>(&timer), nullptr);
  uv_run(&loop, UV_RUN_DEFAULT);
  cr_assert_eq(uv_loop_close(&loop), 0);
}
