// stress_wal: writers without a pause, and readers that do whatever keeps SQLite from emptying its log: hold read
// transactions, stall in the middle of streams, overlap without end, and die by SIGKILL in all of that.
//
// The log's file never grows beyond wal_bytes_max and the largest group of writes, no write fails, a read fails only with
// the limit's name, and what a reader sees is one snapshot. Exit status 0: all so.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <thread>

#include "skua/client.h"
#include "tests/stress/client_processes.h"
#include "tests/stress/victim.h"
#include "tests/support/failure.h"
#include "tests/support/process.h"
#include "tests/support/random.h"
#include "tests/support/real_daemon.h"

namespace skua::stress {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t kRows = 1'000;
constexpr std::int64_t kBodyBytes = 16'000;
constexpr std::uint64_t kBudgetBytes = 8 * 1024 * 1024;
// What one update adds to the log: the row's page and its overflow pages, each with its frame's header, and the page of
// the counter that the group shares.
constexpr std::uint64_t kWritePages = 6;
constexpr std::uint64_t kFrameBytes = 4096 + 24;
constexpr auto kSampleInterval = std::chrono::milliseconds(5);

struct Settings {
  double seconds = 60;
  std::size_t writers = 6;
  std::size_t readers = 8;
  std::uint32_t grace_ms = 300;
};

std::string configuration(const Settings& settings) {
  return fmt::format("[databases.main]\nfile = \"main.db\"\n[limits]\nwal_bytes_max = {}\nwal_drain_ms_max = {}\n",
                     kBudgetBytes, settings.grace_ms);
}

Connection connect(const std::string& socket_path, std::string name) {
  ConnectOptions options;
  options.socket_path = socket_path;
  options.client_name = std::move(name);
  return test::must(Connection::connect(options), "connecting");
}

void sleep_ms(std::int64_t ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

void create(Connection& connection) {
  test::must(connection.execute("CREATE TABLE item(id INTEGER PRIMARY KEY, version INTEGER NOT NULL, body BLOB)"));
  // One by one: all at once would be a larger group than any that follows.
  for (std::int64_t id = 1; id <= kRows; ++id) {
    test::must(connection.execute("INSERT INTO item VALUES (?, 0, zeroblob(?))", Parameters::of(id, kBodyBytes)));
  }
}

// A reader that was ended for the log's sake, as it may be.
bool is_ended_for_log(const Error& error) {
  return (error.code == ErrorCode::kLimit || error.code == ErrorCode::kTransactionAborted) &&
         error.message.find("wal_bytes_max") != std::string::npos;
}

// One reading client, which does something else each time.
class Reader {
 public:
  Reader(Connection connection, std::uint64_t seed) : connection_(std::move(connection)), random_(seed) {}

  Status read_once() {
    switch (random_.between(0, 4)) {
      case 0: return hold_transaction();
      case 1: return stall("SELECT id, body FROM item", false);
      case 2: return stall("SELECT id, body FROM item JOIN own USING(id)", true);
      case 3: return run_on();
      default: return overlap();
    }
  }

 private:
  Status hold_transaction() {
    SKUA_ASSIGN(Transaction transaction, connection_.begin(TransactionMode::kRead));
    SKUA_ASSIGN(const std::int64_t before, versions(transaction));
    sleep_ms(random_.between(0, 1'000));
    SKUA_ASSIGN(const std::int64_t after, versions(transaction));
    if (before != after) return make_error(ErrorCode::kInternal, "a read transaction saw others commit");
    return transaction.commit();
  }

  // `own`: on a connection of the session's own, with a TEMP table.
  Status stall(std::string_view sql, bool own) {
    if (own) {
      SKUA_TRY(connection_.execute("CREATE TEMP TABLE IF NOT EXISTS own(id INTEGER PRIMARY KEY)"));
      SKUA_TRY(connection_.execute("INSERT OR IGNORE INTO own SELECT id FROM item"));
    }
    RequestOptions options;
    options.window_bytes = 16 * 1024;
    SKUA_ASSIGN(RowStream stream, connection_.stream(sql, {}, options));
    for (std::int64_t i = random_.between(1, 20); i > 0; --i) SKUA_TRY(stream.next());
    sleep_ms(random_.between(0, 1'000));
    while (true) {
      SKUA_ASSIGN(const bool more, stream.next());
      if (!more) return {};
    }
  }

  Status run_on() {
    SKUA_TRY(connection_.execute("SELECT sum(a.version * b.version) FROM item a, item b"));
    return {};
  }

  Status overlap() {
    for (int i = 0; i < 50; ++i) SKUA_TRY(versions(connection_));
    return {};
  }

  template <class Executor>
  static Result<std::int64_t> versions(Executor& executor) {
    SKUA_ASSIGN(const ResultSet rows, executor.execute("SELECT sum(version) FROM item"));
    SKUA_ASSIGN(const Row row, rows.one());
    return row.get<std::int64_t>(0);
  }

  Connection connection_;
  test::Random random_;
};

class WalRun {
 public:
  explicit WalRun(const Settings& settings)
      : settings_(settings), daemon_({.config = configuration(settings)}) {}

  bool run() {
    {
      Connection connection = connect(daemon_.socket_path(), "stress_wal");
      create(connection);
    }
    // The first watches and kills, then come the writers, then the readers.
    ClientProcesses clients(1 + settings_.writers + settings_.readers,
                            [&](std::size_t process, WorkerReport& report, const std::function<void()>& wait) {
                              wait();
                              const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                                                  std::chrono::duration<double>(settings_.seconds));
                              const std::uint64_t seed = seed_.seed() + process;
                              if (process == 0) return watch(end, seed, report);
                              if (process <= settings_.writers) return write(end, seed, report);
                              read(end, seed, report);
                            });
    clients.run();
    check(clients.reports());
    daemon_.stop();
    fmt::print("{}\n", failures_ == 0 ? "all promises held" : fmt::format("{} promises broken", failures_));
    return failures_ == 0;
  }

 private:
  void expect(bool condition, const std::string& what) {
    if (condition) return;
    ++failures_;
    fmt::print("FAILED: {}\n", what);
  }

  // A client that is killed while it holds a snapshot: in a transaction, or in a stream that it does not read.
  Victim victim(bool streams) const {
    return Victim([this, streams](const std::function<void()>& say_ready) {
      Connection connection = connect(daemon_.socket_path(), "victim");
      RequestOptions options;
      options.window_bytes = 16 * 1024;
      if (streams) {
        const RowStream stream = test::must(connection.stream("SELECT id, body FROM item", {}, options));
        say_ready();
        sleep_ms(3'600'000);
      }
      const Transaction transaction = test::must(connection.begin(TransactionMode::kRead));
      say_ready();
      sleep_ms(3'600'000);
    });
  }

  void watch(Clock::time_point end, std::uint64_t seed, WorkerReport& report) const {
    test::Random random(seed);
    const std::string log = daemon_.database_path() + "-wal";
    while (Clock::now() < end) {
      Victim held = victim(random.between(0, 1) == 0);
      held.wait_until_ready();
      const auto kill_at = Clock::now() + std::chrono::milliseconds(random.between(0, 600));
      do {
        std::error_code missing;
        const std::uintmax_t bytes = std::filesystem::file_size(log, missing);
        if (!missing) report.log_bytes_max = std::max<std::uint64_t>(report.log_bytes_max, bytes);
        std::this_thread::sleep_for(kSampleInterval);
      } while (Clock::now() < kill_at);
      held.kill();
      ++report.operations;
    }
  }

  void write(Clock::time_point end, std::uint64_t seed, WorkerReport& report) const {
    test::Random random(seed);
    Connection connection = connect(daemon_.socket_path(), "writer");
    RequestOptions options;
    options.durability = Durability::kRelaxed;  // more writes, and so more log
    while (Clock::now() < end) {
      const Clock::time_point begin = Clock::now();
      const auto result =
          connection.execute(fmt::format("UPDATE item SET version = version + 1, body = randomblob({}) WHERE id = ?", kBodyBytes),
                             Parameters::of(random.between(1, kRows)), options);
      if (!result) {
        report.add_error(result.error().message);
        continue;
      }
      report.durations[static_cast<std::size_t>(Operation::kInsert)].add(Clock::now() - begin);
      ++report.operations;
    }
  }

  void read(Clock::time_point end, std::uint64_t seed, WorkerReport& report) const {
    Reader reader(connect(daemon_.socket_path(), "reader"), seed);
    while (Clock::now() < end) {
      const Status status = reader.read_once();
      if (status) {
        ++report.operations;
      } else if (is_ended_for_log(status.error())) {
        ++report.reads_ended;
      } else {
        report.add_error(status.error().message);
      }
    }
  }

  void check(const std::vector<WorkerReport*>& reports) {
    std::uint64_t writes = 0;
    std::uint64_t reads = 0;
    std::uint64_t ended = 0;
    DurationHistogram durations;
    for (std::size_t process = 0; process < reports.size(); ++process) {
      const WorkerReport& report = *reports[process];
      expect(report.errors == 0 && report.finished,
             fmt::format("process {}: {} errors, the first: {}", process, report.errors, report.first_error.data()));
      if (process > 0) (process <= settings_.writers ? writes : reads) += report.operations;
      ended += report.reads_ended;
      durations.add(report.durations[static_cast<std::size_t>(Operation::kInsert)]);
    }
    const WorkerReport& watcher = *reports[0];
    const std::uint64_t group_bytes = (settings_.writers * kWritePages + 1) * kFrameBytes;
    fmt::print("{} s: {} writes, {} reads, {} reads ended for the log's sake, {} readers killed\n", settings_.seconds,
               writes, reads, ended, watcher.operations);
    fmt::print("the log's file had at most {} bytes; its budget is {}, a group has {} at most\n", watcher.log_bytes_max,
               kBudgetBytes, group_bytes);
    fmt::print("a write took {:.1f} ms at most\n", static_cast<double>(durations.max_us) / 1000);
    expect(watcher.log_bytes_max <= kBudgetBytes + group_bytes, "the log has passed its budget by more than a group");
    expect(watcher.log_bytes_max > kBudgetBytes / 4, "the log has not been filled: the test tests nothing");
    check_daemon();
  }

  void check_daemon() {
    Connection connection = connect(daemon_.socket_path(), "stress_wal");
    for (const Row row : test::must(connection.stats())) {
      const auto name = test::must(row.get<std::string>("name"));
      const auto value = test::must(row.get<std::int64_t>("value"));
      const bool is_ours = name.find("wal") != std::string::npos || name.find("checkpoint") != std::string::npos;
      if (is_ours) fmt::print("{:<28}{:>14}\n", name, value);
      if (name == "wal_drains_total") expect(value > 0, "no reader ever had to be ended");
    }
    const auto integrity = test::must(connection.execute("PRAGMA integrity_check"), "integrity_check");
    const auto verdict = test::must(integrity.row(0).get<std::string>(0));
    expect(verdict == "ok", "integrity_check: " + verdict);
    const std::string log = daemon_.log();
    if (const std::size_t pinned = log.rfind("cannot be emptied, for "); pinned != std::string::npos) {
      fmt::print("the last who pinned it: {}\n", log.substr(pinned, log.find('\n', pinned) - pinned));
    }
  }

  Settings settings_;
  test::Random seed_;
  test::RealDaemon daemon_;
  std::size_t failures_ = 0;
};

}  // namespace

}  // namespace skua::stress

int main(int argc, char** argv) {
  skua::stress::Settings settings;
  CLI::App app("Readers of every bad kind against the budget of the log. SKUA_TEST_SEED repeats a run.");
  app.add_option("--seconds", settings.seconds, "how long");
  app.add_option("--writers", settings.writers, "client processes that write")->check(CLI::Range(1, 250));
  app.add_option("--readers", settings.readers, "client processes that read")->check(CLI::Range(1, 250));
  app.add_option("--grace-ms", settings.grace_ms, "wal_drain_ms_max");
  CLI11_PARSE(app, argc, argv);
  bool held = false;
  const int failed = skua::test::run_program([&] { held = skua::stress::WalRun(settings).run(); });
  return failed != 0 ? failed : held ? 0 : 1;
}
