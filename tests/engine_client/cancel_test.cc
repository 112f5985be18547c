// Tasks that are dropped, asked to end, or too late.
#include <chrono>
#include <string>

#include "tests/engine_client/co_test.h"
#include "tests/engine_client/engine_world.h"

using namespace skua;
using namespace skua::test;

namespace {

void wait_until_nothing_runs(Engine& engine, Connection& connection) {
  for (int i = 0; i < 500; ++i) {
    if (stat(connection, "reader_connections_leased") == 0 && stat(connection, "transactions_open") == 0 &&
        stat(connection, "writers_busy") == 0) {
      return;
    }
    must(engine.run_task(engine.sleep(10)));
  }
  throw Failure("the daemon still runs what was cancelled");
}

}  // namespace

CoTest(engine_cancel, deadline_of_a_request_ends_it_in_the_daemon) {
  EngineWorld world;
  const auto late = world.engine.run_task(world.engine.execute(kForever, {}, RequestOptions().with_deadline_ms(30)));
  cr_assert(!late && late.error().code == ErrorCode::kDeadline);
}

CoTest(engine_cancel, deadline_of_a_task_covers_all_it_does) {
  EngineWorld world;
  Engine& engine = world.engine;
  const auto work = [&]() -> Task<Status> {
    while (true) SKUA_CO_TRY(co_await engine.execute("SELECT 1"));
  };
  const auto started = std::chrono::steady_clock::now();
  const Status late = engine.run_task(engine.with_deadline(50, work()));
  cr_assert(!late && late.error().code == ErrorCode::kDeadline);
  cr_assert(std::chrono::steady_clock::now() - started >= std::chrono::milliseconds(50));
  const auto quick = engine.run_task(engine.with_deadline(10'000, engine.scalar<std::int64_t>("SELECT 1")));
  cr_assert(quick.has_value());
}

CoTest(engine_cancel, failing_sibling_stops_a_query_in_the_daemon) {
  EngineWorld world;
  Engine& engine = world.engine;
  Connection connection = look(world.daemon);
  world.run([&]() -> Task<Status> {
    TaskGroup group;
    auto endless = group.spawn(engine.scalar<std::int64_t>(kForever));
    SKUA_CO_TRY(co_await engine.sleep(20));
    group.spawn(engine.scalar<std::int64_t>("SELECT nothing"));
    const Status joined = co_await group.join();
    CO_REQUIRE(!joined && joined.error().code == ErrorCode::kSql);
    CO_REQUIRE(endless.result().error().code == ErrorCode::kCancelled);
    co_return Status();
  });
  wait_until_nothing_runs(engine, connection);
  cr_assert_geq(stat(connection, "requests_cancelled"), 1);
}

CoTest(engine_cancel, cancelled_transaction_is_rolled_back) {
  EngineWorld world;
  Engine& engine = world.engine;
  Connection connection = look(world.daemon);
  const auto work = [&]() -> Task<Status> {
    co_return co_await engine.in_transaction([&](AsyncTransaction& transaction) -> Task<Status> {
      SKUA_CO_TRY(co_await transaction.execute("DELETE FROM item"));
      SKUA_CO_TRY(co_await transaction.execute(kForever));
      co_return Status();
    });
  };
  const Status late = engine.run_task(engine.with_deadline(50, work()));
  cr_assert(!late && late.error().code == ErrorCode::kDeadline);
  wait_until_nothing_runs(engine, connection);
  cr_assert_eq(must(connection.scalar<std::int64_t>("SELECT count(*) FROM item")), 3);
}

CoTest(engine_cancel, dropped_begin_that_waits_leaves_no_transaction) {
  EngineWorld world;
  Engine& engine = world.engine;
  Connection connection = look(world.daemon);
  Transaction holder = must(connection.begin());
  {
    const StartedTask waiting = engine.start(engine.begin(), [](Result<AsyncTransaction>) {});
    must(engine.run_task(engine.sleep(20)));
    cr_assert(!waiting.is_done());
  }
  must(holder.rollback());
  must(engine.run_task(engine.ping()));
  wait_until_nothing_runs(engine, connection);
  cr_assert_eq(engine.counters().under_way, 0);
}

CoTest(engine_cancel, task_that_sleeps_hears_it) {
  EngineWorld world;
  Engine& engine = world.engine;
  Status slept;
  bool is_done = false;
  StartedTask sleeping = engine.start(engine.sleep(60'000), [&](Status status) {
    slept = status;
    is_done = true;
  });
  sleeping.cancel();
  must(engine.run_task(engine.ping()));
  cr_assert(is_done);
  cr_assert(!slept && slept.error().code == ErrorCode::kCancelled);
}
