// crash_run: clients write, the daemon is killed at any moment, perhaps the power fails; then the database is
// looked at with SQLite alone, and the daemon goes on with it. Round after round on one database.
//
// Looked at: every acknowledged write is there; every operation is there whole or not at all; none that was
// refused is; what was acknowledged before another began is there if the other is; integrity_check. A relaxed
// write may be lost by a power failure and by nothing else. Exit status 0: all of it held.
//
// --break-durability makes the disk lie about its syncs. With --expect-losses, exit status 0 says that the run
// found acknowledged writes lost: that it can. Each round has a database of its own then.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <thread>

#include "tests/crash/crash_writer.h"
#include "tests/crash/ledger.h"
#include "tests/crash/power_loss.h"
#include "tests/support/failure.h"
#include "tests/support/random.h"
#include "tests/support/real_daemon.h"
#include "tests/support/temporary_directory.h"

namespace skua::test {

namespace {

constexpr std::int64_t kOperationsPerWriterMax = 1 << 20;
constexpr std::size_t kWrongPrintedMax = 10;
// Small, so that a round has checkpoints.
constexpr int kCheckpointPages = 60;

enum class Mode { kKill, kPowerLoss };

struct Settings {
  std::int64_t rounds = 60;
  std::int64_t writers = 32;
  std::int64_t kill_ms_max = is_sanitized() ? 1500 : 300;
  std::uint64_t seed = 0;
  Mode mode = Mode::kKill;
  bool break_durability = false;
  bool expect_losses = false;
};

RealDaemon::Options daemon_options(const Settings& settings, const std::string& file) {
  RealDaemon::Options options;
  options.config =
      fmt::format("[databases.main]\nfile = \"{}\"\ncheckpoint_pages = {}\n", file, kCheckpointPages);
  if (settings.mode == Mode::kPowerLoss) options.program = SKUA_POWER_LOSS_DAEMON;
  if (settings.break_durability) options.environment["SKUA_TEST_IGNORE_SYNC"] = "1";
  return options;
}

Connection connect(const RealDaemon& daemon) {
  ConnectOptions options;
  options.socket_path = daemon.socket_path();
  options.client_name = "crash_run";
  return must(Connection::connect(options), "connecting");
}

// One database from its creation on, with the daemon that has it.
class CrashedDatabase {
 public:
  explicit CrashedDatabase(const Settings& settings)
      : settings_(settings), file_(create_database()), daemon_(daemon_options(settings, file_)) {}

  // Writes until the crash, and looks at what is left. What is wrong.
  std::vector<std::string> crash(std::int64_t round, Random& random) {
    if (!daemon_.is_running()) daemon_.start();
    std::vector<std::string> wrong;
    // The daemon has recovered to what SQLite alone recovered to.
    {
      Connection connection = connect(daemon_);
      const ResultSet counts = must(connection.execute("SELECT count(DISTINCT operation) FROM entry"));
      const auto count = must(must(counts.one()).get<std::int64_t>(0));
      if (static_cast<std::size_t>(count) != ledger_.settled_count()) {
        wrong.push_back(fmt::format("the daemon has {} operations, not {}", count, ledger_.settled_count()));
      }
    }
    const std::vector<Operation> operations = write_until_killed(round, random, wrong);
    if (settings_.mode == Mode::kPowerLoss) {
      PowerLoss power_loss(any_kind(random), random);
      power_loss.strike_database(file_);
      unsynced_writes_ += power_loss.unsynced_writes();
    }
    // SQLite alone would finish the daemon's work: a copy.
    const TemporaryDirectory copy;
    for (const char* suffix : {"", "-wal", "-journal"}) {
      if (std::filesystem::exists(file_ + suffix)) {
        std::filesystem::copy(file_ + suffix, (copy / "main.db") + suffix);
      }
    }
    try {
      OfflineDatabase database(copy / "main.db");
      for (std::string& sentence : ledger_.settle(operations, settings_.mode == Mode::kPowerLoss, database)) {
        wrong.push_back(std::move(sentence));
      }
    } catch (const Failure& failure) {
      wrong.push_back(std::string("the database cannot be read: ") + failure.what());
    }
    return wrong;
  }

  // The last start after a crash, and a clean end.
  void finish() {
    daemon_.start();
    daemon_.stop();
  }

  const CrashCounts& counts() const { return ledger_.counts(); }
  std::uint64_t unsynced_writes() const { return unsynced_writes_; }

 private:
  // Made past the daemon, so that it is there even if the daemon's disk lies.
  std::string create_database() const {
    const std::string file = folder_ / "main.db";
    OfflineDatabase database(file);
    for (const std::string& sql : Ledger::schema()) database.run(sql);
    return file;
  }

  // A disk that lies is sure to be found out if it kept nothing.
  PowerLossKind any_kind(Random& random) const {
    if (settings_.expect_losses) return PowerLossKind::kEverything;
    return static_cast<PowerLossKind>(random.between(0, 2));
  }

  std::vector<Operation> write_until_killed(std::int64_t round, Random& random,
                                            std::vector<std::string>& wrong) {
    std::atomic<std::uint64_t> clock{0};
    std::vector<std::unique_ptr<CrashWriter>> writers;
    for (std::int64_t i = 0; i < settings_.writers; ++i) {
      const std::int64_t first_id = (round * settings_.writers + i + 1) * kOperationsPerWriterMax;
      writers.push_back(std::make_unique<CrashWriter>(connect(daemon_), first_id, random.word(), clock));
    }
    std::vector<std::thread> threads;
    for (const auto& writer : writers) threads.emplace_back([&writer] { writer->run_until_lost(); });
    // Not waiting for anything: any moment will do.
    std::this_thread::sleep_for(std::chrono::milliseconds(random.between(5, settings_.kill_ms_max)));
    daemon_.kill();
    for (std::thread& thread : threads) thread.join();
    std::vector<Operation> operations;
    for (const auto& writer : writers) {
      operations.insert(operations.end(), writer->operations().begin(), writer->operations().end());
      wrong.insert(wrong.end(), writer->surprises().begin(), writer->surprises().end());
    }
    return operations;
  }

