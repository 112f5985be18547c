// The text formats against the sqlite3 shell itself: the same database, the same query, byte for byte.
#include <criterion/criterion.h>
#include <sqlite3.h>

#include <memory>

#include "tests/cli/printing.h"
#include "tests/support/failure.h"
#include "tests/support/process.h"
#include "tests/support/random.h"
#include "tests/support/temporary_directory.h"

using namespace skua;
using namespace skua::cli;
using namespace skua::test;

namespace {

struct Closer {
  void operator()(sqlite3* database) const { sqlite3_close(database); }
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Database = std::unique_ptr<sqlite3, Closer>;
using Statement = std::unique_ptr<sqlite3_stmt, Closer>;

struct Table {
  std::vector<std::string> columns;
  Rows rows;
};

Value value_in(sqlite3_stmt* statement, int column) {
  const auto bytes = [&](const void* data) {
    return std::string(static_cast<const char*>(data),
                       static_cast<std::size_t>(sqlite3_column_bytes(statement, column)));
  };
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
      return std::int64_t{sqlite3_column_int64(statement, column)};
    case SQLITE_FLOAT:
      return sqlite3_column_double(statement, column);
    case SQLITE_TEXT:
      return bytes(sqlite3_column_text(statement, column));
    case SQLITE_BLOB:
      return Blob{bytes(sqlite3_column_blob(statement, column))};
    default:
      return Null{};
  }
}

Table select_all(const std::string& file, const std::string& sql) {
  sqlite3* raw_database = nullptr;
  require(sqlite3_open(file.c_str(), &raw_database) == SQLITE_OK, "sqlite3_open");
  const Database database(raw_database);
  sqlite3_stmt* raw_statement = nullptr;
  require(sqlite3_prepare_v2(raw_database, sql.c_str(), -1, &raw_statement, nullptr) == SQLITE_OK,
          sqlite3_errmsg(raw_database));
  const Statement statement(raw_statement);
  Table table;
  const int columns = sqlite3_column_count(raw_statement);
  for (int i = 0; i < columns; ++i) table.columns.emplace_back(sqlite3_column_name(raw_statement, i));
  while (sqlite3_step(raw_statement) == SQLITE_ROW) {
    table.rows.emplace_back();
    for (int i = 0; i < columns; ++i) table.rows.back().push_back(value_in(raw_statement, i));
  }
  return table;
}

// What the shell prints, with these options.
std::string shell_output(const std::vector<std::string>& options, const std::string& file,
                         const std::string& sql) {
  std::vector<std::string> command{"sqlite3"};
  command.insert(command.end(), options.begin(), options.end());
  command.insert(command.end(), {file, sql});
  const ProcessEnd end = run(command);
  require(end.exit_status == 0, end.error);
  return end.output;
}

struct FormatCase {
  Format format;
  bool header;
  std::vector<std::string> shell_options;
};

const FormatCase kFormatCases[] = {
    {Format::kTsv, false, {"-tabs"}},
    {Format::kTsv, true, {"-tabs", "-header"}},
    {Format::kCsv, false, {"-csv"}},
    {Format::kCsv, true, {"-csv", "-header"}},
    {Format::kLine, false, {"-line"}},
    {Format::kInsert, false, {"-cmd", ".mode insert t"}},
    {Format::kInsert, true, {"-header", "-cmd", ".mode insert t"}},
};

void expect_same(const std::vector<FormatCase>& cases, const std::string& file, const std::string& sql) {
  const Table table = select_all(file, sql);
  for (const FormatCase& one : cases) {
    PrintOptions options;
    options.format = one.format;
    options.header = one.header;
    options.insert_table = "t";
    const std::string ours = printed(options, table.columns, table.rows);
    const std::string theirs = shell_output(one.shell_options, file, sql);
    std::size_t at = 0;
    while (at < ours.size() && at < theirs.size() && ours[at] == theirs[at]) ++at;
    at -= std::min<std::size_t>(at, 50);
    cr_assert(ours == theirs, "%s differs at byte %zu:\n%s\nsqlite3 prints\n%s",
              std::string(to_string(one.format)).c_str(), at, ours.substr(at, 200).c_str(),
              theirs.substr(at, 200).c_str());
  }
}

std::vector<FormatCase> text_cases() { return {std::begin(kFormatCases), std::end(kFormatCases)}; }

constexpr const char* kReals =
    "SELECT column1 AS r, column1 * -1 AS \"minus r\" FROM (VALUES (0.1), (1e15), (123456789012345678.0), "
    "(1e-5), (-0.0), "
    "(1e308), (9e999), (2.5e-320), (1.0 / 3), (1.0), (100.0), (1e14), (1e16), (999999999999999.9), (0.0001), "
    "(0.00001234), "
    "(1.7976931348623157e308), (5e-324), (3.14159265358979312))";

constexpr const char* kTexts =
    "SELECT column1 AS a, column2 AS \"b b\" FROM (VALUES (NULL, ''), ('plain', 'two words'), ('a,b', 'tab' || "
    "char(9)), "
    "('say \"x\"', 'it''s'), ('line' || char(10) || 'end', char(13, 10)), ('\\n' || char(10), '\\n\\012' || "
    "char(10)), "
    "('é日本', '👍'), (char(7), char(27) || '[31m'), (char(127), char(155)), ('a|b', '\\'), "
    "(-9223372036854775808, "
    "9223372036854775807), (0, -1))";

}  // namespace

