// Databases by name, their files, and the configuration that names them.
#include <criterion/criterion.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "tests/system/real_client.h"

using namespace skua;
using namespace skua::test;

namespace {

ProcessEnd check_config(const TemporaryDirectory& directory, std::string_view text) {
  return run({program_path("skuad"), "--config", directory.write("skua.toml", text), "--check-config"});
}

}  // namespace

Test(databases, are_kept_apart_by_name) {
  RealDaemon daemon({.databases = {{"one", "one.db"}, {"two", "two.db"}}});
  Connection one = connect(daemon, "one");
  Connection two = connect(daemon, "two");
  ask(one, "CREATE TABLE t AS SELECT 'one' AS a");
  ask(two, "CREATE TABLE t AS SELECT 'two' AS a");
  cr_assert(ask(one, "SELECT a FROM t") == "one");
  cr_assert(ask(two, "SELECT a FROM t") == "two");
  RequestOptions in_two;
  in_two.database = "two";
  cr_assert(text_of(must(one.execute("SELECT a FROM t", {}, in_two))) == "two");
  cr_assert(one.server().databases == std::vector<std::string>({"one", "two"}));
}

Test(databases, need_no_name_when_there_is_one_and_need_one_when_there_are_two) {
  RealDaemon single;
  Connection connection = connect(single);
  cr_assert(ask(connection, "SELECT 1") == "1");
  RealDaemon several({.databases = {{"one", "one.db"}, {"two", "two.db"}}});
  Connection unnamed = connect(several);
  const Error error = expect_error(unnamed.execute("SELECT 1"), ErrorCode::kNotFound);
  cr_assert(contains(error.message, "one") && contains(error.message, "two"), "%s", error.message.c_str());
}

Test(databases, with_an_unknown_name_are_an_error_that_names_it) {
  RealDaemon daemon;
  Connection connection = connect(daemon, "nowhere");
  const Error error = expect_error(connection.execute("SELECT 1"), ErrorCode::kNotFound);
  cr_assert(contains(error.message, "nowhere"), "%s", error.message.c_str());
}

Test(databases, are_created_in_wal_mode) {
  RealDaemon daemon;
  Connection connection = connect(daemon);
  ask(connection, "CREATE TABLE t (a)");
  cr_assert(ask(connection, "PRAGMA journal_mode") == "wal");
  daemon.stop();
  // Bytes 18 and 19 of the header: write and read version, 2 for WAL. sqlite.org/fileformat.html
  const std::string header = read_file(daemon.database_path()).substr(0, 20);
  cr_assert(header.substr(18) == "\2\2");
}

Test(databases, are_not_created_where_the_configuration_forbids_it) {
  const TemporaryDirectory directory;
  const std::string config = directory.write(
      "skua.toml", "[databases.main]\nfile = \"" + (directory / "absent.db") + "\"\ncreate = false\n");
  const std::string message = refused_daemon({"--socket", directory / "s", "--config", config});
  cr_assert(contains(message, "absent.db"), "%s", message.c_str());
  cr_assert(!std::filesystem::exists(directory / "absent.db"));
}

Test(databases, that_exist_are_opened_where_creating_is_forbidden) {
  RealDaemon first;
  {
    Connection connection = connect(first);
    ask(connection, "CREATE TABLE t AS SELECT 7 AS a");
  }
  first.stop();
  RealDaemon second({.config = "[databases.main]\nfile = \"" + first.database_path() + "\"\ncreate = false\n"});
  Connection connection = connect(second);
  cr_assert(ask(connection, "SELECT a FROM t") == "7");
}

Test(databases, in_a_missing_directory_are_refused) {
  const TemporaryDirectory directory;
  const std::string file = directory / "missing/main.db";
  const std::string message = refused_daemon({"--socket", directory / "s", "--database", "main=" + file});
  cr_assert(contains(message, directory / "missing"), "%s", message.c_str());
}

Test(databases, that_are_directories_are_refused) {
  const TemporaryDirectory directory;
  const std::string message =
      refused_daemon({"--socket", directory / "s", "--database", "main=" + directory.path()});
  cr_assert(contains(message, directory.path()), "%s", message.c_str());
}

Test(databases, that_may_not_be_read_are_refused) {
  const TemporaryDirectory directory;
  const std::string file = directory.write("main.db", "");
  cr_assert_eq(::chmod(file.c_str(), 0), 0);
  std::vector<std::string> command{program_path("skuad"), "--socket", directory / "s", "--database",
                                   "main=" + file};
  if (::geteuid() == 0) {
    // Permissions are nothing to root: become nobody.
    const std::vector<std::string> as_nobody{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                                             "--"};
    cr_assert_eq(::chmod(directory.path().c_str(), 0777), 0);
    std::vector<std::string> reachable = as_nobody;
    reachable.insert(reachable.end(), {"test", "-x", command[0]});
    if (run(reachable).exit_status != 0) cr_skip_test("nobody cannot reach the build folder");
    command.insert(command.begin(), as_nobody.begin(), as_nobody.end());
  }
  const ProcessEnd outcome = run(command);
  cr_assert_gt(outcome.exit_status, 0);
  cr_assert(contains(outcome.error, file), "%s", outcome.error.c_str());
}

