// The shell with a real daemon: typed at a terminal, and as a script.
#include <criterion/criterion.h>

#include "tests/cli/terminal_process.h"
#include "tests/support/temporary_directory.h"
#include "tests/system/real_client.h"

using namespace skua;
using namespace skua::test;

namespace {

// The shell at a terminal, with a home of its own.
class Typed {
 public:
  explicit Typed(const RealDaemon& daemon, const std::vector<std::string>& arguments = {})
      : process_(command(daemon, arguments),
                 {{"XDG_STATE_HOME", home_.path()}, {"TERM", "dumb"}, {"INPUTRC", "/dev/null"}}) {}

  // Types a line when the prompt is there.
  void line(const std::string& text, const std::string& prompt = "skua main> ") {
    process_.wait_for(prompt);
    process_.type(text + "\n");
  }
  TerminalProcess& process() { return process_; }
  std::string history() const { return read_file(home_ / "skua/history"); }

 private:
  static std::vector<std::string> command(const RealDaemon& daemon, const std::vector<std::string>& arguments) {
    std::vector<std::string> words{program_path("skua"), "-s", daemon.socket_path()};
    words.insert(words.end(), arguments.begin(), arguments.end());
    return words;
  }

  TemporaryDirectory home_;
  TerminalProcess process_;
};

}  // namespace

Test(shell, prints_tables_and_prompts) {
  RealDaemon daemon;
  Typed shell(daemon);
  shell.line("SELECT 1 AS one;");
  shell.process().wait_for("| one |\r\n");
  shell.line("SELECT 'first'");
  shell.line("|| ' second';", "      ...> ");
  shell.process().wait_for("| first second ");
  shell.line("CREATE TABLE t (a);");
  shell.line("BEGIN;");
  shell.line("INSERT INTO t VALUES (1), (2);", "skua main*> ");
  shell.process().wait_for("2 rows changed");
  shell.line("ROLLBACK;", "skua main*> ");
  shell.process().wait_for("skua main> ");
  shell.process().type("\x04");
  cr_assert_eq(shell.process().wait_for_exit(), 0);
  cr_assert(contains(shell.history(), "|| ' second';\n"), "%s", shell.history().c_str());
}

Test(shell, shows_errors_and_goes_on) {
  RealDaemon daemon;
  Typed shell(daemon, {"shell"});
  shell.line("SELECT * FORM t; SELECT 'next';");
  shell.process().wait_for("syntax error\r\n");
  shell.process().wait_for("^\r\n");
  shell.process().wait_for("| next ");
  shell.line(".nonsense");
  shell.process().wait_for(".help");
  shell.line(".quit");
  cr_assert_eq(shell.process().wait_for_exit(), 0);
}

Test(shell, ctrl_c_abandons_a_line_and_a_statement) {
  RealDaemon daemon;
  Typed shell(daemon);
  shell.process().wait_for("skua main> ");
  shell.process().type("SELECT 'never'");
  shell.process().wait_for("'never'");
  shell.process().type("\x03");
  shell.line("SELECT");
  shell.process().wait_for("...> ");
  shell.process().type("\x03");
  shell.line("SELECT 'this';");
  shell.process().wait_for("| this ");
  shell.line("BEGIN;");
  shell.line("SELECT 'runs' AS runs; " + std::string(kForever) + "; SELECT 'not' || ' run';", "skua main*> ");
  shell.process().wait_for("| runs |\r\n");
  shell.process().type("\x03");
  const std::string seen = shell.process().wait_for("skua main*> ");
  cr_assert_not(contains(seen, "not run"), "%s", seen.c_str());
  shell.process().type(".quit\n");
  cr_assert_eq(shell.process().wait_for_exit(), 0);
}