Test(sqlite3_shell, prints_the_same_reals) {
  const TemporaryDirectory directory;
  expect_same(text_cases(), directory / "empty.db", kReals);
  expect_same({{Format::kTable, true, {"-table"}},
               {Format::kBox, true, {"-box"}},
               {Format::kMarkdown, true, {"-markdown"}}},
              directory / "empty.db", kReals);
}

Test(sqlite3_shell, prints_the_same_texts) {
  const TemporaryDirectory directory;
  expect_same(text_cases(), directory / "empty.db", kTexts);
}

Test(sqlite3_shell, prints_the_same_tables) {
  const TemporaryDirectory directory;
  const std::vector<FormatCase> cases{{Format::kTable, true, {"-table"}},
                                      {Format::kBox, true, {"-box"}},
                                      {Format::kMarkdown, true, {"-markdown"}}};
  expect_same(
      cases, directory / "empty.db",
      "SELECT 1 AS id, 'Milk' AS name, 5 AS \"price in pounds\" UNION ALL SELECT 20, 'Kit Kat', 1.25 UNION ALL "
      "SELECT 3, NULL, -10");
  expect_same({cases[0], cases[1]}, directory / "empty.db",
              "SELECT 'one' || char(10) || 'two' || char(9) || 'x' AS a, 1 AS b UNION ALL SELECT 'three', 2");
}

Test(sqlite3_shell, prints_the_same_json_where_both_are_right) {
  const TemporaryDirectory directory;
  expect_same({{Format::kJson, false, {"-json"}}}, directory / "empty.db",
              "SELECT 1 AS a, NULL AS b, 'x\"\\/' || char(8, 9, 10, 12, 13, 1, 31) AS c UNION ALL SELECT "
              "-9223372036854775808, 0.5, 'é日👍' UNION ALL SELECT 9e999, -9e999, ''");
}

Test(sqlite3_shell, prints_the_same_of_anything_random) {
  const TemporaryDirectory directory;
  const std::string file = directory / "random.db";
  Random random;
  std::string sql = "CREATE TABLE t(a, b, c);\n";
  for (int i = 0; i < 500; ++i) {
    // Bytes from 1 on: the shell stops at a NUL.
    std::string codes = "32";
    for (std::int64_t left = random.between(0, 12); left > 0; --left) {
      codes += "," + std::to_string(random.one_in(4) ? random.between(1, 0x2ff) : random.between(1, 127));
    }
    sql += "INSERT INTO t VALUES(" + std::to_string(static_cast<std::int64_t>(random.word())) + ",char(" +
           codes + ")," + std::to_string(random.between(-1'000'000'000, 1'000'000'000)) + "e" +
           std::to_string(random.between(-300, 290)) + ");\n";
  }
  require(run({"sqlite3", file}, {.input = "BEGIN;" + sql + "COMMIT;"}).exit_status == 0, "sqlite3");
  expect_same(text_cases(), file, "SELECT * FROM t");
}

Test(sqlite3_shell, reads_back_what_insert_wrote) {
  const TemporaryDirectory directory;
  const Table table = select_all(directory / "empty.db", kTexts);
  PrintOptions options;
  options.format = Format::kInsert;
  options.insert_table = "order";
  Rows rows = table.rows;
  rows.push_back({std::string("a\0b'\n", 5), Blob{std::string("\0\xff", 2)}});
  const std::string statements = "CREATE TABLE \"order\"(a, b);\n" + printed(options, table.columns, rows);
  require(run({"sqlite3", directory / "copy.db"}, {.input = statements}).exit_status == 0, "sqlite3");
  const Table copy = select_all(directory / "copy.db", "SELECT * FROM \"order\"");
  cr_assert(copy.rows == rows);
}
