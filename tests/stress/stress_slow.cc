// stress_slow: many clients that stream a whole table and read a little of it now and then, beside others that read and write.
//
// The daemon's memory stays below what its limits add up to, the log's file below its budget and a group of writes, the others'
// reads and writes go on, and a stream that is not read to its end fails only with a limit's name. At full size:
//
//   stress_slow --consumers 256 --rows 1000000 --seconds 60
//
// Exit status 0: all so.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <thread>

#include "skua/client.h"
#include "tests/stress/client_processes.h"
#include "tests/support/failure.h"
#include "tests/support/process.h"
#include "tests/support/real_daemon.h"

namespace skua::stress {

namespace {

using Clock = std::chrono::steady_clock;

struct Settings {
  double seconds = 60;
  std::size_t consumers = 256;
  std::int64_t rows = 1'000'000;
  std::uint64_t log_megabytes = 32;
  std::uint64_t memory_megabytes = 64;
  std::uint32_t lease_ms = 5'000;
  std::uint64_t spool_megabytes = 4'096;
  std::int64_t pause_ms = 50;
  std::int64_t write_pause_ms = 5;
};

constexpr std::size_t kMebibyte = 1024 * 1024;
constexpr std::int64_t kRowsAtOnce = 10'000;
constexpr std::size_t kReaders = 4;
constexpr std::size_t kWriters = 2;
// What one write adds to the log: its pages, and the padding of its group.
constexpr std::uint64_t kGroupBytes = kWriters * 64 * (4096 + 24);
// A parked cursor: SQLite's page cache of its connection, 2 MiB, a statement, the rows that are collected; and its session.
constexpr std::size_t kConnectionBytes = 3 * kMebibyte;
constexpr std::size_t kDaemonBytes = 128 * kMebibyte;

std::string configuration(const Settings& settings) {
  return fmt::format(
      "[databases.main]\nfile = \"main.db\"\n[limits]\nwal_bytes_max = {}\nresponse_memory_bytes_max = {}\n"
      "stream_lease_ms_max = {}\nspool_total_bytes_max = {}\n",
      settings.log_megabytes * kMebibyte, settings.memory_megabytes * kMebibyte, settings.lease_ms,
      settings.spool_megabytes * kMebibyte);
}

class SlowRun {
 public:
  explicit SlowRun(const Settings& settings) : settings_(settings), daemon_({.config = configuration(settings)}) {}

