// `skua import` with a real daemon, and against what the sqlite3 shell's .import stores.
#include <criterion/criterion.h>

#include <csignal>

#include "tests/cli/terminal_process.h"
#include "tests/system/real_client.h"

using namespace skua;
using namespace skua::test;

namespace {

constexpr const char* kEveryAffinity =
    "CREATE TABLE t(line INTEGER PRIMARY KEY, i INTEGER, b BIGINT, r REAL, f DOUBLE PRECISION, n NUMERIC, d "
    "DECIMAL(10,2), "
    "bo BOOLEAN, ts TIMESTAMP, t TEXT, v VARCHAR(5), c CLOB, bl BLOB, x, fl FLOATING POINT)";

// Texts that some affinity may take for a number.
const char* const kFields[] = {"1",
                               "-7",
                               "1.0",
                               "1.5",
                               "1e3",
                               "1E-2",
                               "007",
                               "+3",
                               ".5",
                               "5.",
                               " 12 ",
                               "12abc",
                               "abc",
                               "",
                               "0x10",
                               "1_000",
                               "-0",
                               "-0.0",
                               "1e400",
                               "1e15",
                               "1e16",
                               "inf",
                               "nan",
                               "NULL",
                               "é",
                               "1 2",
                               "--1",
                               "9223372036854775807",
                               "9223372036854775808",
                               "-9223372036854775808",
                               "-9223372036854775809",
                               "123456789012345678901234567890",
                               "0.1",
                               "1e",
                               "e1",
                               "-",
                               ".",
                               "1.7976931348623157e308",
                               "4.9e-324",
                               "2,5"};

// Each field in every column.
std::string every_field_everywhere(char separator) {
  std::string text;
  int line = 0;
  for (const char* field : kFields) {
    const bool quoted = separator == ',';
    text += std::to_string(++line);
    for (int column = 0; column < 14; ++column) {
      text += separator;
      text += quoted ? "\"" + std::string(field) + "\"" : field;
    }
    text += "\n";
  }
  return text;
}

constexpr const char* kTypesAndValues =
    "SELECT line, typeof(i), i, typeof(b), b, typeof(r), quote(r), typeof(f), quote(f), typeof(n), n, "
    "typeof(d), d, "
    "typeof(bo), bo, typeof(ts), ts, typeof(t), t, typeof(v), v, typeof(c), c, typeof(bl), bl, typeof(x), x, "
    "typeof(fl), fl "
    "FROM t ORDER BY line";

// What the sqlite3 shell makes of the same file.
std::string sqlite3_output(const RealDaemon& daemon, const std::string& create, const std::string& mode,
                           const std::string& file, const std::string& query) {
  const ProcessEnd end =
      run({"sqlite3", daemon.directory() / "reference.db"},
          {.input = create + ";\n.mode " + mode + "\n.import " + file + " t\n.mode tabs\n" + query + ";\n"});
  require(end.exit_status == 0, end.error);
  return end.output;
}

std::string count_rows(const RealDaemon& daemon, const std::string& table = "t") {
  return skua_output(daemon, {"query", "SELECT count(*) FROM " + table});
}

std::int64_t open_transactions(Connection& connection) {
  const ResultSet stats = must(connection.stats());
  for (const Row row : stats) {
    if (row[0].bytes() == "transactions_open") return row[1].integer();
  }
  throw Failure("the daemon does not count its open transactions");
}

// A run that must fail with this status, name `part`, and import nothing.
void expect_refused(const RealDaemon& daemon, std::initializer_list<std::string> arguments, int status,
                    std::string_view part) {
  const ProcessEnd end = run_skua(daemon, arguments);
  cr_assert_eq(end.exit_status, status, "%d: %s", end.exit_status, end.error.c_str());
  cr_assert(contains(end.error, part), "%s", end.error.c_str());
  cr_assert(end.output.empty());
}

}  // namespace

Test(import, gives_the_types_that_sqlite3_gives) {
  const struct {
    char separator;
    const char* name;
    const char* mode;
  } cases[] = {{',', "rows.csv", "csv"}, {'\t', "rows.tsv", "tabs"}};
  for (const auto& one : cases) {
    RealDaemon daemon;
    const std::string file = daemon.directory().write(one.name, every_field_everywhere(one.separator));
    skua_output(daemon, {"query", kEveryAffinity});
    skua_output(daemon, {"import", file, "t", "--no-header"});
    cr_assert(skua_output(daemon, {"query", kTypesAndValues}) ==
              sqlite3_output(daemon, kEveryAffinity, one.mode, file, kTypesAndValues));
  }
}

