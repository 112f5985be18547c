// AsyncTransaction, in_transaction, groups on one snapshot.
#include <string>
#include <vector>

#include "tests/engine_client/co_test.h"
#include "tests/engine_client/engine_world.h"

using namespace skua;
using namespace skua::test;

namespace {

constexpr const char* kCount = "SELECT count(*) FROM item";

Task<Status> insert(AsyncTransaction& transaction, std::int64_t id, std::string name) {
  SKUA_CO_TRY(co_await transaction.execute("INSERT INTO item (id, name) VALUES (?, ?)", Parameters::of(id, std::move(name))));
  co_return Status();
}

}  // namespace

CoTest(engine_transaction, commits_or_rolls_back) {
  EngineWorld world;
  Engine& engine = world.engine;
  world.run([&]() -> Task<Status> {
    SKUA_CO_ASSIGN(AsyncTransaction kept, co_await engine.begin());
    SKUA_CO_TRY(co_await insert(kept, 4, "salt"));
    SKUA_CO_ASSIGN(const auto inside, co_await kept.scalar<std::int64_t>(kCount));
    SKUA_CO_ASSIGN(const auto outside, co_await engine.scalar<std::int64_t>(kCount));
    CO_REQUIRE(inside == 4 && outside == 3);
    SKUA_CO_TRY(co_await kept.commit());
    CO_REQUIRE(!kept.is_open());
    const auto ended = co_await kept.execute("SELECT 1");
    CO_REQUIRE(!ended && ended.error().code == ErrorCode::kUsage);
    {
      SKUA_CO_ASSIGN(AsyncTransaction dropped, co_await engine.begin());
      SKUA_CO_TRY(co_await insert(dropped, 5, "tea"));
    }
    SKUA_CO_ASSIGN(AsyncTransaction undone, co_await engine.begin());
    SKUA_CO_TRY(co_await insert(undone, 6, "jam"));
    SKUA_CO_TRY(co_await undone.rollback());
    SKUA_CO_ASSIGN(const auto count, co_await engine.scalar<std::int64_t>(kCount));
    CO_REQUIRE(count == 4);
    co_return Status();
  });
  Connection connection = look(world.daemon);
  cr_assert_eq(stat(connection, "transactions_open"), 0);
}

CoTest(engine_transaction, in_transaction_commits_what_succeeds) {
  EngineWorld world;
  Engine& engine = world.engine;
  world.run([&]() -> Task<Status> {
    const auto good = [](AsyncTransaction& transaction) -> Task<Result<std::int64_t>> {
      SKUA_CO_TRY(co_await insert(transaction, 4, "salt"));
      co_return co_await transaction.scalar<std::int64_t>(kCount);
    };
    SKUA_CO_ASSIGN(const auto count, co_await engine.in_transaction(good));
    CO_REQUIRE(count == 4);
    const auto bad = [](AsyncTransaction& transaction) -> Task<Status> {
      SKUA_CO_TRY(co_await insert(transaction, 5, "tea"));
      co_return co_await insert(transaction, 6, "tea");
    };
    const Status failed = co_await engine.in_transaction(bad);
    CO_REQUIRE(!failed && failed.error().code == ErrorCode::kConstraint);
    SKUA_CO_ASSIGN(const auto after, co_await engine.scalar<std::int64_t>(kCount));
    CO_REQUIRE(after == 4);
    co_return Status();
  });
}

CoTest(engine_transaction, savepoints) {
  EngineWorld world;
  Engine& engine = world.engine;
  world.run([&]() -> Task<Status> {
    SKUA_CO_ASSIGN(AsyncTransaction transaction, co_await engine.begin());
    SKUA_CO_TRY(co_await insert(transaction, 4, "salt"));
    SKUA_CO_TRY(co_await transaction.savepoint("half"));
    SKUA_CO_TRY(co_await insert(transaction, 5, "tea"));
    SKUA_CO_TRY(co_await transaction.rollback_to("half"));
    SKUA_CO_TRY(co_await transaction.release("half"));
    ParameterRows rows(2);
    rows.append(ValueView::integer(6));
    rows.append(ValueView::text("jam"));
    rows.end_row();
    SKUA_CO_TRY(co_await transaction.execute_many("INSERT INTO item (id, name) VALUES (?, ?)", std::move(rows)));
    SKUA_CO_TRY(co_await transaction.commit());
    SKUA_CO_ASSIGN(const auto names, co_await engine.all<std::string>("SELECT name FROM item WHERE id > 3 ORDER BY id"));
    CO_REQUIRE(names == std::vector<std::string>({"salt", "jam"}));
    co_return Status();
  });
}

CoTest(engine_transaction, goes_on_after_an_error_and_streams) {
  EngineWorld world;
  Engine& engine = world.engine;
  world.run([&]() -> Task<Status> {
    SKUA_CO_ASSIGN(AsyncTransaction transaction, co_await engine.begin());
    SKUA_CO_TRY(co_await insert(transaction, 4, "salt"));
    const Status failed = co_await insert(transaction, 5, "salt");
    CO_REQUIRE(!failed && !failed.error().ends_transaction());
    SKUA_CO_ASSIGN(AsyncRowStream rows, co_await transaction.stream("SELECT id FROM item ORDER BY id"));
    std::int64_t sum = 0;
    while (true) {
      SKUA_CO_ASSIGN(const bool has_row, co_await rows.next());
      if (!has_row) break;
      sum += rows.row()[0].integer();
    }
    CO_REQUIRE(sum == 10);
    co_return co_await transaction.commit();
  });
}

