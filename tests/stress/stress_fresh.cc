// stress_fresh: nobody reads what is out of date. Writers count up, each its own cell, in every way in which something can be
// committed; what was acknowledged stands in memory that all processes share. Readers look there first, preferably for the
// newest acknowledgement, and then ask the daemon: it must answer with that or with something later. The same holds for
// what any other reader has seen before, on whatever lane. Holders keep old snapshots, so that the log has to be emptied again and
// again, and reads that pass its gate are among those looked at.
//
// Exit status 0: at least --checks answers were looked at, and all were fresh.
#include <fmt/format.h>
#include <sys/mman.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <new>
#include <thread>

#include "skua/client.h"
#include "tests/stress/client_processes.h"
#include "tests/support/failure.h"
#include "tests/support/random.h"
#include "tests/support/real_daemon.h"

namespace skua::stress {

namespace {

constexpr std::size_t kCellsMax = 64;
// So often a client looks whether there are enough checks.
constexpr std::uint64_t kChecksAtOnce = 64;
constexpr std::chrono::milliseconds kHoldersRest{5};
// Half of this log is filled by some 400 commits; after so many there must have been a drain.
constexpr std::int64_t kCommitsOfDrain = 5'000;
constexpr const char* kConfig = "[limits]\nwal_bytes_max = 2097152\nwal_drain_ms_max = 50\n";

struct Settings {
  std::uint64_t checks = 1'000'000;
  std::size_t writers = 4;
  std::size_t readers = 6;
  std::size_t holders = 1;
};

// In memory that all processes share.
struct Board {
  std::atomic<std::int64_t> acknowledged[kCellsMax] = {};
  std::atomic<std::int64_t> seen[kCellsMax] = {};
  std::atomic<std::size_t> newest{0};
  std::atomic<std::uint64_t> checks{0};

  // What a request that is sent from now on must at least see.
  std::int64_t expected(std::size_t cell) const { return std::max(acknowledged[cell].load(), seen[cell].load()); }
  void add_seen(std::size_t cell, std::int64_t value) {
    std::int64_t before = seen[cell].load();
    while (before < value && !seen[cell].compare_exchange_weak(before, value)) continue;
  }
};

class SharedBoard {
 public:
  SharedBoard() {
    void* memory = ::mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    test::require(memory != MAP_FAILED, "no shared memory");
    board_ = new (memory) Board;
  }
  SharedBoard(const SharedBoard&) = delete;
  SharedBoard& operator=(const SharedBoard&) = delete;
  ~SharedBoard() { ::munmap(board_, sizeof(Board)); }
  Board& operator*() { return *board_; }

 private:
  Board* board_;
};

Connection connect(const std::string& socket_path) {
  ConnectOptions options;
  options.socket_path = socket_path;
  options.client_name = "stress_fresh";
  return test::must(Connection::connect(options), "connecting");
}

// One process: a connection, and what it does with it.
class Client {
 public:
  Client(const std::string& socket_path, Board& board, std::uint64_t seed, std::uint64_t checks_max)
      : connection_(connect(socket_path)), board_(board), random_(seed), checks_max_(checks_max) {}

  void read_until_enough(std::size_t cells) {
    while (!is_enough()) {
      const std::size_t cell = random_.one_in(4) ? below(cells) : board_.newest.load();
      check(cell);
    }
  }

  void write_until_enough(std::size_t cell) {
    for (std::int64_t value = 1; !is_enough(); ++value) {
      commit(cell, value);
      board_.acknowledged[cell].store(value);
      board_.newest.store(cell);
      check(cell);
    }
  }

  // Keeps a snapshot for as long as it may.
  void hold_until_enough() {
    while (!is_enough()) {
      Transaction transaction = test::must(connection_.begin(TransactionMode::kRead), "begin");
      while (!is_enough()) {
        const auto rows = transaction.execute("SELECT count(*) FROM cell");
        if (!rows) {
          const bool is_ended = rows.error().message.find("wal_bytes_max") != std::string::npos;
          test::require(is_ended, "holding a snapshot: " + rows.error().message);
          break;
        }
        std::this_thread::sleep_for(kHoldersRest);
      }
    }
  }

 private:
  std::size_t below(std::size_t count) {
    return static_cast<std::size_t>(random_.between(0, static_cast<std::int64_t>(count) - 1));
  }

  bool is_enough() {
    if (checks_ >= kChecksAtOnce) board_.checks += std::exchange(checks_, 0);
    return board_.checks.load() >= checks_max_;
  }

  // LIKE keeps a read off the loop thread.
  void check(std::size_t cell) {
    const bool on_lane = random_.one_in(8);
    const char* sql = on_lane ? "SELECT value FROM cell WHERE id = ? AND 'lane' LIKE 'lane'"
                              : "SELECT value FROM cell WHERE id = ?";
    const std::int64_t expected = board_.expected(cell);
    const ResultSet rows =
        test::must(connection_.execute(sql, Parameters::of(static_cast<std::int64_t>(cell))), "reading");
    const std::int64_t value = test::must(test::must(rows.one()).get<std::int64_t>(0));
    test::require(value >= expected, fmt::format("a stale read of cell {}{}: {}, but {} was known before it was sent", cell,
                                                 on_lane ? " on a lane" : "", value, expected));
    board_.add_seen(cell, value);
    ++checks_;
  }

