// The daemon is restarted under load, with SIGTERM and kill -9 in turns. Reads must recover by themselves within their deadline,
// writes with an idempotency key must happen exactly once, and nothing may be reported as done that was not, nor as not done that
// was.
//
//   stress_restart [--restarts N]
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>
#include <string>

#include "skua/engine.h"
#include "tests/engine_client/engine_world.h"
#include "tests/support/random.h"

using namespace skua;
using namespace skua::test;

namespace {

constexpr std::uint32_t kDeadlineMs = 60'000;
constexpr int kReaders = 16;
constexpr int kWriters = 8;

// What the writers were told of each row that they wanted to insert.
struct Ledger {
  std::set<std::int64_t> keyed;      // done, with a key
  std::set<std::int64_t> done;       // done, without
  std::set<std::int64_t> in_doubt;   // without a key, or in a transaction: kInDoubt
  std::set<std::int64_t> not_done;   // any other error
  std::uint64_t reads = 0;
  std::int64_t last = 0;
};

class Load {
 public:
  Load(Engine& engine, Ledger& ledger) : engine_(engine), ledger_(ledger) {}

  void stop() { stopped_ = true; }

  Task<Status> run() {
    TaskGroup group;
    for (int i = 0; i < kReaders; ++i) group.spawn(read());
    for (int i = 0; i < kWriters; ++i) {
      group.spawn(write_with_keys());
      group.spawn(write_without());
      group.spawn(write_in_transactions());
    }
    co_return co_await group.join();
  }

 private:
  // Whatever happens, a read that is given time succeeds.
  Task<Status> read() {
    while (!stopped_) {
      SKUA_CO_ASSIGN(const auto value, co_await engine_.scalar<std::int64_t>("SELECT 41 + 1", {},
                                                                             RequestOptions().with_deadline_ms(kDeadlineMs)));
      if (value != 42) co_return make_error(ErrorCode::kUsage, "a read gave something else");
      SKUA_CO_TRY(co_await engine_.execute("SELECT max(id) FROM entry", {}, RequestOptions().with_deadline_ms(kDeadlineMs)));
      ledger_.reads += 2;
    }
    co_return Status();
  }

  Task<Status> write_with_keys() {
    while (!stopped_) {
      const std::int64_t id = ++ledger_.last;
      // Twice would be an error: the id is a primary key. And it counts, if the key does not.
      SKUA_CO_ASSIGN(const auto rows,
                     co_await engine_.execute("INSERT INTO entry (id) VALUES (?)", Parameters::of(id),
                                              RequestOptions().with_deadline_ms(kDeadlineMs).with_idempotency_key(
                                                  "entry " + std::to_string(id))));
      if (rows.summary().changes != 1) co_return make_error(ErrorCode::kUsage, "a keyed write changed no row");
      ledger_.keyed.insert(id);
    }
    co_return Status();
  }

  Task<Status> write_without() {
    while (!stopped_) {
      const std::int64_t id = ++ledger_.last;
      note(id, co_await engine_.execute("INSERT INTO entry (id) VALUES (?)", Parameters::of(id)));
    }
    co_return Status();
  }

  Task<Status> write_in_transactions() {
    while (!stopped_) {
      const std::int64_t id = ++ledger_.last;
      const auto body = [id](AsyncTransaction& transaction) -> Task<Status> {
        SKUA_CO_TRY(co_await transaction.execute("INSERT INTO entry (id) VALUES (?)", Parameters::of(id)));
        co_return Status();
      };
      note(id, co_await engine_.in_transaction(body));
    }
    co_return Status();
  }

  template <class T>
  void note(std::int64_t id, const Result<T>& result) {
    if (result) {
      ledger_.done.insert(id);
    } else if (result.error().code == ErrorCode::kInDoubt) {
      ledger_.in_doubt.insert(id);
    } else {
      ledger_.not_done.insert(id);
      last_error_ = result.error();
    }
  }

  Engine& engine_;
  Ledger& ledger_;
  bool stopped_ = false;
  std::optional<Error> last_error_;
};

void check(RealDaemon& daemon, const Ledger& ledger) {
  Connection connection = look(daemon);
  std::set<std::int64_t> stored;
  for (const std::int64_t id : must(connection.all<std::int64_t>("SELECT id FROM entry"))) stored.insert(id);
  for (const std::int64_t id : ledger.keyed) require(stored.contains(id), "keyed write " + std::to_string(id) + " is missing");
  for (const std::int64_t id : ledger.done) require(stored.contains(id), "write " + std::to_string(id) + " is missing");
  for (const std::int64_t id : ledger.not_done) {
    require(!stored.contains(id), "write " + std::to_string(id) + " was reported as not done");
  }
  std::size_t doubtful = 0;
  for (const std::int64_t id : ledger.in_doubt) doubtful += stored.contains(id);
  require(must(connection.scalar<std::string>("PRAGMA integrity_check")) == "ok", "the database is damaged");
  std::printf("%llu reads; writes: %zu with a key and %zu without are done, %zu are in doubt (%zu of them done), %zu failed\n",
              static_cast<unsigned long long>(ledger.reads), ledger.keyed.size(), ledger.done.size(), ledger.in_doubt.size(),
              doubtful, ledger.not_done.size());
}

void run(int restarts) {
  RealDaemon daemon;
  Random random;
  Ledger ledger;
  EngineOptions options = options_for(daemon);
  options.reconnect_ms_max = 100;
  options.wait_ms_max = 20'000;
  Engine engine(options);
  must(engine.run_task(engine.execute("CREATE TABLE entry (id INTEGER PRIMARY KEY)")), "create");
  Load load(engine, ledger);
  Status outcome;
  bool is_done = false;
  const StartedTask loading = engine.start(load.run(), [&](Status status) {
    outcome = std::move(status);
    is_done = true;
  });
  for (int restart = 0; restart < restarts && !is_done; ++restart) {
    must(engine.run_task(engine.sleep(static_cast<std::uint32_t>(random.between(20, 400)))), "sleep");
    if (restart % 2 == 0) {
      // It drains while the load goes on.
      ::kill(daemon.pid(), SIGTERM);
      must(engine.run_task(engine.sleep(static_cast<std::uint32_t>(random.between(0, 50)))), "sleep");
      daemon.wait_for_end();
    } else {
      daemon.kill();
    }
    if (random.one_in(2)) must(engine.run_task(engine.sleep(static_cast<std::uint32_t>(random.between(0, 100)))), "sleep");
    daemon.start();
  }
  must(engine.run_task(engine.sleep(200)), "sleep");
  load.stop();
  while (!is_done) must(engine.run_task(engine.sleep(10)), "sleep");
  must(outcome, "the load");
  const EngineCounters counters = engine.counters();
  std::printf("%d restarts: %llu requests, %llu of them sent again; %llu connections opened, %llu lost\n", restarts,
              static_cast<unsigned long long>(counters.requests), static_cast<unsigned long long>(counters.resent),
              static_cast<unsigned long long>(counters.connects), static_cast<unsigned long long>(counters.lost));
  check(daemon, ledger);
}

}  // namespace

int main(int argc, char** argv) {
  int restarts = 8;
  if (argc == 3 && std::strcmp(argv[1], "--restarts") == 0) restarts = std::atoi(argv[2]);
  return run_program([&] { run(restarts); });
}
