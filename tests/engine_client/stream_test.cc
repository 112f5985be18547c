// AsyncRowStream: by row, batch and partition; and what a stream that is left early leaves behind.
#include <chrono>
#include <string>
#include <thread>

#include "tests/engine_client/co_test.h"
#include "tests/engine_client/engine_world.h"

using namespace skua;
using namespace skua::test;

CoTest(engine_stream, a_million_rows_by_row_batch_and_partition) {
  EngineWorld world;
  Engine& engine = world.engine;
  world.run([&]() -> Task<Status> {
    SKUA_CO_ASSIGN(AsyncRowStream rows, co_await engine.stream(kMillion));
    CO_REQUIRE(rows.columns().size() == 3 && rows.columns()[0].name == "i");
    std::int64_t n = 0;
    while (true) {
      SKUA_CO_ASSIGN(const bool has_row, co_await rows.next());
      if (!has_row) break;
      CO_REQUIRE(rows.row()[0].integer() == ++n);
    }
    CO_REQUIRE(n == 1'000'000 && rows.summary().row_count == 1'000'000);
    SKUA_CO_ASSIGN(const bool more, co_await rows.next());
    CO_REQUIRE(!more);

    SKUA_CO_ASSIGN(AsyncBatches batches, co_await engine.stream_batches(kMillion));
    n = 0;
    while (true) {
      SKUA_CO_ASSIGN(const Batch batch, co_await batches.next());
      if (batch.row_count() == 0) break;
      for (const std::int64_t i : batch.column(0).integers()) CO_REQUIRE(i == ++n);
    }
    CO_REQUIRE(n == 1'000'000);

    SKUA_CO_ASSIGN(AsyncPartitions partitions, co_await engine.partitions(3'001, kMillion));
    n = 0;
    while (true) {
      SKUA_CO_ASSIGN(const ResultSet partition, co_await partitions.next());
      if (partition.empty()) break;
      CO_REQUIRE(partition.row_count() == 3'001 || n + 3'001 > 1'000'000);
      for (const Row row : partition) CO_REQUIRE(row[0].integer() == ++n);
    }
    CO_REQUIRE(n == 1'000'000);
    co_return Status();
  });
  cr_assert_eq(engine.counters().under_way, 0);
}

CoTest(engine_stream, rows_partitions_and_the_rest_go_on_where_the_last_stopped) {
  EngineWorld world;
  Engine& engine = world.engine;
  const char* const ten = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10) SELECT i FROM n";
  world.run([&]() -> Task<Status> {
    SKUA_CO_ASSIGN(AsyncRowStream rows, co_await engine.stream(ten));
    SKUA_CO_TRY(co_await rows.next());
    CO_REQUIRE(rows.row()[0].integer() == 1);
    SKUA_CO_ASSIGN(const ResultSet three, co_await rows.next_partition(3));
    CO_REQUIRE(three.row_count() == 3 && three.row(0)[0].integer() == 2 && three.row(2)[0].integer() == 4);
    SKUA_CO_ASSIGN(const bool has_row, co_await rows.next());
    CO_REQUIRE(has_row && rows.row()[0].integer() == 5);
    SKUA_CO_TRY(co_await rows.next());
    SKUA_CO_ASSIGN(const ResultSet rest, co_await rows.collect());
    CO_REQUIRE(rest.row_count() == 4 && rest.row(0)[0].integer() == 7 && rest.row(3)[0].integer() == 10);
    SKUA_CO_ASSIGN(const bool more, co_await rows.next());
    CO_REQUIRE(!more);
    co_return Status();
  });
  // The same for the blocking client.
  Connection connection = look(world.daemon);
  RowStream rows = must(connection.stream(ten));
  must(rows.next());
  cr_assert_eq(must(rows.next_partition(3)).row(2)[0].integer(), 4);
  must(rows.next());
  cr_assert_eq(rows.row()[0].integer(), 5);
  cr_assert_eq(must(rows.next_partition(100)).row_count(), 5);
}

CoTest(engine_stream, partitions_of_the_blocking_client_are_the_same) {
  EngineWorld world;
  Connection connection = look(world.daemon);
  Partitions partitions = must(connection.partitions(777, kMillion));
  std::int64_t n = 0;
  while (true) {
    const ResultSet partition = must(partitions.next());
    if (partition.empty()) break;
    for (const Row row : partition) cr_assert_eq(row[0].integer(), ++n);
  }
  cr_assert_eq(n, 1'000'000);
}

CoTest(engine_stream, left_early_gives_everything_back) {
  EngineWorld world;
  Engine& engine = world.engine;
  Connection connection = look(world.daemon);
  world.run([&]() -> Task<Status> {
    for (int i = 0; i < 50; ++i) {
      SKUA_CO_ASSIGN(AsyncRowStream rows, co_await engine.stream(kEndlessRows));
      for (int row = 0; row < 2'000; ++row) {
        SKUA_CO_ASSIGN(const bool has_row, co_await rows.next());
        CO_REQUIRE(has_row);
      }
      if (i % 2 == 0) rows.cancel();
    }
    co_return co_await engine.ping();
  });
  cr_assert_eq(engine.counters().under_way, 0);
  // The cancels were sent before the ping was answered; who ran may take a moment to stop.
  for (int i = 0; i < 500 && stat(connection, "reader_connections_leased") > 0; ++i) must(engine.run_task(engine.sleep(10)));
  cr_assert_eq(stat(connection, "reader_connections_leased"), 0);
}

CoTest(engine_stream, holds_bounded_memory_behind_a_slow_consumer) {
  EngineWorld world;
  Engine& engine = world.engine;
  Connection connection = look(world.daemon);
  std::int64_t sent = 0;
  world.run([&]() -> Task<Status> {
    SKUA_CO_ASSIGN(AsyncRowStream rows,
                   co_await engine.stream(kEndlessRows, {}, RequestOptions().with_window_bytes(200'000)));
    SKUA_CO_TRY(co_await engine.sleep(300));
    sent = stat(connection, "row_bytes_sent");
    SKUA_CO_ASSIGN(const bool has_row, co_await rows.next());
    CO_REQUIRE(has_row);
    co_return Status();
  });
  cr_assert_lt(sent, 200'000 + 80'000, "%lld bytes were sent", static_cast<long long>(sent));
}

CoTest(engine_stream, many_at_once_with_other_requests_between) {
  EngineWorld world;
  Engine& engine = world.engine;
  const auto count = [&](int stride) -> Task<Result<std::int64_t>> {
    SKUA_CO_ASSIGN(AsyncRowStream rows, co_await engine.stream(kMillion));
    std::int64_t n = 0;
    while (true) {
      SKUA_CO_ASSIGN(const bool has_row, co_await rows.next());
      if (!has_row) break;
      if (++n % stride == 0) SKUA_CO_TRY(co_await engine.execute("SELECT 1"));
    }
    co_return n;
  };
  world.run([&]() -> Task<Status> {
    TaskGroup group;
    std::vector<TaskGroup::Spawned<std::int64_t>> spawned;
    for (int i = 0; i < 3; ++i) spawned.push_back(group.spawn(count(20'000 + i)));
    SKUA_CO_TRY(co_await group.join());
    for (auto& one : spawned) CO_REQUIRE(one.value() == 1'000'000);
    co_return Status();
  });
}

CoTest(engine_stream, destroyed_while_the_loop_does_not_run_is_cancelled_all_the_same) {
  EngineWorld world;
  Engine& engine = world.engine;
  Connection connection = look(world.daemon);
  {
    const AsyncRowStream rows = must(engine.run_task(engine.stream(kEndlessRows)));
    const AsyncTransaction transaction = must(engine.run_task(engine.begin()));
    cr_assert_eq(stat(connection, "transactions_open"), 1);
    cr_assert_geq(stat(connection, "reader_connections_leased"), 1);
  }
  for (int i = 0; i < 3'000 && stat(connection, "transactions_open") + stat(connection, "reader_connections_leased") > 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  cr_assert_eq(stat(connection, "transactions_open"), 0);
  cr_assert_eq(stat(connection, "reader_connections_leased"), 0);
}
