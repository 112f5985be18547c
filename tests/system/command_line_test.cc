// The contract of the command line, which scripts depend on, with the real programs: exit status, output,
// interruption.
#include <criterion/criterion.h>

#include <csignal>
#include <filesystem>

#include "protocol/limits.h"
#include "tests/system/real_client.h"

using namespace skua;
using namespace skua::test;

namespace {

constexpr int kDone = 0;
constexpr int kSqlError = 1;
constexpr int kUsage = 2;
constexpr int kCannotConnect = 3;
constexpr int kDeadlineOrLimit = 4;
constexpr int kInterrupted = 130;

// One row with every type, and text that each format has to quote in its own way.
constexpr const char* kRows =
    "SELECT 1 AS i, 2.5 AS r, 'a,\"b\"' AS t, NULL AS n UNION ALL SELECT -7, 1e100, 'x', 'y'";

}  // namespace

Test(command_line, exit_status_tells_what_to_do) {
  RealDaemon daemon;
  const struct {
    std::vector<std::string> arguments;
    int exit_status;
  } runs[] = {
      {{"ping"}, kDone},
      {{"query", "SELECT 1"}, kDone},
      {{"query", "SELECT * FROM missing"}, kSqlError},
      {{"query", "SELEKT 1"}, kSqlError},
      {{"query", "--no-such-option", "SELECT 1"}, kUsage},
      {{"query", "--format", "papyrus", "SELECT 1"}, kUsage},
      {{"no-such-command"}, kUsage},
      {{"query", "-f", "/no/such/file.sql"}, kUsage},
      {{"query", "--timeout", "50", std::string(kForever)}, kDeadlineOrLimit},
      {{"query", "--timeout", "never", "SELECT 1"}, kUsage},
  };
  for (const auto& one : runs) {
    std::vector<std::string> command{program_path("skua"), "-s", daemon.socket_path()};
    command.insert(command.end(), one.arguments.begin(), one.arguments.end());
    const ProcessEnd outcome = run(command);
    cr_assert_eq(outcome.exit_status, one.exit_status, "%s: %d, %s", one.arguments.back().c_str(),
                 outcome.exit_status, outcome.error.c_str());
    cr_assert_eq(outcome.error.empty(), one.exit_status == kDone, "%s", outcome.error.c_str());
  }
}

Test(command_line, says_where_nobody_answers) {
  const TemporaryDirectory directory;
  const ProcessEnd outcome = run({program_path("skua"), "-s", directory / "s", "query", "SELECT 1"});
  cr_assert_eq(outcome.exit_status, kCannotConnect);
  cr_assert(contains(outcome.error, directory / "s"), "%s", outcome.error.c_str());
  cr_assert(outcome.output.empty());
}

Test(command_line, refuses_a_statement_beyond_a_limit_with_status_4) {
  RealDaemon daemon;
  const ProcessEnd outcome = run_skua(daemon, {"query"}, "SELECT '" + std::string(kSqlBytesMax, 'x') + "'");
  cr_assert_eq(outcome.exit_status, kDeadlineOrLimit, "%s", outcome.error.c_str());
}

Test(command_line, finds_socket_and_database_in_the_environment) {
  RealDaemon daemon({.databases = {{"one", "one.db"}, {"two", "two.db"}}});
  skua_output(daemon, {"-d", "two", "query", "CREATE TABLE t AS SELECT 'two' AS a"});
  const std::map<std::string, std::string> environment{{"SKUA_SOCKET", daemon.socket_path()},
                                                       {"SKUA_DATABASE", "two"}};
  const ProcessEnd outcome =
      run({program_path("skua"), "query", "SELECT a FROM t"}, {.environment = environment});
  cr_assert(outcome.output == "two\n", "%s%s", outcome.output.c_str(), outcome.error.c_str());
  cr_assert_eq(run_skua(daemon, {"-d", "three", "query", "SELECT 1"}).exit_status, kUsage);
}

Test(command_line, finds_the_socket_in_the_runtime_directory) {
  const TemporaryDirectory runtime;
  std::filesystem::create_directory(runtime / "skua");
  RealDaemon daemon({.socket_path = runtime / "skua/skua.sock"});
  const ProcessEnd outcome =
      run({program_path("skua"), "query", "SELECT 1"},
          {.environment = {{"XDG_RUNTIME_DIR", runtime.path()}}, .unset = {"SKUA_SOCKET"}});
  cr_assert(outcome.output == "1\n", "%s", outcome.error.c_str());
}

