// stress_backup: what backups cost those who write, and whether each copy is one moment of the database.
//
// Writers move amounts between accounts without a pause: most by a statement, some in a transaction, some that
// is rolled back. Spans of time without a backup and with one alternate; the ratio of the writers' rates is
// what carries over from a busy machine. Exit status 0: every copy passes SQLite's integrity check and has the
// sum that no transfer changes, the log kept its budget, and no write failed. The rates are printed and judged
// by nobody.
#include <fmt/format.h>
#include <sqlite3.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>
#include <vector>

#include "skua/client.h"
#include "tests/support/failure.h"
#include "tests/support/random.h"
#include "tests/support/real_daemon.h"

namespace skua::stress {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t kBodyBytes = 2'000;
constexpr std::int64_t kBalance = 100;
constexpr std::uint64_t kBudgetBytes = 64 * 1024 * 1024;
constexpr auto kSampleInterval = std::chrono::milliseconds(250);

struct Settings {
  int rounds = 5;
  int writers = 8;
  std::int64_t megabytes = 500;
  double seconds = 3;
};

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

std::string spread(std::vector<double> values) {
  if (values.empty()) return "none";
  std::sort(values.begin(), values.end());
  return fmt::format("median {:.2f}, {:.2f} to {:.2f}", values[values.size() / 2], values.front(),
                     values.back());
}

std::string ask_file(const std::string& file, const char* sql) {
  sqlite3* db = nullptr;
  test::require(sqlite3_open_v2(file.c_str(), &db, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK,
                "cannot open " + file);
  std::string text;
  const auto add = [](void* out, int, char** values, char**) {
    *static_cast<std::string*>(out) += values[0] != nullptr ? values[0] : "NULL";
    return 0;
  };
  const int code = sqlite3_exec(db, sql, add, &text, nullptr);
  const std::string message = sqlite3_errmsg(db);
  sqlite3_close(db);
  test::require(code == SQLITE_OK, message);
  return text;
}

class BackupRun {
 public:
  explicit BackupRun(const Settings& settings)
      : settings_(settings),
        accounts_(settings.megabytes * 1'000'000 / kBodyBytes),
        daemon_({.config = fmt::format("[databases.main]\nfile = \"main.db\"\n[limits]\nwal_bytes_max = {}\n",
                                       kBudgetBytes)}) {}

  bool run() {
    create();
    // Alone: how long it takes when nobody writes.
    idle_seconds_.push_back(backup());
    std::vector<std::thread> writers;
    for (int writer = 0; writer < settings_.writers; ++writer) {
      writers.emplace_back([this, writer] { write(seed_.seed() + static_cast<std::uint64_t>(writer)); });
    }
    std::thread sampler([this] { sample(); });
    for (int round = 0; round < settings_.rounds; ++round) measure_round();
    is_over_ = true;
    sampler.join();
    for (std::thread& writer : writers) writer.join();
    idle_seconds_.push_back(backup());
    print();
    daemon_.stop();
    return failures_ == 0;
  }

 private:
  struct Span {
    double rate = 0;
    double seconds = 0;
    std::vector<double> rates_of_samples;
  };

  struct Mark {
    Clock::time_point time;
    std::uint64_t writes = 0;
  };
  Mark mark() const { return {Clock::now(), writes_}; }

  struct Phase {
    const char* name;
    std::vector<double> seconds;
    std::vector<double> ratios;
  };

  void expect(bool condition, const std::string& what) {
    if (condition) return;
    ++failures_;
    fmt::print("FAILED: {}\n", what);
  }

  Connection connect() {
    ConnectOptions options;
    options.socket_path = daemon_.socket_path();
    return test::must(Connection::connect(options), "connecting");
  }

  void create() {
    Connection connection = connect();
    test::must(connection.execute(
        "CREATE TABLE account(id INTEGER PRIMARY KEY, balance INTEGER NOT NULL, body BLOB)"));
    constexpr std::int64_t kAtOnce = 5'000;
    for (std::int64_t id = 1; id <= accounts_; id += kAtOnce) {
      test::must(connection.execute(
          "INSERT INTO account WITH RECURSIVE n(i) AS (SELECT ?1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2) "
          "SELECT i, ?3, randomblob(?4) FROM n",
          Parameters::of(id, std::min(id + kAtOnce - 1, accounts_), kBalance, kBodyBytes)));
    }
  }

  void write(std::uint64_t seed) {
    test::Random random(seed);
    Connection connection = connect();
    while (!is_over_) {
      const std::int64_t from = random.between(1, accounts_ - 1);
      const Status written = random.one_in(20) ? transfer_in_transaction(connection, from, random.one_in(2))
                                               : transfer(connection, from);
      if (written) {
        ++writes_;
      } else if (++write_errors_ == 1) {
        fmt::print("a write failed: {}\n", written.error().message);
      }
    }
  }

  static Status transfer(Connection& connection, std::int64_t from) {
    SKUA_TRY(connection.execute(
        "UPDATE account SET balance = balance + iif(id = ?1, -1, 1) WHERE id IN (?1, ?1 + 1)",
        Parameters::of(from)));
    return {};
  }

  static Status transfer_in_transaction(Connection& connection, std::int64_t from, bool commits) {
    SKUA_ASSIGN(Transaction transaction, connection.begin());
    SKUA_TRY(
        transaction.execute("UPDATE account SET balance = balance - 1 WHERE id = ?", Parameters::of(from)));
    SKUA_TRY(
        transaction.execute("UPDATE account SET balance = balance + 1 WHERE id = ?", Parameters::of(from + 1)));
    return commits ? transaction.commit() : transaction.rollback();
  }

  void sample() {
    const std::string log = daemon_.database_path() + "-wal";
    while (!is_over_) {
      std::error_code missing;
      const std::uintmax_t bytes = std::filesystem::file_size(log, missing);
      if (!missing) log_bytes_max_ = std::max<std::uint64_t>(log_bytes_max_, bytes);
      resident_bytes_max_ = std::max(resident_bytes_max_, daemon_.resident_bytes());
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }

  // The writers' rate until it is done.
  template <class Done>
  Span watch(const Done& done) {
    Span span;
    const Clock::time_point begin = Clock::now();
    const std::uint64_t writes_before = writes_;
    std::vector<std::pair<Clock::time_point, std::uint64_t>> samples = {{begin, writes_before}};
    while (!done()) {
      std::this_thread::sleep_for(kSampleInterval);
      samples.emplace_back(Clock::now(), writes_);
      // A second's rate, four times a second.
      if (samples.size() < 5) continue;
      const auto& [then, writes_then] = samples[samples.size() - 5];
      span.rates_of_samples.push_back(static_cast<double>(writes_ - writes_then) / seconds_since(then));
    }
    span.seconds = seconds_since(begin);
    span.rate = static_cast<double>(writes_ - writes_before) / span.seconds;
    return span;
  }

  Span watch_alone() {
    const Clock::time_point begin = Clock::now();
    return watch([&] { return seconds_since(begin) >= settings_.seconds; });
  }

  // Returns how long it took.
  double backup() {
    Connection connection = connect();
    BackupOptions options;
    options.replace = true;
    marks_ = {mark()};
    options.on_progress = [&](const BackupProgress& progress) {
      const bool begins = progress.is_fetching && marks_.size() == 1;
      const bool ends = progress.is_fetching && progress.done == progress.total;
      if (begins) marks_.push_back(mark());
      if (ends) marks_.push_back(mark());
    };
    test::must(connection.backup(file_, options), "the backup");
    marks_.push_back(mark());
    return seconds_since(marks_.front().time);
  }

  void measure_round() {
    const Span before = watch_alone();
    std::atomic<bool> is_done = false;
    double seconds = 0;
    std::thread backer([&] {
      seconds = backup();
      is_done = true;
    });
    const Span beside = watch([&] { return is_done.load(); });
    backer.join();
    const Span after = watch_alone();
    const double alone = (before.rate + after.rate) / 2;
    ratios_.push_back(beside.rate / alone);
    if (!beside.rates_of_samples.empty()) {
      worst_seconds_.push_back(
          *std::min_element(beside.rates_of_samples.begin(), beside.rates_of_samples.end()) / alone);
    }
    for (const Span* span : {&before, &after}) {
      if (span->rates_of_samples.empty()) continue;
      quiet_worst_seconds_.push_back(
          *std::min_element(span->rates_of_samples.begin(), span->rates_of_samples.end()) / alone);
    }
    noise_.push_back(after.rate / before.rate);
    loaded_seconds_.push_back(seconds);
    for (std::size_t phase = 0; phase < phases_.size() && phase + 1 < marks_.size(); ++phase) {
      const std::chrono::duration<double> took = marks_[phase + 1].time - marks_[phase].time;
      phases_[phase].seconds.push_back(took.count());
      phases_[phase].ratios.push_back(static_cast<double>(marks_[phase + 1].writes - marks_[phase].writes) /
                                      took.count() / alone);
    }
    check_copy();
  }

  void check_copy() {
    const std::string verdict = ask_file(file_, "PRAGMA integrity_check");
    expect(verdict == "ok", "integrity_check: " + verdict);
    const std::string sum = ask_file(file_, "SELECT sum(balance) FROM account");
    expect(sum == std::to_string(accounts_ * kBalance),
           "the copy is no state of the database: the sum is " + sum);
  }

  void print() {
    fmt::print("{} writers, {} MB, {} rounds; rates beside a backup against those before and after it\n",
               settings_.writers, settings_.megabytes, settings_.rounds);
    fmt::print("{:<44}{}\n", "writers' rate beside a backup / alone", spread(ratios_));
    fmt::print("{:<44}{}\n", "its worst second / alone", spread(worst_seconds_));
    fmt::print("{:<44}{}\n", "worst second alone / alone", spread(quiet_worst_seconds_));
    fmt::print("{:<44}{}\n", "alone after / alone before", spread(noise_));
    fmt::print("{:<44}{}\n", "a backup under load, seconds", spread(loaded_seconds_));
    for (const Phase& phase : phases_) {
      fmt::print("{:<44}{}\n", fmt::format("  {}, seconds", phase.name), spread(phase.seconds));
      fmt::print("{:<44}{}\n", fmt::format("  {}, rate / alone", phase.name), spread(phase.ratios));
    }
    fmt::print("{:<44}{}\n", "a backup while nobody writes, seconds", spread(idle_seconds_));
    fmt::print("{:<44}{:.0f} MB\n", "the daemon's memory at most",
               static_cast<double>(resident_bytes_max_) / 1e6);
    fmt::print("{:<44}{:.0f} MB\n", "the log's file at most", static_cast<double>(log_bytes_max_) / 1e6);
    expect(write_errors_ == 0, fmt::format("{} writes failed", write_errors_.load()));
    expect(log_bytes_max_ <= kBudgetBytes, "the log has passed its budget");
  }

  const Settings settings_;
  const std::int64_t accounts_;
  const test::Random seed_;
  test::RealDaemon daemon_;
  const std::string file_ = daemon_.directory() / "copy.db";
  std::atomic<bool> is_over_ = false;
  std::atomic<std::uint64_t> writes_ = 0;
  std::atomic<std::uint64_t> write_errors_ = 0;
  std::uint64_t log_bytes_max_ = 0;
  std::size_t resident_bytes_max_ = 0;
  // Of the last backup: its begin, the first and the last piece fetched, its end.
  std::vector<Mark> marks_;
  std::vector<Phase> phases_ = {{"the daemon copies", {}, {}}, {"fetching", {}, {}}, {"syncing the fetched file", {}, {}}};
  std::vector<double> ratios_, worst_seconds_, quiet_worst_seconds_, noise_;
  std::vector<double> loaded_seconds_, idle_seconds_;
  std::size_t failures_ = 0;
};

}  // namespace

}  // namespace skua::stress

int main(int argc, char** argv) {
  skua::stress::Settings settings;
  CLI::App app(
      "Backups beside writers: the writers' rate with and without, and each copy checked. SKUA_TEST_SEED "
      "repeats a run.");
  app.add_option("--rounds", settings.rounds, "backups under load")->check(CLI::Range(1, 1000));
  app.add_option("--writers", settings.writers, "connections that write")->check(CLI::Range(1, 250));
  app.add_option("--megabytes", settings.megabytes, "the database's size")->check(CLI::Range(1, 1'000'000));
  app.add_option("--seconds", settings.seconds, "each span without a backup");
  CLI11_PARSE(app, argc, argv);
  bool held = false;
  const int failed = skua::test::run_program([&] { held = skua::stress::BackupRun(settings).run(); });
  return failed != 0 ? failed : held ? 0 : 1;
}
