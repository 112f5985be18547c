// Backups of a real database: consistent under writes, all or nothing on both sides.
#include <criterion/criterion.h>
#include <sqlite3.h>
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

#include "tests/system/real_client.h"

using namespace skua;
using namespace skua::test;

namespace {

// What stock SQLite says about a file, without the daemon.
std::string ask_file(const std::string& file, const char* sql) {
  sqlite3* db = nullptr;
  require(sqlite3_open_v2(file.c_str(), &db, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK, "cannot open " + file);
  std::string text;
  const int code = sqlite3_exec(
      db, sql,
      [](void* out, int, char** values, char**) {
        *static_cast<std::string*>(out) += values[0] != nullptr ? values[0] : "~";
        return 0;
      },
      &text, nullptr);
  const std::string message = sqlite3_errmsg(db);
  sqlite3_close(db);
  require(code == SQLITE_OK, message);
  return text;
}

// Everything in the daemon's folder and in the process that a backup could leave.
bool has_traces(const RealDaemon& daemon) {
  for (const auto& entry : std::filesystem::directory_iterator(daemon.directory().path())) {
    if (contains(entry.path().filename().string(), "-unlinked-")) return true;
  }
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(daemon.pid()) + "/fd")) {
    std::error_code gone;
    const std::string file = std::filesystem::read_symlink(entry, gone).string();
    // proc(5): what has no name any more.
    if (contains(file, daemon.directory().path()) && contains(file, "(deleted)")) return true;
  }
  return false;
}

