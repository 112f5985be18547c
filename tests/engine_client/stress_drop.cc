// Tasks that are dropped at random points: before they send anything, in the queue, while they run, stream or commit. Nothing of
// them may stay: no coroutine, no place on a connection, no cursor, no transaction; and no connection may be the worse for it.
//
//   stress_drop [--tasks N]
//
// The asan preset builds it too: then a coroutine that is not freed is a leak, and one that is used after is found.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <string>

#include "skua/engine.h"
#include "tests/engine_client/engine_world.h"
#include "tests/support/random.h"

using namespace skua;
using namespace skua::test;

namespace {

int living = 0;

// Lives as long as the coroutine that it is in.
struct Living {
  Living() { ++living; }
  Living(const Living&) = delete;
  ~Living() { --living; }
};

struct Done {
  std::uint64_t dropped = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t ended = 0;
  std::uint64_t committed = 0;
};

constexpr std::int64_t kItems = 1'000;

class Work {
 public:
  Work(Engine& engine, Random& random, Done& done) : engine_(engine), random_(random), done_(done) {}

  Task<Status> any() {
    switch (random_.between(0, 6)) {
      case 0: return point();
      case 1: return endless();
      case 2: return stream();
      case 3: return write();
      case 4: return transaction();
      case 5: return group();
      default: return snapshot();
    }
  }

 private:
  Task<Status> point() {
    const Living here;
    SKUA_CO_TRY(co_await engine_.scalar<std::int64_t>("SELECT count FROM item WHERE id = ?", Parameters::of(id())));
    co_return Status();
  }
  Task<Status> endless() {
    const Living here;
    SKUA_CO_TRY(co_await engine_.execute(kForever));
    co_return Status();
  }
  Task<Status> stream() {
    const Living here;
    SKUA_CO_ASSIGN(AsyncRowStream rows, co_await engine_.stream(random_.one_in(2) ? kEndlessRows : "SELECT * FROM item"));
    const std::int64_t most = random_.between(0, 100'000);
    for (std::int64_t row = 0; row < most; ++row) {
      SKUA_CO_ASSIGN(const bool has_row, co_await rows.next());
      if (!has_row) break;
    }
    co_return Status();
  }
  Task<Status> write() {
    const Living here;
    SKUA_CO_TRY(co_await engine_.execute("UPDATE item SET count = count + 1 WHERE id = ?", Parameters::of(id())));
    co_return Status();
  }
  // Moves one from an item to another: their sum stays.
  Task<Status> transaction() {
    const Living here;
    const auto body = [this](AsyncTransaction& open) -> Task<Status> {
      const Living inside;
      SKUA_CO_TRY(co_await open.execute("UPDATE account SET count = count - 1 WHERE id = ?", Parameters::of(id())));
      SKUA_CO_TRY(co_await open.execute("UPDATE account SET count = count + 1 WHERE id = ?", Parameters::of(id())));
      co_return Status();
    };
    SKUA_CO_TRY(co_await engine_.in_transaction(body));
    ++done_.committed;
    co_return Status();
  }
  Task<Status> group() {
    const Living here;
    TaskGroup group;
    group.spawn(point());
    group.spawn(random_.one_in(2) ? endless() : stream());
    group.spawn(write());
    if (random_.one_in(2)) group.spawn(failure());
    co_return co_await group.join();
  }
  Task<Status> failure() {
    const Living here;
    SKUA_CO_TRY(co_await engine_.sleep(static_cast<std::uint32_t>(random_.between(0, 3))));
    SKUA_CO_TRY(co_await engine_.execute("SELECT no_such_column"));
    co_return Status();
  }
  Task<Status> snapshot() {
    const Living here;
    std::vector<std::int64_t> ids;
    for (std::int64_t n = random_.between(1, 6); n > 0; --n) ids.push_back(id());
    SKUA_CO_ASSIGN(const auto sums, co_await engine_.on_one_snapshot(ids, [](AsyncTransaction& open, std::int64_t&) {
      return open.scalar<std::int64_t>("SELECT sum(count) FROM account");
    }));
    for (const std::int64_t sum : sums) SKUA_CHECK(sum == 0);
    co_return Status();
  }

  std::int64_t id() { return random_.between(1, kItems); }

  Engine& engine_;
  Random& random_;
  Done& done_;
};

Task<Status> create(Engine& engine) {
  for (const char* table : {"item", "account"}) {
    SKUA_CO_TRY(co_await engine.execute("CREATE TABLE " + std::string(table) + " (id INTEGER PRIMARY KEY, count INTEGER NOT NULL)"));
    SKUA_CO_TRY(co_await engine.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) INSERT INTO " +
                                        std::string(table) + " SELECT i, 0 FROM n"));
  }
  co_return Status();
}

