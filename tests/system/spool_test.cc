// Slow streams of a real daemon: what they hold goes back, and their clients notice nothing but a cap.
#include <criterion/criterion.h>
#include <sys/resource.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <thread>

#include "tests/support/process.h"
#include "tests/system/real_client.h"

using namespace skua;
using namespace skua::test;

namespace {

constexpr std::string_view kRowsSql = "SELECT id, name, real, body FROM item";

std::string config_of(const std::string& limits) {
  return "[databases.main]\nfile = \"main.db\"\n[limits]\n" + limits;
}

void fill(Connection& connection, std::int64_t rows) {
  ask(connection, "CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT, real REAL, body)");
  ask(connection,
      "INSERT INTO item WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
      "SELECT i, 'name ' || i, i / 3.0, CASE i % 3 WHEN 0 THEN NULL WHEN 1 THEN randomblob(i % 200) ELSE i END FROM n",
      Parameters::of(rows));
}

std::int64_t counter(Connection& connection, std::string_view name) {
  for (const Row row : must(connection.stats())) {
    if (must(row.get<std::string>("name")) == name) return must(row.get<std::int64_t>("value"));
  }
  throw Failure("no counter " + std::string(name));
}

void wait_until(const std::function<bool()>& condition, const char* what) {
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    require(std::chrono::steady_clock::now() < until, what);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

// proc(5): files that the daemon has open and that have no name.
std::size_t unlinked_files(const RealDaemon& daemon) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(daemon.pid()) + "/fd")) {
    std::error_code gone;
    const std::string file = std::filesystem::read_symlink(entry, gone).string();
    if (contains(file, daemon.directory().path()) && contains(file, "(deleted)")) ++count;
  }
  return count;
}

RowStream start_stream(Connection& connection) {
  RequestOptions options;
  options.window_bytes = 16 * 1024;
  RowStream stream = must(connection.stream(kRowsSql, {}, options));
  require(must(stream.next()), "a first row");
  return stream;
}

std::string row_text(const Row& row) {
  std::string text;
  for (std::size_t i = 0; i < row.size(); ++i) {
    const ValueView value = row[i];
    text += std::to_string(static_cast<int>(value.kind())) + ":";
    switch (value.kind()) {
      case ValueKind::kNull: break;
      case ValueKind::kInteger: text += std::to_string(value.integer()); break;
      case ValueKind::kReal: text += std::to_string(value.real()); break;
      default: text += value.bytes();
    }
    text += '|';
  }
  return text;
}

// The rows from the present one on.
std::size_t hash_of_rest(RowStream& stream, std::size_t& rows) {
  std::size_t hash = 0;
  do {
    hash = hash * 31 + std::hash<std::string>()(row_text(stream.row()));
    ++rows;
  } while (must(stream.next(), "the next row"));
  return hash;
}

}  // namespace

Test(spool, a_stream_gives_the_same_rows_from_its_file_whatever_is_written_meanwhile) {
  RealDaemon daemon({.config = config_of("stream_lease_ms_max = 100\n")});
  Connection connection = connect(daemon);
  Connection other = connect(daemon);
  constexpr std::size_t kRows = 100'000;
  fill(other, kRows);
  std::size_t expected_rows = 0;
  RowStream at_once = start_stream(connection);
  const std::size_t expected = hash_of_rest(at_once, expected_rows);
  cr_assert(expected_rows == kRows);
  RowStream stream = start_stream(connection);
  wait_until([&] { return counter(other, "streams_spooled_total") >= 1 && counter(other, "reader_connections_leased") == 0; },
             "the stream keeps its connection");
  cr_expect(counter(other, "spool_bytes") > 1'000'000);
  cr_expect(unlinked_files(daemon) == 1);
  ask(other, "UPDATE item SET name = 'changed'");
  ask(other, "DELETE FROM item WHERE id % 2 = 0");
  std::size_t rows = 0;
  cr_expect(hash_of_rest(stream, rows) == expected);
  cr_expect(rows == kRows);
  wait_until([&] { return unlinked_files(daemon) == 0; }, "the file stays");
  cr_expect(counter(other, "spool_bytes") == 0);
  cr_expect(ask(other, "SELECT count(*) FROM item") == "50000");
}