  bool run() {
    create();
    const std::size_t before_bytes = daemon_.resident_bytes();
    fmt::print("daemon before: {} MiB\n", before_bytes / kMebibyte);
    // The first is all consumers, the second watches, then come the readers, then the writers.
    ClientProcesses clients(2 + kReaders + kWriters,
                            [&](std::size_t process, WorkerReport& report, const std::function<void()>& wait) {
                              wait();
                              const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                                                  std::chrono::duration<double>(settings_.seconds));
                              if (process == 0) return consume(end, report);
                              if (process == 1) return watch(end, report);
                              if (process < 2 + kReaders) return read(end, process, report);
                              write(end, process, report);
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

  Connection connect() const {
    ConnectOptions options;
    options.socket_path = daemon_.socket_path();
    return test::must(Connection::connect(options), "connecting");
  }

  void create() const {
    Connection connection = connect();
    test::must(connection.execute("CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT, real REAL, number INTEGER)"));
    test::must(connection.execute("CREATE TABLE other(id INTEGER PRIMARY KEY, body BLOB)"));
    // In parts: the budget of the log is for all writes but the one that is under way.
    for (std::int64_t first = 1; first <= settings_.rows; first += kRowsAtOnce) {
      test::must(connection.execute(
          "INSERT INTO item WITH RECURSIVE n(i) AS (SELECT ?1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2) "
          "SELECT i, 'the name of item ' || i, i / 7.0, i * 1000 FROM n",
          Parameters::of(first, std::min(first + kRowsAtOnce - 1, settings_.rows))));
    }
  }

  struct Consumer {
    Connection connection;
    std::optional<RowStream> stream;
    std::int64_t rows = 0;
  };

  // Reads some rows of each stream in turn. What is read is in order and complete.
  void consume(Clock::time_point end, WorkerReport& report) const {
    std::vector<Consumer> consumers;
    for (std::size_t i = 0; i < settings_.consumers; ++i) {
      consumers.push_back({connect(), std::nullopt, 0});
      consumers.back().stream = start(consumers.back(), report);
    }
    const std::int64_t rows_each_turn = std::max<std::int64_t>(settings_.rows / 1'000, 20);
    while (Clock::now() < end) {
      for (Consumer& consumer : consumers) {
        if (consumer.stream) step(consumer, rows_each_turn, report);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(settings_.pause_ms));
    }
    // One of each ten is read to its end, as fast as it comes.
    for (std::size_t i = 0; i < consumers.size(); i += 10) {
      if (consumers[i].stream) step(consumers[i], settings_.rows + 1, report);
    }
  }

  std::optional<RowStream> start(Consumer& consumer, WorkerReport& report) const {
    RequestOptions options;
    auto stream = consumer.connection.stream("SELECT id, name, real, number FROM item", {}, options);
    if (stream) return std::move(*stream);
    report.add_error(stream.error().message);
    return std::nullopt;
  }

  void step(Consumer& consumer, std::int64_t rows, WorkerReport& report) const {
    for (; rows > 0; --rows) {
      const auto more = consumer.stream->next();
      if (!more) {
        const bool by_limit = more.error().message.find("_bytes_max") != std::string::npos;
        if (more.error().code == ErrorCode::kLimit && by_limit) {
          ++report.reads_ended;
        } else {
          report.add_error(more.error().message);
        }
        consumer.stream.reset();
        return;
      }
      if (!*more) {
        if (consumer.rows != settings_.rows) report.add_error(fmt::format("a stream ended after {} rows", consumer.rows));
        consumer.stream.reset();
        ++report.operations;
        return;
      }
      const auto id = test::must(consumer.stream->row().get<std::int64_t>(0));
      if (id != ++consumer.rows) {
        report.add_error(fmt::format("row {} came as row {}", id, consumer.rows));
        consumer.stream.reset();
        return;
      }
    }
  }

  void watch(Clock::time_point end, WorkerReport& report) const {
    const std::string log = daemon_.database_path() + "-wal";
    while (Clock::now() < end) {
      std::error_code missing;
      const std::uintmax_t bytes = std::filesystem::file_size(log, missing);
      if (!missing) report.log_bytes_max = std::max<std::uint64_t>(report.log_bytes_max, bytes);
      report.memory_bytes_max = std::max<std::uint64_t>(report.memory_bytes_max, daemon_.resident_bytes());
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  void read(Clock::time_point end, std::size_t process, WorkerReport& report) const {
    Connection connection = connect();
    std::int64_t id = static_cast<std::int64_t>(process);
    for (std::int64_t round = 0; Clock::now() < end; ++round) {
      id = (id * 7'919 + 1) % settings_.rows + 1;
      // Every other one is SQL that was never sent before: it needs a connection.
      const std::string sql = round % 2 == 0 ? "SELECT name FROM item WHERE id = ?"
                                             : fmt::format("SELECT name, {} FROM item WHERE id = ?", round);
      measure(report, Operation::kPointRead, [&] { return connection.execute(sql, Parameters::of(id)); });
    }
  }

  void write(Clock::time_point end, std::size_t process, WorkerReport& report) const {
    Connection connection = connect();
    for (std::int64_t round = 0; Clock::now() < end; ++round) {
      const std::int64_t id = round % 500 * 100 + static_cast<std::int64_t>(process);
      measure(report, Operation::kInsert, [&] {
        return connection.execute("INSERT OR REPLACE INTO other VALUES (?, randomblob(8000))", Parameters::of(id));
      });
      std::this_thread::sleep_for(std::chrono::milliseconds(settings_.write_pause_ms));
    }
  }

  template <class Ask>
  static void measure(WorkerReport& report, Operation operation, const Ask& ask) {
    const Clock::time_point begin = Clock::now();
    const auto result = ask();
    if (!result) return report.add_error(result.error().message);
    report.durations[static_cast<std::size_t>(operation)].add(Clock::now() - begin);
    ++report.operations;
  }

  void check(const std::vector<WorkerReport*>& reports) {
    DurationHistogram reads;
    DurationHistogram writes;
    for (std::size_t process = 0; process < reports.size(); ++process) {
      const WorkerReport& report = *reports[process];
      expect(report.errors == 0 && report.finished,
             fmt::format("process {}: {} errors, the first: {}", process, report.errors, report.first_error.data()));
      if (process >= 2) expect(report.operations > 0, fmt::format("process {} did nothing", process));
      reads.add(report.durations[static_cast<std::size_t>(Operation::kPointRead)]);
      writes.add(report.durations[static_cast<std::size_t>(Operation::kInsert)]);
    }
    const std::uint64_t memory_max = settings_.memory_megabytes * kMebibyte + kDaemonBytes +
                                     std::min<std::size_t>(settings_.consumers, 256) * kConnectionBytes;
    const WorkerReport& watcher = *reports[1];
    fmt::print("{} consumers of {} rows: {} ended by a limit, {} read to the end\n", settings_.consumers, settings_.rows,
               reports[0]->reads_ended, reports[0]->operations);
    fmt::print("reads: p99 {:.1f} ms, max {:.1f} ms; writes: p99 {:.1f} ms, max {:.1f} ms\n", static_cast<double>(reads.quantile_us(0.99)) / 1e3,
               static_cast<double>(reads.max_us) / 1e3, static_cast<double>(writes.quantile_us(0.99)) / 1e3,
               static_cast<double>(writes.max_us) / 1e3);
    fmt::print("the daemon had at most {} MiB; its limits add up to {}\n", watcher.memory_bytes_max / kMebibyte,
               memory_max / kMebibyte);
    fmt::print("the log's file had at most {} bytes; its budget is {}\n", watcher.log_bytes_max,
               settings_.log_megabytes * kMebibyte);
    if (!test::is_sanitized()) expect(watcher.memory_bytes_max <= memory_max, "the daemon has passed its memory");
    expect(watcher.log_bytes_max <= settings_.log_megabytes * kMebibyte + kGroupBytes, "the log has passed its budget");
    check_daemon();
  }

  void check_daemon() {
    Connection connection = connect();
    // The consumers are gone, and the daemon has seen that once it has read what they sent.
    for (const Row row : test::must(connection.stats())) {
      const auto name = test::must(row.get<std::string>("name"));
      const auto value = test::must(row.get<std::int64_t>("value"));
      const bool is_ours = name.find("spool") != std::string::npos || name.find("wal_") == 0 || name.find("memory") != std::string::npos;
      if (is_ours) fmt::print("{:<28}{:>14}\n", name, value);
      if (name == "streams_spooled_total") expect(value > 0, "no stream was put into a file");
      if (name == "spool_bytes") expect(value == 0, "a stream's file stays");
    }
  }

  Settings settings_;
  test::RealDaemon daemon_;
  std::size_t failures_ = 0;
};

}  // namespace

}  // namespace skua::stress

int main(int argc, char** argv) {
  skua::stress::Settings settings;
  CLI::App app("Slow consumers of large streams against the daemon's memory and log, and everybody else.");
  app.add_option("--seconds", settings.seconds, "how long");
  app.add_option("--consumers", settings.consumers, "streams, each with a connection of its own")->check(CLI::Range(1, 4'000));
  app.add_option("--rows", settings.rows, "rows of each stream")->check(CLI::Range(1'000, 10'000'000));
  app.add_option("--log-megabytes", settings.log_megabytes, "wal_bytes_max");
  app.add_option("--memory-megabytes", settings.memory_megabytes, "response_memory_bytes_max");
  app.add_option("--lease-ms", settings.lease_ms, "stream_lease_ms_max");
  app.add_option("--spool-megabytes", settings.spool_megabytes, "spool_total_bytes_max");
  app.add_option("--write-pause-ms", settings.write_pause_ms, "between two writes of each of two clients");
  app.add_option("--pause-ms", settings.pause_ms, "between two turns of a consumer");
  CLI11_PARSE(app, argc, argv);
  bool held = false;
  const int failed = skua::test::run_program([&] { held = skua::stress::SlowRun(settings).run(); });
  return failed != 0 ? failed : held ? 0 : 1;
}