void run(std::uint64_t task_count) {
  RealDaemon daemon;
  Random random;
  Done done;
  EngineOptions options = options_for(daemon);
  options.wait_ms_max = 60'000;
  Engine engine(options);
  must(engine.run_task(create(engine)), "create");
  Work work(engine, random, done);

  std::deque<std::unique_ptr<StartedTask>> tasks;
  for (std::uint64_t started = 0; started < task_count; ++started) {
    tasks.push_back(std::make_unique<StartedTask>(engine.start(work.any(), [&done](const Status&) { ++done.ended; })));
    // Sometimes at once, before anything was sent, else after some turns of the loop.
    const auto turns = random.one_in(4) ? 0 : random.between(0, 3);
    for (std::int64_t turn = 0; turn < turns; ++turn) {
      must(engine.run_task(engine.sleep(random.one_in(8) ? 1 : 0)), "sleep");
    }
    // So that some come to their end.
    if (random.one_in(50)) must(engine.run_task(engine.sleep(20)), "sleep");
    while (tasks.size() > 40 || (!tasks.empty() && random.one_in(3))) {
      const auto at = tasks.begin() + random.between(0, static_cast<std::int64_t>(tasks.size()) - 1);
      if ((*at)->is_done()) {
        tasks.erase(at);
      } else if (random.one_in(4)) {
        // Asked to end: it does so by itself.
        (*at)->cancel();
        ++done.cancelled;
        (*at)->detach();
        tasks.erase(at);
      } else {
        ++done.dropped;
        tasks.erase(at);
      }
    }
  }
  done.dropped += tasks.size();
  tasks.clear();

  // Those that were asked to end do so.
  for (int i = 0; i < 3'000 && (living > 0 || engine.counters().under_way > 0); ++i) {
    must(engine.run_task(engine.sleep(10)), "sleep");
  }
  require(living == 0, std::to_string(living) + " coroutines are left");
  const EngineCounters counters = engine.counters();
  require(counters.under_way == 0 && counters.waiting == 0, "a request is left");
  require(counters.lost == 0, "a connection was lost");
  Connection connection = look(daemon);
  for (int i = 0; i < 3'000 && stat(connection, "transactions_open") + stat(connection, "reader_connections_leased") > 0; ++i) {
    must(engine.run_task(engine.sleep(10)), "sleep");
  }
  require(stat(connection, "transactions_open") == 0, "a transaction is left");
  require(stat(connection, "reader_connections_leased") == 0, "a cursor is left");
  require(stat(connection, "writers_busy") == 0 && stat(connection, "writes_waiting") == 0, "a write is left");
  require(stat(connection, "response_memory_bytes") < 100'000, "responses are left");
  require(must(connection.scalar<std::int64_t>("SELECT sum(count) FROM account")) == 0, "half a transaction was committed");
  // Every connection serves: as many requests at once as fill them all.
  must(engine.run_task([](Engine& its) -> Task<Status> {
         TaskGroup all;
         for (int i = 0; i < 300; ++i) all.spawn(its.scalar<std::int64_t>("SELECT 1"));
         co_return co_await all.join();
       }(engine)),
       "requests after it");
  std::printf("%llu tasks: %llu dropped, %llu asked to end, %llu ended, of those %llu transactions committed; %llu requests\n",
              static_cast<unsigned long long>(task_count), static_cast<unsigned long long>(done.dropped),
              static_cast<unsigned long long>(done.cancelled), static_cast<unsigned long long>(done.ended),
              static_cast<unsigned long long>(done.committed), static_cast<unsigned long long>(counters.requests));
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t tasks = 10'000;
  if (argc == 3 && std::strcmp(argv[1], "--tasks") == 0) tasks = std::strtoull(argv[2], nullptr, 10);
  return run_program([&] { run(tasks); });
}