Test(spool, a_stream_that_is_read_while_its_file_is_filled_gives_the_same_rows) {
  // The cap makes it go back to its cursor again and again.
  RealDaemon daemon({.config = config_of("stream_lease_ms_max = 1000\nspool_bytes_max = 300000\n")});
  Connection connection = connect(daemon);
  constexpr std::size_t kRows = 100'000;
  fill(connection, kRows);
  RowStream stream = start_stream(connection);
  std::int64_t next = 1;
  do {
    const auto id = must(stream.row().get<std::int64_t>(0));
    cr_assert(id == next++, "row %ld", static_cast<long>(id));
    // So slow that its lease ends some times, and so fast that a full file is read in the time of one.
    if (id % 1'000 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(25));
  } while (must(stream.next(), "the next row"));
  cr_expect(next == static_cast<std::int64_t>(kRows) + 1);
  cr_expect(counter(connection, "streams_spooled_total") >= 2);
}

Test(spool, a_client_that_does_not_read_a_full_file_is_told_which_cap_it_met) {
  for (const std::string name : {"spool_bytes_max", "spool_total_bytes_max"}) {
    RealDaemon daemon({.config = config_of("stream_lease_ms_max = 100\n" + name + " = 1000000\n")});
    Connection connection = connect(daemon);
    Connection other = connect(daemon);
    fill(other, 100'000);
    RowStream stream = start_stream(connection);
    wait_until([&] { return counter(other, "streams_spooled_total") >= 1 && counter(other, "reader_connections_leased") == 0; },
               "the stream keeps its connection");
    Result<bool> more = true;
    while (more && *more) more = stream.next();
    cr_expect(contains(expect_error(std::move(more), ErrorCode::kLimit).message, name));
    cr_expect(counter(other, "spool_bytes") == 0);
    wait_until([&] { return unlinked_files(daemon) == 0; }, "the file stays");
    cr_expect(ask(connection, "SELECT 1") == "1");
  }
}

Test(spool, a_client_that_is_killed_leaves_no_file) {
  RealDaemon daemon({.config = config_of("stream_lease_ms_max = 50\n")});
  Connection other = connect(daemon);
  fill(other, 100'000);
  for (int i = 0; i < 3; ++i) {
    // Nobody reads what it prints.
    Process client(skua_command(daemon, {"query", std::string(kRowsSql)}));
    wait_until([&] { return unlinked_files(daemon) == 1; }, "there is no file");
    client.send_signal(SIGKILL);
    wait_until([&] { return unlinked_files(daemon) == 0; }, "the file stays");
  }
  cr_expect(counter(other, "spool_bytes") == 0);
  cr_expect(counter(other, "reader_connections_leased") == 0);
}

Test(spool, a_disk_that_is_full_ends_the_stream_and_nobody_else) {
  RealDaemon daemon({.config = config_of("stream_lease_ms_max = 200\n")});
  Connection connection = connect(daemon);
  Connection other = connect(daemon);
  fill(other, 100'000);
  RowStream stream = start_stream(connection);
  const struct rlimit limits = {1'000'000, RLIM_INFINITY};
  require(::prlimit(daemon.pid(), RLIMIT_FSIZE, &limits, nullptr) == 0, "prlimit");
  Result<bool> more = true;
  wait_until([&] { return counter(other, "streams_spooled_total") >= 1 && counter(other, "reader_connections_leased") == 0; },
             "the stream keeps its connection");
  while (more && *more) more = stream.next();
  cr_expect(contains(expect_error(std::move(more), ErrorCode::kDiskFull).message, "slow stream"));
  cr_expect(ask(other, "SELECT count(*) FROM item") == "100000");
  wait_until([&] { return unlinked_files(daemon) == 0; }, "the file stays");
}

Test(spool, reads_transactions_and_streams_go_on_when_streams_have_all_connections) {
  RealDaemon daemon({.config = config_of("reader_connections_max = 16\nreader_threads = 2\n")});
  Connection other = connect(daemon);
  fill(other, 20'000);
  std::vector<Connection> connections;
  std::vector<RowStream> streams;
  for (int i = 0; i < 40; ++i) {
    connections.push_back(connect(daemon));
    streams.push_back(start_stream(connections.back()));
    // SQL that nobody has sent before cannot run on the loop thread.
    cr_expect(ask(other, "SELECT count(*) + " + std::to_string(i) + " FROM item") == std::to_string(20'000 + i));
  }
  Transaction transaction = must(other.begin(TransactionMode::kRead));
  cr_expect(ask(transaction, "SELECT count(*) FROM item") == "20000");
  must(transaction.commit());
  for (RowStream& stream : streams) {
    std::size_t rows = 0;
    hash_of_rest(stream, rows);
    cr_expect(rows == 20'000);
  }
}

Test(spool, a_shutdown_does_not_wait_for_streams_that_nobody_reads) {
  RealDaemon daemon({.config = config_of("stream_lease_ms_max = 50\ndrain_ms_max = 100\n")});
  Connection connection = connect(daemon);
  fill(connection, 100'000);
  RowStream stream = start_stream(connection);
  wait_until([&] { return unlinked_files(daemon) == 1; }, "there is no file");
  daemon.stop();
}