Test(shell, connects_again_and_says_what_was_lost) {
  RealDaemon daemon;
  Typed shell(daemon);
  shell.line("CREATE TABLE t (a);");
  shell.line("BEGIN; INSERT INTO t VALUES (1);");
  shell.process().wait_for("skua main*> ");
  daemon.kill();
  shell.process().type("SELECT 1;\n");
  shell.process().wait_for("lost");
  shell.process().wait_for("rolled back");
  daemon.start();
  shell.line("SELECT count(*) AS left_over FROM t;");
  shell.process().wait_for("connected again");
  shell.process().wait_for("| 0 ");
  shell.line(".quit");
  cr_assert_eq(shell.process().wait_for_exit(), 0);
}

Test(shell, completes_names) {
  RealDaemon daemon;
  skua_output(daemon, {"query", "CREATE TABLE customer_of_ours (a)"});
  Typed shell(daemon);
  shell.process().wait_for("skua main> ");
  shell.process().type("SELECT count(*) FROM custo\t");
  shell.process().wait_for("mer_of_ours");
  shell.process().type(";\n");
  shell.process().wait_for("| 0 ");
}

Test(shell, keeps_no_private_lines_in_its_history) {
  RealDaemon daemon;
  Typed shell(daemon);
  shell.line(" SELECT 'secret';");
  shell.line("SELECT 2;");
  shell.line(".quit");
  cr_assert_eq(shell.process().wait_for_exit(), 0);
  cr_assert(shell.history() == "SELECT 2;\n.quit\n", "%s", shell.history().c_str());
}

Test(shell, runs_a_script) {
  RealDaemon daemon;
  const std::string file = daemon.directory().write("more.sql", "SELECT 'from file';\n");
  const std::string csv = daemon.directory().write("rows.csv", "a,b\n1,x\n");
  const ProcessEnd end =
      run_skua(daemon, {"shell"},
               ".mode csv\n.headers on\nSELECT 1 AS a, 'x y' AS b;\n.headers off\n"
               "CREATE TABLE t(a, b);\n.import " +
                   csv + " t\n.tables\n.schema t\n.read " + file + "\n.databases\nSELECT 'no semicolon'");
  cr_assert_eq(end.exit_status, 0, "%s", end.error.c_str());
  cr_assert(
      end.output == "a,b\n1,\"x y\"\nt,table\nCREATE TABLE t(a, b);\n\"from file\"\n* main\n\"no semicolon\"\n",
      "%s", end.output.c_str());
}

Test(shell, ends_a_script_at_its_first_error) {
  RealDaemon daemon;
  const ProcessEnd end = run_skua(daemon, {"shell"}, ".mode tsv\nSELECT 1;\nSELECT\n nope;\nSELECT 2;\n");
  cr_assert_eq(end.exit_status, 1);
  cr_assert(end.output == "1\n", "%s", end.output.c_str());
  cr_assert(contains(end.error, "stdin:4: "), "%s", end.error.c_str());
  cr_assert_eq(run_skua(daemon, {"shell"}, ".nonsense\n").exit_status, 2);
  cr_assert_eq(run_skua(daemon, {"shell"}, ".read /no/such/file\n").exit_status, 2);
}

Test(shell, chooses_among_databases) {
  RealDaemon daemon({.databases = {{"one", "one.db"}, {"two", "two.db"}}});
  const ProcessEnd end = run_skua(
      daemon, {"shell"}, ".use two\nCREATE TABLE t(a);\n.use one\n.tables\n.use two\n.tables\n.use three\n");
  cr_assert_eq(end.exit_status, 2);
  cr_assert(end.output == "t\ttable\n", "%s", end.output.c_str());
}

Test(shell, refuses_to_import_inside_a_transaction) {
  RealDaemon daemon;
  const std::string csv = daemon.directory().write("rows.csv", "a\n1\n");
  const ProcessEnd end = run_skua(daemon, {"shell"}, "CREATE TABLE t(a);\nBEGIN;\n.import " + csv + " t\n");
  cr_assert_eq(end.exit_status, 2);
  cr_assert(contains(end.error, "COMMIT"), "%s", end.error.c_str());
}
