// stress_mixed: many client processes read, write, stream and transfer at once for a while, each checking what
// it gets.
//
// Promises looked at: no error of any kind; the accounts' total holds in every snapshot; each acknowledged
// insert and transfer is there at the end, and no other; no process starves. Exit status 0: all of them held.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>

#include "tests/stress/bank.h"
#include "tests/stress/client_processes.h"
#include "tests/stress/mixed_worker.h"
#include "tests/support/failure.h"
#include "tests/support/real_daemon.h"

namespace skua::stress {

namespace {

struct Settings {
  std::size_t clients = 64;
  double seconds = 60;
  double fairness_min = 0.5;
};

Connection connect(const std::string& socket_path, const std::string& name) {
  ConnectOptions options;
  options.socket_path = socket_path;
  options.client_name = name;
  return test::must(Connection::connect(options), "connecting");
}

class MixedRun {
 public:
  explicit MixedRun(const Settings& settings) : settings_(settings) {}

  bool run() {
    {
      Connection connection = connect(daemon_.socket_path(), "stress_mixed");
      test::must(Bank::create(connection), "creating the bank");
    }
    const std::uint64_t seed = test::Random().seed();
    ClientProcesses clients(
        settings_.clients, [&](std::size_t process, WorkerReport& report, const auto& wait_for_start) {
          MixedWorker worker(connect(daemon_.socket_path(), fmt::format("stress_mixed {}", process)),
                             static_cast<std::int64_t>(process), seed + process, report);
          wait_for_start();
          worker.run_until(std::chrono::steady_clock::now() +
                           std::chrono::duration_cast<std::chrono::nanoseconds>(
                               std::chrono::duration<double>(settings_.seconds)));
        });
    clients.run();
    print_operations(clients.reports());
    check_workers(clients.reports());
    check_fairness(clients.reports());
    check_database(clients.reports());
    daemon_.stop();
    fmt::print("{}\n", failures_ == 0 ? "all promises held" : fmt::format("{} promises broken", failures_));
    return failures_ == 0;
  }

 private:
  using Reports = std::vector<WorkerReport*>;

  void expect(bool condition, const std::string& what) {
    if (condition) return;
    ++failures_;
    fmt::print("FAILED: {}\n", what);
  }

  void print_operations(const Reports& reports) const {
    fmt::print("{} client processes, {} s\n\n", settings_.clients, settings_.seconds);
    fmt::print("{:<24}{:>10}{:>10}{:>11}{:>11}{:>11}\n", "operation", "count", "per s", "mean ms", "p99 ms <",
               "max ms");
    DurationHistogram all;
    const auto print = [&](std::string_view name, const DurationHistogram& durations) {
      const auto ms = [](std::uint64_t us) { return static_cast<double>(us) / 1'000; };
      const std::uint64_t count = std::max<std::uint64_t>(durations.count, 1);
      fmt::print("{:<24}{:>10}{:>10.0f}{:>11.2f}{:>11.2f}{:>11.2f}\n", name, durations.count,
                 static_cast<double>(durations.count) / settings_.seconds,
                 ms(durations.total_us) / static_cast<double>(count), ms(durations.quantile_us(0.99)),
                 ms(durations.max_us));
    };
    for (std::size_t operation = 0; operation < kOperations; ++operation) {
      DurationHistogram durations;
      for (const WorkerReport* report : reports) durations.add(report->durations[operation]);
      print(kOperationNames[operation], durations);
      all.add(durations);
    }
    print("all", all);
    fmt::print("\n");
  }

  void check_workers(const Reports& reports) {
    std::uint64_t errors = 0;
    for (std::size_t process = 0; process < reports.size(); ++process) {
      const WorkerReport& report = *reports[process];
      errors += report.errors;
      expect(report.errors == 0, fmt::format("process {}: {} errors, the first: {}", process, report.errors,
                                             report.first_error.data()));
      expect(report.finished || report.errors > 0, fmt::format("process {} did not finish", process));
    }
    fmt::print("errors: {}\n", errors);
  }

  void check_fairness(const Reports& reports) {
    const auto less = [](const WorkerReport* a, const WorkerReport* b) {
      return a->operations < b->operations;
    };
    const auto [slowest, fastest] = std::minmax_element(reports.begin(), reports.end(), less);
    const double ratio = static_cast<double>((*slowest)->operations) /
                         static_cast<double>(std::max<std::uint64_t>((*fastest)->operations, 1));
    fmt::print("operations of the slowest process {}, of the fastest {}: {:.2f}\n", (*slowest)->operations,
               (*fastest)->operations, ratio);
    expect(ratio >= settings_.fairness_min,
           fmt::format("a process starved: {:.2f} < {:.2f}", ratio, settings_.fairness_min));
  }

  void check_database(const Reports& reports) {
    Connection connection = connect(daemon_.socket_path(), "stress_mixed");
    const Status total = Bank::check_total(connection);
    expect(total.has_value(), total ? "" : total.error().message);
    std::uint64_t entries = 0;
    std::uint64_t transfers = 0;
    for (std::size_t process = 0; process < reports.size(); ++process) {
      const Parameters parameters = Parameters::of(process);
      const auto count = [&](std::string_view sql) {
        return test::must(Bank::number(connection, sql, parameters));
      };
      const auto expected_entries = static_cast<std::int64_t>(reports[process]->entries);
      const auto expected_transfers = static_cast<std::int64_t>(reports[process]->transfers);
      const std::int64_t found = count("SELECT count(*) FROM entry WHERE process = ?");
      const std::int64_t last = count("SELECT coalesce(max(sequence), 0) FROM entry WHERE process = ?");
      const std::int64_t moved = count("SELECT count(*) FROM transfer WHERE process = ?");
      expect(found == expected_entries && last == expected_entries,
             fmt::format("process {}: {} inserts acknowledged, {} found", process, expected_entries, found));
      expect(moved == expected_transfers, fmt::format("process {}: {} transfers acknowledged, {} found",
                                                      process, expected_transfers, moved));
      entries += reports[process]->entries;
      transfers += reports[process]->transfers;
    }
    fmt::print("inserts acknowledged: {}, transfers acknowledged: {}\n", entries, transfers);
    const auto integrity = test::must(connection.execute("PRAGMA integrity_check"), "integrity_check");
    const auto verdict = test::must(integrity.row(0).get<std::string>(0));
    expect(verdict == "ok", "integrity_check: " + verdict);
  }

  Settings settings_;
  test::RealDaemon daemon_;
  std::size_t failures_ = 0;
};

}  // namespace

}  // namespace skua::stress

int main(int argc, char** argv) {
  skua::stress::Settings settings;
  CLI::App app("Many client processes at once against a Skua daemon of its own. SKUA_TEST_SEED repeats a run.");
  app.add_option("--clients", settings.clients, "client processes")->check(CLI::Range(1, 1000));
  app.add_option("--seconds", settings.seconds, "how long");
  app.add_option("--fairness-min", settings.fairness_min,
                 "operations of the slowest over those of the fastest process");
  CLI11_PARSE(app, argc, argv);
  bool held = false;
  const int failed = skua::test::run_program([&] { held = skua::stress::MixedRun(settings).run(); });
  return failed != 0 ? failed : held ? 0 : 1;
}
