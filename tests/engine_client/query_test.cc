// The engine's requests outside of transactions, and what becomes of rows.
#include <optional>
#include <string>
#include <tuple>

#include "tests/engine_client/co_test.h"
#include "tests/engine_client/engine_world.h"

using namespace skua;
using namespace skua::test;

namespace shop {

struct Item {
  std::int64_t id = 0;
  std::string name;
  std::optional<double> price;
};
SKUA_FIELDS(Item, id, name, price)

struct Wrong {
  std::int64_t id = 0;
  double name = 0;
};
SKUA_FIELDS(Wrong, id, name)

struct Missing {
  std::int64_t weight = 0;
};
SKUA_FIELDS(Missing, weight)

}  // namespace shop

CoTest(engine_query, rows_by_position_name_tuple_and_struct) {
  EngineWorld world;
  Engine& engine = world.engine;
  world.run([&]() -> Task<Status> {
    SKUA_CO_ASSIGN(const ResultSet rows, co_await engine.execute("SELECT * FROM item ORDER BY id"));
    CO_REQUIRE(rows.row_count() == 3);
    CO_REQUIRE(rows.row(0)[1].bytes() == "milk");
    SKUA_CO_ASSIGN(const std::string name, rows.row(1).get<std::string>("NAME"));
    CO_REQUIRE(name == "bread");
    SKUA_CO_ASSIGN(const auto items, co_await engine.all<shop::Item>("SELECT price, id, name, 1 AS more FROM item ORDER BY id"));
    CO_REQUIRE(items.size() == 3 && items[0].price == 5.5 && !items[1].price && items[2].name == "onion");
    SKUA_CO_ASSIGN(const auto pair, co_await engine.one<std::tuple<std::int64_t, std::string>>(
                                        "SELECT id, name FROM item WHERE id = ?", Parameters::of(3)));
    CO_REQUIRE(std::get<0>(pair) == 3 && std::get<1>(pair) == "onion");
    SKUA_CO_ASSIGN(const auto nobody, co_await engine.one_or_none<shop::Item>("SELECT * FROM item WHERE id = 77"));
    CO_REQUIRE(!nobody);
    SKUA_CO_ASSIGN(const auto count, co_await engine.scalar<std::int64_t>("SELECT count(*) FROM item"));
    CO_REQUIRE(count == 3);
    SKUA_CO_ASSIGN(const auto names, co_await engine.all<std::string>("SELECT name FROM item ORDER BY 1"));
    CO_REQUIRE(names.size() == 3 && names[0] == "bread");
    SKUA_CO_ASSIGN(const auto named, co_await engine.scalar<std::string>("SELECT name FROM item WHERE id = :id AND price > @p",
                                                                         Parameters().set("id", 1).set("p", 1.0)));
    CO_REQUIRE(named == "milk");
    co_return Status();
  });
}

CoTest(engine_query, says_what_does_not_fit) {
  EngineWorld world;
  Engine& engine = world.engine;
  world.run([&]() -> Task<Status> {
    const auto wrong = co_await engine.one<shop::Wrong>("SELECT id, name FROM item WHERE id = 1");
    CO_REQUIRE(!wrong && wrong.error().code == ErrorCode::kUsage);
    CO_REQUIRE(wrong.error().message == "column 1 (\"name\") holds text, not a real");
    const auto missing = co_await engine.one<shop::Missing>("SELECT id FROM item WHERE id = 1");
    CO_REQUIRE(!missing && missing.error().message == "the result has no column \"weight\"");
    const auto narrow = co_await engine.one<std::tuple<std::int64_t>>("SELECT id, name FROM item WHERE id = 1");
    CO_REQUIRE(!narrow && narrow.error().code == ErrorCode::kUsage);
    const auto several = co_await engine.one<shop::Item>("SELECT * FROM item");
    CO_REQUIRE(!several && several.error().code == ErrorCode::kUsage);
    const auto null = co_await engine.scalar<double>("SELECT price FROM item WHERE id = 2");
    CO_REQUIRE(!null && null.error().message == "column 0 (\"price\") holds NULL, not a real");
    const auto syntax = co_await engine.execute("SELEC 1");
    CO_REQUIRE(!syntax && syntax.error().code == ErrorCode::kSql && syntax.error().sql_offset == 0);
    const auto constraint = co_await engine.execute("INSERT INTO item VALUES (4, 'milk', 1)");
    CO_REQUIRE(!constraint && constraint.error().code == ErrorCode::kConstraint);
    co_return Status();
  });
}

CoTest(engine_query, refuses_sql_that_would_concern_other_tasks) {
  EngineWorld world;
  Engine& engine = world.engine;
  world.run([&]() -> Task<Status> {
    for (const char* sql : {"BEGIN", " ; begin immediate", "/* now */ COMMIT", "ROLLBACK", "SAVEPOINT a", "RELEASE a", "END"}) {
      const auto refused = co_await engine.execute(sql);
      CO_REQUIRE(!refused && refused.error().code == ErrorCode::kUsage);
      const auto streamed = co_await engine.stream(sql);
      CO_REQUIRE(!streamed && streamed.error().code == ErrorCode::kUsage);
    }
    co_return co_await engine.ping();
  });
}