  void commit(std::size_t cell, std::int64_t value) {
    static constexpr const char* kUpdate = "UPDATE cell SET value = ? WHERE id = ?";
    const auto id = static_cast<std::int64_t>(cell);
    RequestOptions options;
    options.durability = random_.one_in(20) ? Durability::kFull : Durability::kRelaxed;
    switch (random_.between(0, 7)) {
      case 0: {
        Transaction transaction = test::must(connection_.begin(TransactionMode::kWrite, options), "begin");
        test::must(transaction.execute(kUpdate, Parameters::of(value, id)), "writing in a transaction");
        return test::must(transaction.commit(), "commit");
      }
      case 1: {
        ParameterRows rows(2);
        rows.append(ValueView::integer(value));
        rows.append(ValueView::integer(id));
        rows.end_row();
        test::must(connection_.execute_many(kUpdate, rows, options), "writing many");
        return;
      }
      case 2:
        test::must(connection_.execute("UPDATE cell SET value = ? WHERE id = ? RETURNING value",
                                       Parameters::of(value, id), options),
                   "writing and returning");
        return;
      case 3: {
        // What was changed before the failure stays, and is committed with an error.
        const auto failed = connection_.execute(
            "INSERT OR FAIL INTO cell(id, value) SELECT ?2, ?1 UNION ALL SELECT NULL, NULL "
            "WHERE true ON CONFLICT(id) DO UPDATE SET value = excluded.value",
            Parameters::of(value, id), options);
        test::require(!failed && failed.error().code == ErrorCode::kConstraint, "OR FAIL did not fail");
        return;
      }
      default: test::must(connection_.execute(kUpdate, Parameters::of(value, id), options), "writing");
    }
  }

  Connection connection_;
  Board& board_;
  test::Random random_;
  const std::uint64_t checks_max_;
  std::uint64_t checks_ = 0;
};

std::int64_t statistic(Connection& connection, std::string_view name) {
  const ResultSet rows = test::must(connection.stats());
  for (const Row row : rows) {
    if (test::must(row.get<std::string>(0)) == name) return test::must(row.get<std::int64_t>(1));
  }
  throw test::Failure(fmt::format("there is no statistic {}", name));
}

void run(const Settings& settings) {
  test::require(settings.writers > 0 && settings.writers <= kCellsMax, "1 to 64 writers");
  test::RealDaemon daemon({.config = kConfig});
  {
    Connection connection = connect(daemon.socket_path());
    test::must(connection.execute("CREATE TABLE cell(id INTEGER PRIMARY KEY, value INTEGER NOT NULL)"));
    for (std::size_t id = 0; id < settings.writers; ++id) {
      test::must(connection.execute("INSERT INTO cell VALUES (?, 0)", Parameters::of(static_cast<std::int64_t>(id))));
    }
  }
  test::Random seed;
  SharedBoard board;
  ClientProcesses clients(settings.writers + settings.readers + settings.holders,
                          [&](std::size_t process, WorkerReport&, const std::function<void()>& wait_for_start) {
                            Client client(daemon.socket_path(), *board, seed.seed() + process, settings.checks);
                            wait_for_start();
                            if (process < settings.writers) return client.write_until_enough(process);
                            if (process < settings.writers + settings.readers) return client.read_until_enough(settings.writers);
                            client.hold_until_enough();
                          });
  clients.run();
  std::int64_t commits = 0;
  for (std::size_t cell = 0; cell < settings.writers; ++cell) commits += (*board).acknowledged[cell].load();
  {
    Connection connection = connect(daemon.socket_path());
    const std::int64_t on_loop = statistic(connection, "reads_inline_total");
    const std::int64_t drains = statistic(connection, "wal_drains_total");
    fmt::print("{} reads were looked at between {} commits and {} drains of the log; {} ran on the loop thread\n",
               (*board).checks.load(), commits, drains, on_loop);
    for (const WorkerReport* report : clients.reports()) {
      test::require(report->finished && report->errors == 0, report->first_error.data());
    }
    // With a sanitizer, or beside other work, most take too long for it.
    test::require(on_loop > static_cast<std::int64_t>(settings.checks / 500), "too few reads ran on the loop thread");
    test::require(settings.holders == 0 || commits < kCommitsOfDrain || drains > 0, "the log was never emptied in spite of a reader");
  }
  daemon.stop();
  fmt::print("none was stale\n");
}

}  // namespace

}  // namespace skua::stress

int main(int argc, char** argv) {
  skua::stress::Settings settings;
  CLI::App app("Looks for reads that miss what was acknowledged before they were sent.");
  app.add_option("--checks", settings.checks, "reads to look at");
  app.add_option("--writers", settings.writers, "clients that write");
  app.add_option("--readers", settings.readers, "clients that only read");
  app.add_option("--holders", settings.holders, "clients that keep old snapshots");
  CLI11_PARSE(app, argc, argv);
  return skua::test::run_program([&] { skua::stress::run(settings); });
}