Test(import, reads_csv_as_sqlite3_does) {
  RealDaemon daemon;
  const std::string file = daemon.directory().write(
      "rows.csv",
      "\xEF\xBB\xBF"
      "a,b\r\n\"q \"\"x\"\" q\",\"two\nlines\"\r\n x , y\t\n\"\",\n\"\r\n\",é日👍\nlast,row");
  const char* create = "CREATE TABLE t(a TEXT, b TEXT)";
  const char* query = "SELECT hex(a), hex(b) FROM t";
  skua_output(daemon, {"query", create});
  skua_output(daemon, {"import", file, "t", "--no-header"});
  cr_assert(skua_output(daemon, {"query", query}) == sqlite3_output(daemon, create, "csv", file, query));
}

Test(import, finds_columns_by_the_header_or_by_their_order) {
  RealDaemon daemon;
  skua_output(daemon,
              {"query", "CREATE TABLE t(a, \"b b\", c DEFAULT 'none', g GENERATED ALWAYS AS (a || 'g'))"});
  const TemporaryDirectory& folder = daemon.directory();
  skua_output(daemon, {"import", folder.write("1.csv", "B B,a\n1,2\n"), "t"});
  skua_output(daemon, {"import", folder.write("2.tsv", "3\t4\n"), "t", "--columns", "c,a"});
  skua_output(daemon, {"import", folder.write("3.csv", "5,6,7\n"), "t", "--no-header"});
  skua_output(daemon, {"import", folder.write("4.csv", "x,y\n8,9\n"), "t", "--columns", "a,c", "--header"});
  skua_output(daemon, {"import", "-", "t", "--format", "csv", "--skip", "2"}, "junk \"\nmore\na\n10\n");
  cr_assert(skua_output(daemon, {"query", "SELECT * FROM t"}) ==
            "2\t1\tnone\t2g\n4\t\t3\t4g\n5\t6\t7\t5g\n8\t\t9\t8g\n10\t\tnone\t10g\n");
}

Test(import, creates_the_table) {
  RealDaemon daemon;
  const std::string file = daemon.directory().write("rows.csv", "id,the \"name\"\n1,x\n");
  expect_refused(daemon, {"import", file, "new table"}, 1, "--create");
  skua_output(daemon,
              {"import", daemon.directory().write("ok.csv", "id,the name\n1,x\n"), "new table", "--create"});
  skua_output(daemon, {"import", daemon.directory() / "ok.csv", "new table", "--create"});
  cr_assert(skua_output(daemon, {"query", "SELECT typeof(id), \"the name\" FROM \"new table\""}) ==
            "text\tx\ntext\tx\n");
  skua_output(daemon, {"import", daemon.directory().write("empty.csv", "a,b\n"), "empty", "--create"});
  cr_assert(count_rows(daemon, "empty") == "0\n");
  // What is refused creates nothing.
  expect_refused(daemon, {"import", daemon.directory().write("bad.csv", "a,b\n1\n"), "bad", "--create"}, 1,
                 "bad.csv:2: ");
  cr_assert_not(contains(skua_output(daemon, {"tables"}), "bad"));
}

Test(import, reads_null_where_it_is_told) {
  RealDaemon daemon;
  const TemporaryDirectory& folder = daemon.directory();
  skua_output(daemon, {"query", "CREATE TABLE t(a, b)"});
  skua_output(daemon, {"import", folder.write("1.csv", ",\"\"\n"), "t", "--no-header"});
  skua_output(daemon, {"import", folder / "1.csv", "t", "--no-header", "--null", ""});
  skua_output(daemon, {"import", folder.write("2.tsv", "NULL\t\n"), "t", "--no-header", "--null", "NULL"});
  cr_assert(skua_output(daemon, {"query", "SELECT quote(a), quote(b) FROM t"}) ==
            "''\t''\nNULL\t''\nNULL\t''\n");
}

Test(import, takes_back_what_query_printed) {
  RealDaemon daemon;
  skua_output(
      daemon,
      {"query",
       "CREATE TABLE t(a TEXT, b TEXT); CREATE TABLE u(a TEXT, b TEXT); INSERT INTO t VALUES(NULL, ''), "
       "('say \"x\"', char(10, 44, 13, 10)), (char(0, 65, 0), 'é')"});
  const std::string csv = skua_output(daemon, {"query", "SELECT * FROM t", "--format", "csv", "--header"});
  skua_output(daemon, {"import", "-", "u", "--format", "csv", "--null", ""}, csv);
  cr_assert(skua_output(daemon, {"query", "SELECT * FROM t EXCEPT SELECT * FROM u"}).empty());
  cr_assert(count_rows(daemon, "u") == "3\n");
}