  const Settings& settings_;
  TemporaryDirectory folder_;
  const std::string file_;
  RealDaemon daemon_;
  Ledger ledger_;
  std::uint64_t unsynced_writes_ = 0;
};

class CrashRun {
 public:
  explicit CrashRun(const Settings& settings) : settings_(settings), random_(settings.seed) {}

  bool run() {
    fmt::print("seed {}\n", settings_.seed);
    if (settings_.expect_losses) {
      for (std::int64_t round = 0; round < settings_.rounds; ++round) run_round_alone(round);
    } else {
      CrashedDatabase database(settings_);
      for (std::int64_t round = 0; round < settings_.rounds; ++round) {
        report(round, database.crash(round, random_));
        if (rounds_wrong_ > 0) break;  // the database is not what the ledger has
      }
      if (rounds_wrong_ == 0) database.finish();
      add(database);
    }
    print_counts();
    if (settings_.expect_losses) {
      fmt::print("{}\n", counts_.full_lost > 0 ? "losses were found, as expected" : "no loss was found");
      return counts_.full_lost > 0;
    }
    fmt::print("{}\n", rounds_wrong_ == 0 ? "all promises held" : "promises were broken");
    return rounds_wrong_ == 0;
  }

 private:
  void run_round_alone(std::int64_t round) {
    CrashedDatabase database(settings_);
    report(round, database.crash(round, random_));
    add(database);
  }

  void report(std::int64_t round, const std::vector<std::string>& wrong) {
    ++rounds_;
    if (wrong.empty()) return;
    ++rounds_wrong_;
    fmt::print("round {}: {} things are wrong\n", round, wrong.size());
    const std::size_t printed = settings_.expect_losses ? 1 : kWrongPrintedMax;
    for (std::size_t i = 0; i < std::min(wrong.size(), printed); ++i) fmt::print("  {}\n", wrong[i]);
  }

  void add(const CrashedDatabase& database) {
    const CrashCounts& counts = database.counts();
    counts_.acknowledged_full += counts.acknowledged_full;
    counts_.acknowledged_relaxed += counts.acknowledged_relaxed;
    counts_.refused += counts.refused;
    counts_.in_doubt += counts.in_doubt;
    counts_.in_doubt_found += counts.in_doubt_found;
    counts_.relaxed_lost += counts.relaxed_lost;
    counts_.full_lost += counts.full_lost;
    unsynced_writes_ += database.unsynced_writes();
  }

  void print_counts() const {
    fmt::print("{} rounds of {} writers, each ended by {}\n", rounds_, settings_.writers,
               settings_.mode == Mode::kKill ? "SIGKILL" : "SIGKILL and a power failure");
    fmt::print("{:<36}{:>10}\n", "acknowledged as full", counts_.acknowledged_full);
    fmt::print("{:<36}{:>10}\n", "  of these lost", counts_.full_lost);
    fmt::print("{:<36}{:>10}\n", "acknowledged as relaxed", counts_.acknowledged_relaxed);
    fmt::print("{:<36}{:>10}\n", "  of these lost with the power", counts_.relaxed_lost);
    fmt::print("{:<36}{:>10}\n", "refused, rolled back or never sent", counts_.refused);
    fmt::print("{:<36}{:>10}\n", "in doubt", counts_.in_doubt);
    fmt::print("{:<36}{:>10}\n", "  of these found", counts_.in_doubt_found);
    if (settings_.mode == Mode::kPowerLoss) {
      fmt::print("{:<36}{:>10}\n", "writes unsynced when the power failed", unsynced_writes_);
    }
  }

  const Settings settings_;
  Random random_;
  CrashCounts counts_;
  std::uint64_t unsynced_writes_ = 0;
  std::int64_t rounds_ = 0;
  std::int64_t rounds_wrong_ = 0;
};

}  // namespace

}  // namespace skua::test

int main(int argc, char** argv) {
  using namespace skua::test;
  Settings settings;
  CLI::App app("Kills a Skua daemon of its own while clients write, and looks for what was lost.");
  app.add_option("--rounds", settings.rounds, "crashes")->check(CLI::PositiveNumber);
  app.add_option("--writers", settings.writers, "clients at once")->check(CLI::PositiveNumber);
  app.add_option("--kill-ms-max", settings.kill_ms_max, "the longest time from the first write to the crash");
  app.add_option("--seed", settings.seed, "repeats the operations of a run, but not its timing");
  const std::map<std::string, Mode> modes = {{"kill", Mode::kKill}, {"power-loss", Mode::kPowerLoss}};
  app.add_option("--mode", settings.mode, "what happens to the daemon; after power-loss unsynced writes are undone as well")
      ->type_name("kill|power-loss")
      ->transform(CLI::CheckedTransformer(modes).description(""));
  app.add_flag("--break-durability", settings.break_durability, "the disk lies about its syncs");
  app.add_flag("--expect-losses", settings.expect_losses, "succeed if acknowledged writes are found lost");
  CLI11_PARSE(app, argc, argv);
  if (settings.seed == 0) settings.seed = Random().seed();
  bool held = false;
  const int failed = run_program([&] { held = CrashRun(settings).run(); });
  return failed != 0 ? failed : held ? 0 : 1;
}