Test(command_line, formats_are_what_scripts_expect) {
  RealDaemon daemon;
  const struct {
    const char* format;
    const char* output;
  } formats[] = {
      {"tsv", "1\t2.5\ta,\"b\"\t\n-7\t1.0e+100\tx\ty\n"},
      {"csv", "1,2.5,\"a,\"\"b\"\"\",\n-7,1.0e+100,x,y\n"},
      {"ndjson",
       "{\"i\":1,\"r\":2.5,\"t\":\"a,\\\"b\\\"\",\"n\":null}\n{\"i\":-7,\"r\":1.0e+100,\"t\":\"x\",\"n\":\"y\"}"
       "\n"},
  };
  for (const auto& one : formats) {
    const std::string output = skua_output(daemon, {"query", kRows, "--format", one.format});
    cr_assert(output == one.output, "%s: %s", one.format, output.c_str());
  }
  cr_assert(skua_output(daemon, {"query", kRows}) == formats[0].output, "tsv when it is no terminal");
  cr_assert(skua_output(daemon, {"query", "--header", "SELECT 1 AS a, 2 AS b"}) == "a\tb\n1\t2\n");
  for (const char* format : {"table", "box", "json", "markdown", "line", "insert"}) {
    const std::string output = skua_output(daemon, {"query", kRows, "--format", format});
    cr_assert(contains(output, "a,") && contains(output, "-7") && contains(output, "1.0e+100"), "%s: %s",
              format, output.c_str());
  }
}

Test(command_line, takes_parameters) {
  RealDaemon daemon;
  cr_assert(skua_output(daemon, {"query", "SELECT :a || 'c', typeof(:b), typeof(:c)", "--param", "a=b",
                                 "--param", "b=7", "--param", "c="}) == "bc\tinteger\ttext\n");
}

Test(command_line, runs_scripts_in_order_and_stops_at_the_first_error) {
  RealDaemon daemon;
  const ProcessEnd outcome = run_skua(daemon, {"query"}, R"(-- A script; with a semicolon in its comment.
CREATE TABLE t (a);
INSERT INTO t VALUES ('x;y');
CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT 1; SELECT 2; END;
SELECT a FROM t;
SELECT * FROM missing;
INSERT INTO t VALUES ('never');
)");
  cr_assert_eq(outcome.exit_status, kSqlError);
  cr_assert(outcome.output == "x;y\n", "%s", outcome.output.c_str());
  cr_assert(contains(outcome.error, "missing"), "%s", outcome.error.c_str());
  cr_assert(contains(outcome.error, "6"), "the line of the statement: %s", outcome.error.c_str());
  cr_assert(skua_output(daemon, {"query", "SELECT count(*) FROM t"}) == "1\n");
}

Test(command_line, a_script_that_fails_inside_its_transaction_leaves_nothing) {
  RealDaemon daemon;
  skua_output(daemon, {"query", "CREATE TABLE t (a PRIMARY KEY)"});
  const ProcessEnd outcome =
      run_skua(daemon, {"query"}, "BEGIN; INSERT INTO t VALUES (1); INSERT INTO t VALUES (1); COMMIT;");
  cr_assert_eq(outcome.exit_status, kSqlError);
  cr_assert(skua_output(daemon, {"query", "SELECT count(*) FROM t"}) == "0\n");
}

Test(command_line, reads_a_script_from_a_file) {
  RealDaemon daemon;
  const std::string script = daemon.directory().write("script.sql", "SELECT 1;\nSELECT 2");
  cr_assert(skua_output(daemon, {"query", "-f", script}) == "1\n2\n");
}

Test(command_line, streams_what_does_not_fit_and_stops_when_nobody_reads) {
  RealDaemon daemon;
  Connection connection = connect(daemon);
  const std::size_t before = daemon.resident_bytes();
  {
    Process endless(skua_command(daemon, {"query", kEndlessRows.data()}));
    endless.read_until("\n1000000\n");
    if (!is_sanitized()) cr_assert_lt(daemon.resident_bytes(), before + (32u << 20));
  }
  // Its session ends with it, and so does its query.
  cr_assert(ask(connection, "SELECT 1") == "1");
}