void expect_no_traces(const RealDaemon& daemon) {
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (has_traces(daemon)) {
    require(std::chrono::steady_clock::now() < until, "a backup's copy stays");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

void fill(Connection& connection, std::int64_t rows) {
  ask(connection, "CREATE TABLE account(id INTEGER PRIMARY KEY, balance INTEGER, filler BLOB)");
  ask(connection,
      "INSERT INTO account WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
      "SELECT i, 100, randomblob(2000) FROM n",
      Parameters::of(rows));
}

}  // namespace

Test(backup, of_an_empty_database_is_one) {
  RealDaemon daemon;
  Connection connection = connect(daemon);
  const std::string file = daemon.directory() / "copy.db";
  const BackupSummary summary = must(connection.backup(file));
  cr_assert(summary.bytes == std::filesystem::file_size(file));
  cr_assert(ask_file(file, "PRAGMA integrity_check") == "ok");
  cr_assert(ask_file(file, "SELECT count(*) FROM sqlite_schema") == "0");
}

Test(backup, under_writes_is_one_consistent_state_and_lets_them_go_on) {
  RealDaemon daemon;
  Connection connection = connect(daemon);
  constexpr std::int64_t kRows = 10'000;
  fill(connection, kRows);
  std::atomic<bool> stop = false;
  std::atomic<std::uint64_t> transfers = 0;
  std::vector<std::thread> writers;
  for (int writer = 0; writer < 4; ++writer) {
    writers.emplace_back([&, writer] {
      Connection own = connect(daemon);
      for (std::int64_t i = writer; !stop; i += 7919) {
        Transaction transaction = must(own.begin());
        const auto move = "UPDATE account SET balance = balance + ?, filler = randomblob(2000) WHERE id = ? % 10000 + 1";
        ask(transaction, move, Parameters::of(-1, i));
        ask(transaction, move, Parameters::of(1, i * 31));
        must(transaction.commit());
        ++transfers;
      }
    });
  }
  const std::string file = daemon.directory() / "copy.db";
  BackupOptions options;
  options.replace = true;
  for (int i = 0; i < 3; ++i) {
    const std::uint64_t before = transfers;
    must(connection.backup(file, options));
    cr_expect(transfers > before, "nobody writes beside a backup");
  }
  stop = true;
  for (std::thread& writer : writers) writer.join();
  cr_assert(ask_file(file, "PRAGMA integrity_check") == "ok");
  cr_assert(ask_file(file, "SELECT sum(balance) FROM account") == std::to_string(kRows * 100));
  expect_no_traces(daemon);
}

Test(backup, shows_what_was_committed_before_it) {
  RealDaemon daemon;
  Connection connection = connect(daemon);
  fill(connection, 100);
  ask(connection, "UPDATE account SET balance = 7 WHERE id = 1");
  const std::string file = daemon.directory() / "copy.db";
  must(connection.backup(file));
  cr_assert(ask_file(file, "SELECT balance FROM account WHERE id = 1") == "7");
}

Test(backup, tells_how_far_it_is) {
  RealDaemon daemon;
  Connection connection = connect(daemon);
  fill(connection, 5'000);
  BackupOptions options;
  std::vector<BackupProgress> seen;
  options.on_progress = [&](const BackupProgress& progress) { seen.push_back(progress); };
  must(connection.backup(daemon.directory() / "copy.db", options));
  cr_assert(not seen.empty());
  cr_assert(not seen.front().is_fetching);
  cr_assert(seen.back().is_fetching);
  cr_assert_eq(seen.back().done, seen.back().total);
}

Test(backup, replaces_a_file_only_when_told) {
  RealDaemon daemon;
  Connection connection = connect(daemon);
  fill(connection, 10);
  const std::string file = daemon.directory().write("copy.db", "mine");
  expect_error(connection.backup(file), ErrorCode::kUsage);
  cr_assert(read_file(file) == "mine");
  const ProcessEnd refused = run_skua(daemon, {"backup", file});
  cr_assert_eq(refused.exit_status, 2);
  cr_assert(contains(refused.error, "--force"), "%s", refused.error.c_str());
  skua_output(daemon, {"backup", file, "--force"});
  cr_assert(ask_file(file, "SELECT count(*) FROM account") == "10");
}

Test(backup, into_a_folder_that_is_not_there_is_an_error) {
  RealDaemon daemon;
  Connection connection = connect(daemon);
  expect_error(connection.backup(daemon.directory() / "nowhere/copy.db"), ErrorCode::kIo);
}

Test(backup, of_a_client_that_is_killed_leaves_nothing) {
  RealDaemon daemon;
  Connection connection = connect(daemon);
  fill(connection, 20'000);
  const TemporaryDirectory folder;
  for (int i = 0; i < 10; ++i) {
    Process process(skua_command(daemon, {"backup", folder / "copy.db", "-q"}));
    std::this_thread::sleep_for(std::chrono::milliseconds(20 * i));
    process.send_signal(SIGKILL);
    process.wait();
    expect_no_traces(daemon);
    std::filesystem::remove(folder / "copy.db");
    cr_assert(std::filesystem::is_empty(folder.path()));
  }
  // The file is gone a moment before the loop hears of it, and until then there is a backup under way.
  Result<BackupSummary> copied = connection.backup(folder / "copy.db");
  for (int i = 0; i < 500 && !copied && copied.error().code == ErrorCode::kUnavailable; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    copied = connection.backup(folder / "copy.db");
  }
  must(std::move(copied));
}

Test(backup, that_is_cancelled_leaves_nothing) {
  RealDaemon daemon;
  Connection connection = connect(daemon);
  fill(connection, 20'000);
  const TemporaryDirectory folder;
  BackupOptions options;
  bool cancelled = false;
  options.on_progress = [&](const BackupProgress&) {
    if (!std::exchange(cancelled, true)) connection.canceller().cancel();
  };
  expect_error(connection.backup(folder / "copy.db", options), ErrorCode::kCancelled);
  expect_no_traces(daemon);
  cr_assert(std::filesystem::is_empty(folder.path()));
  cr_assert(ask(connection, "SELECT count(*) FROM account") == "20000");
}

Test(backup, is_ended_by_a_shutdown) {
  RealDaemon daemon({.config = "[databases.main]\nfile = \"main.db\"\n[limits]\ndrain_ms_max = 1\n"});
  Connection connection = connect(daemon);
  fill(connection, 20'000);
  BackupOptions options;
  options.on_progress = [&](const BackupProgress&) {
    if (daemon.is_running()) daemon.stop();
  };
  const auto result = connection.backup(daemon.directory() / "copy.db", options);
  cr_assert(not result);
  cr_assert(not std::filesystem::exists(daemon.directory() / "copy.db"));
}

Test(backup, ends_although_transactions_roll_back_all_the_time) {
  RealDaemon daemon;
  Connection connection = connect(daemon);
  fill(connection, 50'000);
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    Connection own = connect(daemon);
    while (!stop) {
      Transaction transaction = must(own.begin());
      ask(transaction, "UPDATE account SET balance = 0 WHERE id < 10");
      must(transaction.rollback());
    }
  });
  const std::string file = daemon.directory() / "copy.db";
  must(connection.backup(file));
  stop = true;
  writer.join();
  cr_assert(ask_file(file, "PRAGMA integrity_check") == "ok");
  cr_assert(ask_file(file, "SELECT sum(balance) FROM account") == "5000000");
}

Test(backup, is_never_put_where_a_log_lies) {
  RealDaemon daemon;
  Connection connection = connect(daemon);
  fill(connection, 10);
  BackupOptions options;
  options.replace = true;
  // The database itself.
  const Error error = expect_error(connection.backup(daemon.database_path(), options), ErrorCode::kUsage);
  cr_assert(contains(error.message, "main.db-wal"), "%s", error.message.c_str());
  const ProcessEnd refused = run_skua(daemon, {"backup", daemon.database_path(), "--force"});
  cr_assert_eq(refused.exit_status, 2);
  ask(connection, "INSERT INTO account(balance) VALUES (1)");
  daemon.stop();
  cr_assert(ask_file(daemon.database_path(), "SELECT count(*) FROM account") == "11");
}

Test(backup, that_grows_too_large_for_its_disk_fails_on_either_side) {
  RealDaemon daemon;
  {
    Connection connection = connect(daemon);
    fill(connection, 10'000);
  }
  // All of it is in the file then, and no checkpoint has to make that longer.
  daemon.stop();
  daemon.start();
  Connection connection = connect(daemon);
  const TemporaryDirectory folder;
  const auto limit = [](pid_t pid, rlim_t bytes) {
    const struct rlimit limits = {bytes, RLIM_INFINITY};
    require(::prlimit(pid, RLIMIT_FSIZE, &limits, nullptr) == 0, "prlimit");
  };
  limit(daemon.pid(), 10'000'000);
  expect_error(connection.backup(folder / "copy.db"), ErrorCode::kDiskFull);
  expect_no_traces(daemon);
  limit(daemon.pid(), RLIM_INFINITY);
  std::signal(SIGXFSZ, SIG_IGN);
  limit(0, 10'000'000);
  expect_error(connection.backup(folder / "copy.db"), ErrorCode::kDiskFull);
  limit(0, RLIM_INFINITY);
  expect_no_traces(daemon);
  cr_assert(std::filesystem::is_empty(folder.path()));
  must(connection.backup(folder / "copy.db"));
}

Test(backup, is_one_at_a_time) {
  RealDaemon daemon;
  Connection connection = connect(daemon);
  Connection other = connect(daemon);
  fill(connection, 20'000);
  BackupOptions options;
  int refused = 0;
  options.on_progress = [&](const BackupProgress&) {
    if (refused++ > 0) return;
    expect_error(other.backup(daemon.directory() / "other.db"), ErrorCode::kUnavailable);
  };
  must(connection.backup(daemon.directory() / "copy.db", options));
  must(other.backup(daemon.directory() / "other.db"));
}