Test(databases, that_are_no_databases_are_refused_and_not_touched) {
  const TemporaryDirectory directory;
  const std::string text(8192, 'x');
  const std::string file = directory.write("main.db", text);
  const std::string message = refused_daemon({"--socket", directory / "s", "--database", "main=" + file});
  cr_assert(contains(message, file), "%s", message.c_str());
  cr_assert(contains(message, "not an SQLite database"), "%s", message.c_str());
  cr_assert(read_file(file) == text);
}

Test(configuration, that_is_good_passes_the_check_without_a_trace) {
  const TemporaryDirectory directory;
  const ProcessEnd outcome =
      check_config(directory, "socket = \"" + (directory / "s") + "\"\n[databases.main]\nfile = \"" +
                                  (directory / "main.db") +
                                  "\"\nforeign_keys = false\n[log]\nlevel = \"debug\"\ntarget = "
                                  "\"stderr\"\n[limits]\nsessions_max = 10\n");
  cr_assert_eq(outcome.exit_status, 0, "%s", outcome.error.c_str());
  cr_assert(!std::filesystem::exists(directory / "main.db"));
  cr_assert(!std::filesystem::exists(directory / "s"));
}

Test(configuration, mistakes_are_named_with_their_line_or_key) {
  const TemporaryDirectory directory;
  const std::string database = "[databases.main]\nfile = \"/tmp/x.db\"\n";
  const struct {
    std::string text;
    std::string named;
  } mistakes[] = {
      {"socket = \"/tmp/s\"\nthis is not toml\n" + database, "2"},
      {"sockett = \"/tmp/s\"\n" + database, "sockett"},
      {database + "[limits]\nsessions_maximum = 3\n", "sessions_maximum"},
      {database + "[limits]\nsessions_max = \"many\"\n", "sessions_max"},
      {database + "[limits]\nsessions_max = -1\n", "sessions_max"},
      {database + "[limits]\nsessions_max = 4294967296\n", "sessions_max"},
      {database + "[log]\nlevel = \"loud\"\n", "loud"},
      {database + "[log]\ntarget = \"paper\"\n", "paper"},
      {database + "creat = false\n", "creat"},
      {"[databases.main]\ncreate = true\n", "file"},
      {"socket = 7\n" + database, "socket"},
  };
  for (const auto& mistake : mistakes) {
    const ProcessEnd outcome = check_config(directory, mistake.text);
    cr_assert_gt(outcome.exit_status, 0, "accepted: %s", mistake.text.c_str());
    cr_assert(contains(outcome.error, mistake.named), "%s: %s", mistake.text.c_str(), outcome.error.c_str());
    cr_assert(contains(outcome.error, "skua.toml"), "%s", outcome.error.c_str());
  }
}

Test(configuration, that_is_missing_is_named) {
  const ProcessEnd outcome = run({program_path("skuad"), "--config", "/no/such/skua.toml", "--check-config"});
  cr_assert_gt(outcome.exit_status, 0);
  cr_assert(contains(outcome.error, "/no/such/skua.toml"), "%s", outcome.error.c_str());
}

Test(configuration, may_turn_foreign_keys_on_and_off) {
  for (const bool on : {true, false}) {
    RealDaemon daemon({.config = std::string("[databases.main]\nfile = \"main.db\"\nforeign_keys = ") +
                                 (on ? "true\n" : "false\n")});
    Connection connection = connect(daemon);
    ask(connection, "CREATE TABLE parent (id INTEGER PRIMARY KEY)");
    ask(connection, "CREATE TABLE child (parent_id REFERENCES parent (id))");
    const auto inserted = connection.execute("INSERT INTO child VALUES (1)");
    cr_assert_eq(inserted.has_value(), !on);
    if (on) cr_assert_eq(inserted.error().code, ErrorCode::kConstraint);
  }
}

Test(configuration, limits_sessions_at_the_maximum_and_one_more) {
  RealDaemon daemon({.config = "[limits]\nsessions_max = 3\n"});
  std::vector<Connection> connections;
  for (int i = 0; i < 3; ++i) connections.push_back(connect(daemon));
  ConnectOptions options;
  options.socket_path = daemon.socket_path();
  const Error error = expect_error(Connection::connect(options), ErrorCode::kLimit);
  cr_assert(contains(error.message, "sessions_max"), "%s", error.message.c_str());
  for (Connection& connection : connections) cr_assert(ask(connection, "SELECT 1") == "1");
}
