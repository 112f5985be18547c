// `skua query` with a real daemon: what tests/system/command_line_test.cc, which holds the contract, leaves
// out.
#include <criterion/criterion.h>

#include <csignal>

#include "protocol/limits.h"
#include "tests/cli/terminal_process.h"
#include "tests/system/real_client.h"

using namespace skua;
using namespace skua::test;

Test(query, gives_each_statement_the_parameters_it_has) {
  RealDaemon daemon;
  const ProcessEnd end =
      run_skua(daemon, {"query", "--param", "a=1", "--param", "2=two", "--param", "never=0",
                        "SELECT 'none'; SELECT :a; SELECT @a + $a; SELECT :a, ?2; SELECT ?"});
  cr_assert(end.output == "none\n1\n2\n1\ttwo\n", "%s", end.output.c_str());
  cr_assert_eq(end.exit_status, 1);
  cr_assert(contains(end.error, "--param 1=VALUE"), "%s", end.error.c_str());
  const ProcessEnd unused = run_skua(daemon, {"query", "--param", "never=0", "SELECT 1"});
  cr_assert_eq(unused.exit_status, 0);
  cr_assert(contains(unused.error, "never"), "%s", unused.error.c_str());
}

Test(query, keeps_types_exact_both_ways) {
  RealDaemon daemon;
  cr_assert(
      skua_output(daemon, {"query", "--format", "insert", "SELECT :i, :r, :t, :b, :n", "--param",
                           "i=-9223372036854775808", "--param", "r=1e-3", "--param", "t=007", "--param",
                           "b:blob=00ff", "--param", "n:null="}) ==
      "INSERT INTO \"table\" VALUES(-9223372036854775808,0.0010000000000000000208,'007',X'00ff',NULL);\n");
}

Test(query, points_at_the_error) {
  RealDaemon daemon;
  const ProcessEnd end = run_skua(daemon, {"query", "SELECT 1;\n SELECT nope"});
  cr_assert(end.error == "skua: error: no such column: nope\n  SELECT nope\n         ^\n", "%s",
            end.error.c_str());
  const std::string file = daemon.directory().write("a.sql", "SELECT 1;\n\nSELECT 2,\n  nope;\nSELECT 3;\n");
  const ProcessEnd in_file = run_skua(daemon, {"query", "-f", file});
  cr_assert(in_file.output == "1\n");
  cr_assert(contains(in_file.error, "a.sql:4: no such column: nope\n    nope\n    ^\n"), "%s",
            in_file.error.c_str());
}

Test(query, goes_silently_when_its_reader_goes) {
  RealDaemon daemon;
  const ProcessEnd end = run({"/bin/sh", "-c", "\"$@\" | head -n 1", "sh", program_path("skua"), "-s",
                              daemon.socket_path(), "query", std::string(kEndlessRows)});
  cr_assert(end.output == "1\n", "%s", end.output.c_str());
  cr_assert(end.error.empty(), "%s", end.error.c_str());
}

Test(query, says_that_its_output_failed) {
  RealDaemon daemon;
  for (const std::string_view sql : {std::string_view("SELECT 1"), kEndlessRows}) {
    const ProcessEnd end = run(skua_command(daemon, {"query", std::string(sql)}), {.output_file = "/dev/full"});
    cr_assert_eq(end.exit_status, 1);
    cr_assert(contains(end.error, "No space left on device"), "%s", end.error.c_str());
  }
}

Test(query, is_interrupted_while_nobody_takes_its_rows) {
  RealDaemon daemon;
  Process endless(skua_command(daemon, {"query", kEndlessRows.data()}));
  // It goes on until the pipe is full, and is stopped there.
  endless.read_until("\n1000\n");
  endless.send_signal(SIGINT);
  cr_assert_eq(endless.wait().exit_status, 130);
}

Test(query, holds_bounded_memory) {
  RealDaemon daemon;
  for (const char* format : {"tsv", "table", "json"}) {
    const ProcessEnd end = run({"/bin/sh", "-c", "ulimit -v 150000; exec \"$@\" | tail -c 1", "sh",
                                program_path("skua"), "-s", daemon.socket_path(), "query", "--format", format,
                                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < "
                                "1000000) SELECT i, 'a text of some "
                                "length, so that a million of them do not fit' AS t FROM n"});
    if (!is_sanitized()) cr_assert(end.output == "\n" && end.error.empty(), "%s: %s", format, end.error.c_str());
  }
}

Test(query, refuses_what_is_no_sql_before_it_fills_the_memory) {
  RealDaemon daemon;
  const ProcessEnd end = run_skua(daemon, {"query"}, "SELECT '" + std::string(20 * kMiB, 'x'));
  cr_assert_eq(end.exit_status, 4, "%d %s", end.exit_status, end.error.c_str());
  cr_assert(contains(end.error, "quote"), "%s", end.error.c_str());
}

Test(query, prints_a_table_on_a_terminal_as_wide_as_it_is) {
  RealDaemon daemon;
  TerminalProcess process({program_path("skua"), "-s", daemon.socket_path(), "query",
                           "SELECT 1 AS id, '" + std::string(100, 'x') + "' AS text"},
                          {});
  process.wait_for("| id |");
  process.wait_for("| 1  | " + std::string(71, 'x') + " |\r\n");
  process.wait_for("|    | " + std::string(29, 'x'));
  cr_assert_eq(process.wait_for_exit(), 0);
}

Test(query, needs_sql) {
  RealDaemon daemon;
  TerminalProcess process({program_path("skua"), "-s", daemon.socket_path(), "query"}, {});
  process.wait_for("no SQL");
  cr_assert_eq(process.wait_for_exit(), 2);
  cr_assert_eq(run_skua(daemon, {"query", ""}).exit_status, 0);
  cr_assert_eq(run_skua(daemon, {"query", "--param", "a", "SELECT 1"}).exit_status, 2);
}

Test(small_commands, print_what_scripts_read) {
  RealDaemon daemon;
  skua_output(daemon, {"query", "CREATE TABLE t(a); CREATE VIEW v AS SELECT 1; CREATE INDEX i ON t(a)"});
  cr_assert(skua_output(daemon, {"tables"}) == "t\ttable\nv\tview\n");
  cr_assert(skua_output(daemon, {"schema", "T"}) == "CREATE TABLE t(a);\nCREATE INDEX i ON t(a);\n");
  cr_assert_eq(run_skua(daemon, {"schema", "missing"}).exit_status, 1);
  cr_assert(contains(skua_output(daemon, {"ping", "-c", "3"}), "3 round trips: "));
  cr_assert(skua_output(daemon, {"stats", "--json"}).substr(0, 2) == "{\n");
}
