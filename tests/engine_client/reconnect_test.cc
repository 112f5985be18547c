// A daemon that goes away and comes back.
#include <chrono>
#include <string>

#include "tests/engine_client/co_test.h"
#include "tests/engine_client/engine_world.h"

using namespace skua;
using namespace skua::test;

CoTest(engine_reconnect, reads_wait_for_a_daemon_that_starts_again) {
  EngineWorld world;
  Engine& engine = world.engine;
  must(engine.run_task(engine.ping()));
  for (const bool clean : {true, false}) {
    if (clean) {
      world.daemon.stop();
    } else {
      world.daemon.kill();
    }
    Result<std::int64_t> count = make_error(ErrorCode::kInternal, "not yet");
    bool is_done = false;
    const StartedTask reading =
        engine.start(engine.scalar<std::int64_t>("SELECT count(*) FROM item", {}, RequestOptions().with_deadline_ms(20'000)),
                     [&](Result<std::int64_t> value) {
                       count = std::move(value);
                       is_done = true;
                     });
    must(engine.run_task(engine.sleep(50)));
    cr_assert(!is_done);
    world.daemon.start();
    while (!is_done) must(engine.run_task(engine.sleep(5)));
    cr_assert_eq(must(count), 3);
  }
  cr_assert_eq(engine.counters().lost, 2);
}

CoTest(engine_reconnect, gives_up_at_the_deadline) {
  EngineWorld world({}, [] {
    EngineOptions options;
    options.wait_ms_max = 60;
    return options;
  }());
  Engine& engine = world.engine;
  must(engine.run_task(engine.ping()));
  world.daemon.kill();
  const auto late = engine.run_task(engine.execute("SELECT 1", {}, RequestOptions().with_deadline_ms(40)));
  cr_assert(!late && late.error().code == ErrorCode::kDeadline);
  const auto unreachable = engine.run_task(engine.execute("SELECT 1"));
  cr_assert(!unreachable && unreachable.error().code == ErrorCode::kConnect);
  cr_assert(unreachable.error().message.find("skuad") != std::string::npos);
  world.daemon.start();
  // Where other work keeps the cores, 60 ms may be over before the next attempt.
  Status connected;
  for (int tries = 0; tries < 50 && !(connected = engine.run_task(engine.ping())); ++tries) {
    cr_assert_eq(connected.error().code, ErrorCode::kConnect);
  }
  must(std::move(connected));
}

CoTest(engine_reconnect, lost_transactions_and_streams_say_so) {
  EngineWorld world;
  Engine& engine = world.engine;
  world.run([&]() -> Task<Status> {
    SKUA_CO_ASSIGN(AsyncTransaction transaction, co_await engine.begin());
    SKUA_CO_TRY(co_await transaction.execute("DELETE FROM item"));
    SKUA_CO_ASSIGN(AsyncRowStream rows, co_await engine.stream(kEndlessRows));
    world.daemon.kill();
    const auto lost = co_await transaction.execute("SELECT 1");
    CO_REQUIRE(!lost && lost.error().code == ErrorCode::kLost && lost.error().ends_transaction());
    const Status commit = co_await transaction.commit();
    CO_REQUIRE(!commit && commit.error().code == ErrorCode::kLost);
    const auto rest = co_await rows.collect();
    CO_REQUIRE(!rest && rest.error().code == ErrorCode::kLost);
    world.daemon.start();
    SKUA_CO_ASSIGN(const auto count, co_await engine.scalar<std::int64_t>("SELECT count(*) FROM item"));
    CO_REQUIRE(count == 3);
    co_return Status();
  });
}

CoTest(engine_reconnect, write_under_way_is_in_doubt_unless_it_has_a_key) {
  EngineWorld world;
  Engine& engine = world.engine;
  Connection holder = look(world.daemon);
  must(engine.run_task(engine.ping()));
  // Keeps the writes in the daemon's queue: they were sent, and not answered.
  Transaction transaction = must(holder.begin());
  Result<ResultSet> plain = ResultSet();
  Result<ResultSet> keyed = make_error(ErrorCode::kInternal, "not yet");
  bool plain_is_done = false;
  bool keyed_is_done = false;
  const StartedTask first = engine.start(engine.execute("INSERT INTO item (id, name) VALUES (10, 'a')"),
                                         [&](Result<ResultSet> rows) {
                                           plain = std::move(rows);
                                           plain_is_done = true;
                                         });
  const StartedTask second = engine.start(
      engine.execute("INSERT INTO item (id, name) VALUES (11, 'b')", {},
                     RequestOptions().with_deadline_ms(20'000).with_idempotency_key("insert 11")),
      [&](Result<ResultSet> rows) {
        keyed = std::move(rows);
        keyed_is_done = true;
      });
  must(engine.run_task(engine.sleep(50)));
  world.daemon.kill();
  while (!plain_is_done) must(engine.run_task(engine.sleep(5)));
  cr_assert(!plain && plain.error().code == ErrorCode::kInDoubt);
  world.daemon.start();
  while (!keyed_is_done) must(engine.run_task(engine.sleep(5)));
  must(keyed);
  Connection connection = look(world.daemon);
  cr_assert_eq(must(connection.scalar<std::int64_t>("SELECT count(*) FROM item WHERE id = 11")), 1);
  cr_assert_eq(must(connection.scalar<std::int64_t>("SELECT count(*) FROM item WHERE id = 10")), 0);
  cr_assert_geq(engine.counters().resent, 1);
}

CoTest(engine_reconnect, keyed_write_that_returns_rows_is_answered_again_and_again) {
  EngineWorld world;
  Engine& engine = world.engine;
  const char* const insert = "INSERT INTO item (name) VALUES (?) RETURNING id, name";
  const auto once = [&](std::string name, std::string key) {
    return engine.run_task(engine.execute(insert, Parameters::of(std::move(name)), RequestOptions().with_idempotency_key(std::move(key))));
  };
  const std::int64_t id = must(once("salt", "a")).row(0)[0].integer();
  // From now on the client knows the columns of that SQL.
  for (int i = 0; i < 2; ++i) cr_assert_eq(must(once("salt", "a")).row(0)[0].integer(), id);
  must(once("tea", "b"));
  cr_assert(!once("jam", "b"), "a key is for one request");
  // And has forgotten them with the connection.
  world.daemon.kill();
  world.daemon.start();
  const ResultSet again = must(once("salt", "a"));
  cr_assert_eq(again.row(0)[0].integer(), id);
  cr_assert_eq(again.columns()[1].name.compare("name"), 0);
  cr_assert_eq(must(engine.run_task(engine.scalar<std::int64_t>("SELECT count(*) FROM item"))), 5);
}

CoTest(engine_reconnect, notices_a_daemon_that_hangs) {
  EngineWorld world({}, [] {
    EngineOptions options;
    options.liveness_ms = 500;
    return options;
  }());
  Engine& engine = world.engine;
  must(engine.run_task(engine.ping()));
  ::kill(world.daemon.pid(), SIGSTOP);
  const auto hung = engine.run_task(engine.execute("UPDATE item SET price = 1"));
  ::kill(world.daemon.pid(), SIGCONT);
  cr_assert(!hung && hung.error().code == ErrorCode::kInDoubt);
  cr_assert(hung.error().message.find("no sign of life") != std::string::npos, "%s", hung.error().message.c_str());
  must(engine.run_task(engine.ping()));
}