CoTest(engine_query, executes_many_and_programs) {
  EngineWorld world;
  Engine& engine = world.engine;
  world.run([&]() -> Task<Status> {
    ParameterRows rows(2);
    for (std::int64_t i = 10; i < 1010; ++i) {
      rows.append(ValueView::integer(i));
      rows.append(ValueView::text("item " + std::to_string(i)));
      rows.end_row();
    }
    SKUA_CO_ASSIGN(const Summary summary,
                   co_await engine.execute_many("INSERT INTO item (id, name) VALUES (?, ?)", std::move(rows)));
    CO_REQUIRE(summary.changes == 1000);
    Program program;
    program.steps.push_back({"INSERT INTO item (id, name) VALUES (5, 'salt')", {}, {}, false});
    program.steps.push_back({"INSERT INTO item (id, name) VALUES (6, 'milk')", {}, {}, false});
    const auto failed = co_await engine.run(std::move(program));
    CO_REQUIRE(!failed && failed.error().code == ErrorCode::kConstraint && failed.error().row == 1);
    SKUA_CO_ASSIGN(const auto count, co_await engine.scalar<std::int64_t>("SELECT count(*) FROM item"));
    CO_REQUIRE(count == 1003);
    SKUA_CO_ASSIGN(const Description described, co_await engine.describe("SELECT name FROM item WHERE id = :id"));
    CO_REQUIRE(described.read_only && described.parameters.size() == 1 && described.columns[0].name == "name");
    SKUA_CO_ASSIGN(const auto locks, co_await engine.locks());
    CO_REQUIRE(locks.size() == 1);
    SKUA_CO_ASSIGN(const auto stats, co_await engine.stats());
    CO_REQUIRE(stats.row_count() > 20);
    co_return Status();
  });
}

CoTest(engine_query, many_coroutines_share_one_socket) {
  EngineWorld world({}, [] {
    EngineOptions options;
    options.connections = 1;
    return options;
  }());
  Engine& engine = world.engine;
  const auto ask = [&](std::int64_t n) -> Task<Result<std::int64_t>> {
    std::int64_t sum = 0;
    for (int i = 0; i < 20; ++i) {
      SKUA_CO_ASSIGN(const auto value, co_await engine.scalar<std::int64_t>("SELECT ? + id FROM item WHERE id = 3", Parameters::of(n)));
      sum += value;
    }
    co_return sum;
  };
  world.run([&]() -> Task<Status> {
    TaskGroup group;
    std::vector<TaskGroup::Spawned<std::int64_t>> spawned;
    for (std::int64_t n = 0; n < 500; ++n) spawned.push_back(group.spawn(ask(n)));
    SKUA_CO_TRY(co_await group.join());
    for (std::int64_t n = 0; n < 500; ++n) CO_REQUIRE(spawned[static_cast<std::size_t>(n)].value() == 20 * (n + 3));
    co_return Status();
  });
  cr_assert_eq(engine.counters().connects, 1);
  cr_assert_eq(engine.counters().requests, 10'000);
  cr_assert_eq(engine.counters().under_way, 0);
}

CoTest(engine_query, waits_for_its_turn_no_longer_than_it_said) {
  EngineWorld world({}, [] {
    EngineOptions options;
    options.connections = 1;
    options.requests_max = 2;
    options.wait_ms_max = 50;
    return options;
  }());
  Engine& engine = world.engine;
  world.run([&]() -> Task<Status> {
    TaskGroup busy;
    busy.spawn(engine.scalar<std::int64_t>(kForever));
    busy.spawn(engine.scalar<std::int64_t>(kForever));
    const auto full = co_await engine.execute("SELECT 1");
    CO_REQUIRE(!full && full.error().code == ErrorCode::kLimit);
    const auto late = co_await engine.execute("SELECT 1", {}, RequestOptions().with_deadline_ms(20));
    CO_REQUIRE(!late && late.error().code == ErrorCode::kDeadline);
    CO_REQUIRE(engine.counters().waiting == 0);
    busy.cancel();
    const Status joined = co_await busy.join();
    CO_REQUIRE(!joined && joined.error().code == ErrorCode::kCancelled);
    co_return co_await engine.ping();
  });
}

CoTest(engine_query, says_at_once_that_nobody_listens) {
  EngineOptions options;
  options.connect.socket_path = "/nonexistent/skua.sock";
  Engine engine(options);
  const auto refused = engine.run_task(engine.execute("SELECT 1"));
  cr_assert(!refused && refused.error().code == ErrorCode::kConnect);
  cr_assert(refused.error().message.find("/nonexistent/skua.sock") != std::string::npos);
  const Status again = engine.run_task(engine.connect());
  cr_assert(!again && again.error().code == ErrorCode::kConnect);
}