Test(import, says_what_is_wrong_and_where) {
  RealDaemon daemon;
  const TemporaryDirectory& folder = daemon.directory();
  skua_output(daemon, {"query", "CREATE TABLE t(a UNIQUE, b NOT NULL)"});
  expect_refused(daemon, {"import", folder.write("few.csv", "a,b\n\"1\n\n\",2\n3\n"), "t"}, 1,
                 "few.csv:5: 1 field where 2 are expected; nothing was imported");
  expect_refused(daemon, {"import", folder.write("many.tsv", "a\tb\n1\t2\t3\n"), "t"}, 1,
                 "many.tsv:2: 3 fields where 2 are");
  expect_refused(daemon, {"import", folder.write("quote.csv", "a,b\n1,\"2\"x\n"), "t"}, 2,
                 "quote.csv:2: text after");
  expect_refused(daemon, {"import", folder.write("open.csv", "a,b\n1,\"2\n3,4\n"), "t"}, 2, "begins on line 2");
  expect_refused(daemon, {"import", folder.write("names.csv", "a,z\n1,2\n"), "t"}, 1,
                 "names.csv:1: table t has no column z");
  expect_refused(daemon, {"import", folder.write("twice.csv", "a,A\n1,2\n"), "t"}, 1, "named twice");
  expect_refused(daemon, {"import", folder.write("unique.csv", "a,b\n1,\"x\ny\"\n2,z\n1,w\n"), "t"}, 1,
                 "unique.csv:5: UNIQUE constraint failed: t.a");
  expect_refused(daemon, {"import", folder.write("null.csv", "a,b\n1,2\n3,\n"), "t", "--null", ""}, 1,
                 "null.csv:3: NOT NULL constraint failed");
  expect_refused(daemon, {"import", folder.write("empty.csv", ""), "t"}, 2, "empty");
  expect_refused(daemon, {"import", folder.write("noname", "a,b\n"), "t"}, 2, "--format");
  expect_refused(daemon, {"import", folder / "missing.csv", "t"}, 2, "missing.csv");
  expect_refused(daemon, {"import", folder.path(), "t", "--format", "csv"}, 2, "directory");
  expect_refused(daemon, {"import", folder / "null.csv", "t", "--columns", "a,q"}, 2, "has no column q");
  expect_refused(daemon, {"import", folder / "null.csv", "u", "--no-header", "--create"}, 2,
                 "names of the columns");
  cr_assert(count_rows(daemon) == "0\n");
}

Test(import, prints_one_line_when_it_is_done) {
  RealDaemon daemon;
  const std::string file = daemon.directory().write("rows.csv", "a\n1\n");
  const ProcessEnd end = run_skua(daemon, {"import", file, "t", "--create"});
  cr_assert(end.output.empty());
  cr_assert(contains(end.error, "1 row imported into t in "), "%s", end.error.c_str());
  cr_assert(run_skua(daemon, {"import", file, "t", "--quiet"}).error.empty());
}

Test(import, shows_progress_on_a_terminal_only) {
  RealDaemon daemon;
  std::string rows = "a\n";
  for (int i = 0; i < 3'000'000; ++i) rows += "12345678\n";
  const std::string file = daemon.directory().write("rows.csv", rows);
  TerminalProcess process({program_path("skua"), "-s", daemon.socket_path(), "import", file, "t", "--create"},
                          {});
  process.wait_for(" MB/s, ");
  process.wait_for("3000000 rows imported into t in ");
  cr_assert_eq(process.wait_for_exit(), 0);
}

Test(import, imports_nothing_when_it_is_interrupted) {
  RealDaemon daemon;
  skua_output(daemon, {"query", "CREATE TABLE t(a)"});
  Process import(skua_command(daemon, {"import", "-", "t", "--format", "csv"}), {.keep_input_open = true});
  std::string rows = "a\n";
  for (int i = 0; i < 200'000; ++i) rows += "12345678\n";
  import.write(rows);
  // Before it has begun, Ctrl-C ends it as it ends any program.
  Connection connection = connect(daemon);
  while (open_transactions(connection) == 0) {
  }
  import.send_signal(SIGINT);
  const ProcessEnd end = import.wait();
  cr_assert_eq(end.exit_status, 130, "%d %s", end.exit_status, end.error.c_str());
  cr_assert(count_rows(daemon) == "0\n");
}

Test(import, keeps_memory_bounded) {
  RealDaemon daemon;
  std::string rows = "a\n";
  for (int i = 0; i < 500'000; ++i)
    rows += "a line of some length that is the same every time: one row after the other\n";
  const std::string file = daemon.directory().write("rows.csv", rows);
  const ProcessEnd end = run({"/bin/sh", "-c", "ulimit -v 150000; exec \"$@\"", "sh", program_path("skua"),
                              "-s", daemon.socket_path(), "import", file, "t", "--create"});
  if (!is_sanitized()) cr_assert_eq(end.exit_status, 0, "%s", end.error.c_str());
}
