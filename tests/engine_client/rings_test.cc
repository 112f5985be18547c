// The engine on memory that it shares with the real daemon: requests and answers of any size, its sleep, and the daemon's end.
#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <ctime>
#include <string>
#include <vector>

#include "protocol/limits.h"
#include "tests/engine_client/co_test.h"
#include "tests/engine_client/engine_world.h"
#include "tests/support/random.h"

using namespace skua;
using namespace skua::test;

namespace {

// So many requests on a connection make the client library ask for rings.
constexpr int kRequestsToRings = 70;

struct RingWorld : EngineWorld {
  explicit RingWorld(std::uint32_t connections = 1)
      : EngineWorld({}, [&] {
          EngineOptions options;
          options.connections = connections;
          return options;
        }()) {}

  std::int64_t sessions_with_rings() {
    Connection watcher = look(daemon);
    return stat(watcher, "sessions_with_rings");
  }
  void warm_up() {
    run([this]() -> Task<Status> {
      for (int i = 0; i < kRequestsToRings; ++i) SKUA_CO_TRY(co_await engine.ping());
      co_return Status();
    });
    cr_assert_eq(sessions_with_rings(), 1);
  }
};

// Takes the daemon about as many milliseconds.
std::string slow_select(std::int64_t milliseconds, std::int64_t number) {
  return fmt::format("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) SELECT count(*) * 0 + {} FROM n",
                     milliseconds * 4'000, number);
}

std::string text_of_size(std::size_t size, std::size_t seed) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + (i * 7 + seed) % 26);
  return text;
}

Task<Status> ask_any_sizes(Engine& engine, std::uint64_t seed, int requests) {
  Random random(seed);
  const std::size_t sizes[] = {4'000, 8'192, 16'000, kRingBytes - 200, kRingBytes, 70'000, 300'000};
  for (int i = 0; i < requests; ++i) {
    const auto any = [&] { return static_cast<std::size_t>(random.between(0, 300)); };
    const std::size_t sent = random.one_in(8) ? sizes[random.between(0, 6)] : any();
    const std::size_t wanted = random.one_in(8) ? sizes[random.between(0, 6)] : any();
    const std::string text = text_of_size(sent, seed + static_cast<std::size_t>(i));
    SKUA_CO_ASSIGN(const ResultSet rows, co_await engine.execute("SELECT ?1, replace(hex(zeroblob(?2)), '00', 'x')",
                                                                 Parameters::of(text, static_cast<std::int64_t>(wanted))));
    SKUA_CO_ASSIGN(const Row row, rows.one());
    CO_REQUIRE(row[0].bytes() == text);
    CO_REQUIRE(row[1].bytes() == std::string(wanted, 'x'));
  }
  co_return Status();
}

Task<Status> read_stream(Engine& engine, std::int64_t last) {
  SKUA_CO_ASSIGN(AsyncRowStream rows, co_await engine.stream(
                                          "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT i FROM n",
                                          Parameters::of(last)));
  std::int64_t expected = 0;
  while (true) {
    SKUA_CO_ASSIGN(const bool has_row, co_await rows.next());
    if (!has_row) break;
    CO_REQUIRE(rows.row()[0].integer() == ++expected);
  }
  CO_REQUIRE(expected == last);
  co_return Status();
}

}  // namespace

CoTest(engine_rings, a_connection_that_is_used_shares_memory) {
  RingWorld world;
  must(world.engine.run_task(world.engine.ping()));
  cr_assert_eq(world.sessions_with_rings(), 0);
  world.warm_up();
  EngineOptions options = options_for(world.daemon);
  options.connect.shared_memory = false;
  Engine other(options);
  for (int i = 0; i < 2 * kRequestsToRings; ++i) must(other.run_task(other.ping()));
  cr_assert_eq(world.sessions_with_rings(), 1, "not the one that does not want it");
}

// The memory comes in the middle of everything, on a connection that never rests.
CoTest(engine_rings, requests_of_any_size_and_streams_at_once) {
  RingWorld world;
  world.run([&]() -> Task<Status> {
    TaskGroup group;
    for (std::uint64_t i = 0; i < 24; ++i) group.spawn(ask_any_sizes(world.engine, i * 1'000, 200));
    for (int i = 0; i < 4; ++i) group.spawn(read_stream(world.engine, 200'000 + i));
    SKUA_CO_TRY(co_await group.join());
    co_return Status();
  });
  cr_assert_eq(world.sessions_with_rings(), 1);
}

// More than the ring holds, all at once, and then again and again.
CoTest(engine_rings, bursts_that_do_not_fit) {
  RingWorld world;
  world.warm_up();
  world.run([&]() -> Task<Status> {
    for (int round = 0; round < 40; ++round) {
      TaskGroup group;
      for (std::uint64_t i = 0; i < 400; ++i) group.spawn(ask_any_sizes(world.engine, i + static_cast<std::uint64_t>(round), 1));
      SKUA_CO_TRY(co_await group.join());
    }
    co_return Status();
  });
}

// A bell that is not rung would be waited for until the test's time is over.
CoTest(engine_rings, an_engine_that_sleeps_hears_the_answer) {
  RingWorld world;
  world.warm_up();
  world.run([&]() -> Task<Status> {
    for (std::int64_t i = 0; i < 60; ++i) {
      SKUA_CO_ASSIGN(const auto number, co_await world.engine.scalar<std::int64_t>(slow_select(i % 3 == 0 ? 20 : 0, i)));
      CO_REQUIRE(number == i);
      // The loop wakes by itself in between, and sleeps again.
      if (i % 5 == 0) SKUA_CO_TRY(co_await world.engine.sleep(3));
    }
    co_return Status();
  });
}

CoTest(engine_rings, an_engine_without_requests_sleeps) {
  RingWorld world;
  world.warm_up();
  const std::clock_t before = std::clock();
  must(world.engine.run_task(world.engine.sleep(400)));
  // And one whose only request takes its time.
  must(world.engine.run_task(world.engine.scalar<std::int64_t>(slow_select(400, 1))));
  const double used_ms = 1e3 * static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
  // Who does not sleep uses 400 at least.
  cr_assert_lt(used_ms, 200, "%f ms of processor time", used_ms);
}

CoTest(engine_rings, a_daemon_that_dies_is_noticed_and_the_next_one_shares_memory_too) {
  RingWorld world;
  world.warm_up();
  Result<std::int64_t> outcome = make_error(ErrorCode::kInternal, "not yet");
  bool is_done = false;
  const StartedTask asking = world.engine.start(world.engine.scalar<std::int64_t>(kForever), [&](Result<std::int64_t> value) {
    outcome = std::move(value);
    is_done = true;
  });
  must(world.engine.run_task(world.engine.sleep(30)));
  cr_assert(!is_done);
  world.daemon.kill();
  world.daemon.start();
  while (world.engine.counters().lost == 0) must(world.engine.run_task(world.engine.sleep(5)));
  world.warm_up();
}