CoTest(engine_transaction, refuses_sql_that_would_end_it_unseen) {
  EngineWorld world;
  Engine& engine = world.engine;
  world.run([&]() -> Task<Status> {
    SKUA_CO_ASSIGN(AsyncTransaction transaction, co_await engine.begin());
    for (const char* sql : {"COMMIT", "end", "ROLLBACK", "RELEASE a", "SAVEPOINT a", "BEGIN"}) {
      const auto refused = co_await transaction.execute(sql);
      CO_REQUIRE(!refused && refused.error().code == ErrorCode::kUsage);
    }
    co_return co_await transaction.commit();
  });
}

CoTest(engine_transaction, group_sees_one_state) {
  EngineWorld world;
  Engine& engine = world.engine;
  world.run([&]() -> Task<Status> {
    SKUA_CO_ASSIGN(std::vector<AsyncTransaction> group, co_await engine.begin_group(3));
    SKUA_CO_TRY(co_await engine.execute("DELETE FROM item"));
    for (AsyncTransaction& transaction : group) {
      SKUA_CO_ASSIGN(const auto count, co_await transaction.scalar<std::int64_t>(kCount));
      CO_REQUIRE(count == 3);
    }
    group.clear();
    std::vector<std::int64_t> ids;
    for (std::int64_t i = 0; i < 20; ++i) ids.push_back(i);
    SKUA_CO_ASSIGN(const auto counts, co_await engine.on_one_snapshot(ids, [](AsyncTransaction& transaction, std::int64_t& id) {
      return transaction.scalar<std::int64_t>("SELECT count(*) + ? FROM item", Parameters::of(id));
    }));
    CO_REQUIRE(counts == ids);
    const auto broken = co_await engine.on_one_snapshot(ids, [](AsyncTransaction& transaction, std::int64_t& id) {
      // The third: the daemon has threads for a few at once, and the others wait for theirs.
      return transaction.scalar<std::int64_t>(id == 2 ? "SELECT nothing" : kForever);
    });
    CO_REQUIRE(!broken && broken.error().code == ErrorCode::kSql);
    const auto none = co_await engine.begin_group(0);
    CO_REQUIRE(!none && none.error().code == ErrorCode::kUsage);
    const auto too_many = co_await engine.begin_group(1'000);
    CO_REQUIRE(!too_many && too_many.error().code == ErrorCode::kLimit);
    co_return co_await engine.ping();
  });
  Connection connection = look(world.daemon);
  cr_assert_eq(stat(connection, "transactions_open"), 0);
}

CoTest(engine_transaction, dropped_ones_keep_their_place_until_they_are_rolled_back) {
  // No more at once than the daemon lets a session have.
  RealDaemon::Options daemon;
  daemon.config = "[limits]\ntransactions_per_session_max = 8\n";
  EngineWorld world(daemon, [] {
    EngineOptions options;
    options.connections = 1;
    options.transactions_max = 8;
    options.wait_ms_max = 60'000;
    return options;
  }());
  Engine& engine = world.engine;
  const auto ask = [&]() -> Task<Result<std::int64_t>> {
    std::int64_t sum = 0;
    for (int i = 0; i < 20; ++i) {
      const std::vector<std::int64_t> items(4, 1);
      SKUA_CO_ASSIGN(const auto counts, co_await engine.on_one_snapshot(items, [](AsyncTransaction& transaction, std::int64_t&) {
        return transaction.scalar<std::int64_t>(kCount);
      }));
      for (const std::int64_t count : counts) sum += count;
    }
    co_return sum;
  };
  world.run([&]() -> Task<Status> {
    TaskGroup group;
    std::vector<TaskGroup::Spawned<std::int64_t>> spawned;
    for (int i = 0; i < 8; ++i) spawned.push_back(group.spawn(ask()));
    SKUA_CO_TRY(co_await group.join());
    for (auto& one : spawned) CO_REQUIRE(one.value() == 20 * 4 * 3);
    co_return Status();
  });
}

CoTest(engine_transaction, more_than_one_connection_has_wait_for_their_turn) {
  EngineWorld world({}, [] {
    EngineOptions options;
    options.connections = 1;
    options.transactions_max = 2;
    return options;
  }());
  Engine& engine = world.engine;
  const auto add = [&](std::int64_t id) -> Task<Result<std::int64_t>> {
    SKUA_CO_ASSIGN(AsyncTransaction transaction, co_await engine.begin());
    SKUA_CO_TRY(co_await insert(transaction, id, "item " + std::to_string(id)));
    SKUA_CO_TRY(co_await transaction.commit());
    co_return id;
  };
  world.run([&]() -> Task<Status> {
    TaskGroup group;
    for (std::int64_t id = 10; id < 60; ++id) group.spawn(add(id));
    CO_REQUIRE(engine.counters().waiting >= 48);
    SKUA_CO_TRY(co_await group.join());
    SKUA_CO_ASSIGN(const auto count, co_await engine.scalar<std::int64_t>(kCount));
    CO_REQUIRE(count == 53);
    co_return Status();
  });
}