Test(command_line, ctrl_c_cancels_the_query) {
  RealDaemon daemon;
  {
    Process endless(skua_command(daemon, {"query", kEndlessRows.data()}));
    endless.read_until("1000\n");
    endless.send_signal(SIGINT);
    const ProcessEnd outcome = endless.wait();
    cr_assert_eq(outcome.exit_status, kInterrupted, "%d %d %s", outcome.exit_status, outcome.signal,
                 outcome.error.c_str());
  }
  // Also one that has given no row yet. The first statement's row shows that it has come so far.
  Process forever(skua_command(daemon, {"query"}),
                  {.input = "SELECT 'started'; " + std::string(kForever) + ";"});
  forever.read_until("started\n");
  forever.send_signal(SIGINT);
  cr_assert_eq(forever.wait().exit_status, kInterrupted);
}

Test(command_line, imports_what_it_printed) {
  RealDaemon daemon;
  skua_output(daemon, {"query", "CREATE TABLE t (i INTEGER, r REAL, t TEXT)"});
  const std::string csv = "i,r,t\r\n1,2.5,\"a,\"\"b\"\"\nnext line\"\r\n-9223372036854775808,1e300,007\r\n";
  skua_output(daemon, {"import", daemon.directory().write("rows.csv", csv), "t"});
  cr_assert(skua_output(daemon, {"query", "SELECT i, r, quote(t), typeof(t) FROM t"}) ==
            "1\t2.5\t'a,\"b\"\nnext line'\ttext\n-9223372036854775808\t1.0e+300\t'007'\ttext\n");
  const std::string printed = skua_output(daemon, {"query", "--format", "csv", "--header", "SELECT * FROM t"});
  skua_output(daemon, {"query", "CREATE TABLE u (i INTEGER, r REAL, t TEXT)"});
  skua_output(daemon, {"import", daemon.directory().write("printed.csv", printed), "u"});
  cr_assert(skua_output(daemon, {"query", "SELECT * FROM t EXCEPT SELECT * FROM u"}).empty());
  cr_assert(skua_output(daemon, {"query", "SELECT count(*) FROM u"}) == "2\n");
}

Test(command_line, import_names_the_line_that_is_wrong_and_imports_nothing) {
  RealDaemon daemon;
  skua_output(daemon, {"query", "CREATE TABLE t (a, b)"});
  const std::string file = daemon.directory().write("rows.csv", "a,b\n1,2\n3,4\n5,6,7\n8,9\n");
  const ProcessEnd outcome = run_skua(daemon, {"import", file, "t"});
  cr_assert_eq(outcome.exit_status, kSqlError, "%d %s", outcome.exit_status, outcome.error.c_str());
  cr_assert(contains(outcome.error, "4"), "%s", outcome.error.c_str());
  cr_assert(skua_output(daemon, {"query", "SELECT count(*) FROM t"}) == "0\n");
}

Test(command_line, import_names_the_line_that_a_constraint_refused) {
  RealDaemon daemon;
  skua_output(daemon, {"query", "CREATE TABLE t (a PRIMARY KEY)"});
  std::string rows = "a\n";
  for (int i = 1; i <= 50'000; ++i) rows += std::to_string(i == 40'000 ? 17 : i) + "\n";
  const ProcessEnd outcome = run_skua(daemon, {"import", daemon.directory().write("rows.csv", rows), "t"});
  cr_assert_eq(outcome.exit_status, kSqlError);
  cr_assert(contains(outcome.error, "40001"), "%s", outcome.error.c_str());
  cr_assert(skua_output(daemon, {"query", "SELECT count(*) FROM t"}) == "0\n");
}

Test(command_line, stats_count) {
  RealDaemon daemon;
  cr_assert(contains(skua_output(daemon, {"stats"}), "sessions"));
}

Test(command_line, the_shell_takes_a_script_on_its_input) {
  RealDaemon daemon;
  const ProcessEnd outcome =
      run_skua(daemon, {"shell"}, "SELECT 'hello'\n|| ' there';\nSELECT * FROM missing;\nSELECT 'again';\n");
  cr_assert(contains(outcome.output, "hello there"), "%s", outcome.output.c_str());
  cr_assert(contains(outcome.error + outcome.output, "missing"));
}
