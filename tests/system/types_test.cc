// Every SQLite value goes in and comes out as it was, through the real daemon.
#include <criterion/criterion.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "protocol/limits.h"
#include "tests/system/real_client.h"

using namespace skua;
using namespace skua::test;

namespace {

Value echo(Connection& connection, const Value& value) {
  return must(must(connection.execute("SELECT ?", Parameters::of(value))).scalar());
}

// Through a table too, in a column that converts nothing.
Value stored(Connection& connection, const Value& value) {
  ask(connection, "CREATE TABLE IF NOT EXISTS stored (value)");
  ask(connection, "DELETE FROM stored");
  ask(connection, "INSERT INTO stored VALUES (?)", Parameters::of(value));
  return must(must(connection.execute("SELECT value FROM stored")).scalar());
}

void expect_same(Connection& connection, const Value& value) {
  cr_assert(echo(connection, value) == value);
  cr_assert(stored(connection, value) == value);
}

std::string columns(std::size_t count) {
  std::string sql = "SELECT 1";
  for (std::size_t i = 2; i <= count; ++i) sql += "," + std::to_string(i);
  return sql;
}

}  // namespace

Test(types, integers_are_exact_to_the_extremes) {
  RealDaemon daemon;
  Connection connection = connect(daemon);
  for (const std::int64_t value :
       {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max(), std::int64_t{0},
        std::int64_t{-1}, (std::int64_t{1} << 53) + 1}) {
    expect_same(connection, value);
  }
}

Test(types, reals_are_exact_to_the_bit) {
  RealDaemon daemon;
  Connection connection = connect(daemon);
  for (const double value :
       {0.1, -0.0, 5e-324, std::numeric_limits<double>::max(), std::numeric_limits<double>::infinity(),
        -std::numeric_limits<double>::infinity()}) {
    const Value back = echo(connection, value);
    cr_assert(std::holds_alternative<double>(back));
    cr_assert_eq(std::bit_cast<std::uint64_t>(std::get<double>(back)), std::bit_cast<std::uint64_t>(value));
    const Value from_table = stored(connection, value);
    cr_assert(std::holds_alternative<double>(from_table));
    cr_assert_eq(std::get<double>(from_table), value);
  }
}

Test(types, nan_becomes_null) {
  RealDaemon daemon;
  Connection connection = connect(daemon);
  expect_same(connection, Null{});
  cr_assert(std::holds_alternative<Null>(echo(connection, std::numeric_limits<double>::quiet_NaN())));
  cr_assert(std::holds_alternative<Null>(stored(connection, std::numeric_limits<double>::quiet_NaN())));
}

Test(types, text_is_bytes) {
  RealDaemon daemon;
  Connection connection = connect(daemon);
  for (const std::string& value :
       {std::string(), std::string("a\0b\0", 4), std::string("\0", 1), std::string("\xff\xfe\x80 not UTF-8"),
        std::string("\xe6\xbc\xa2\xe5\xad\x97"), std::string(100'000, 'x')}) {
    expect_same(connection, value);
  }
  cr_assert(ask(connection, "SELECT typeof(?), typeof(?)", Parameters::of("", Blob{})) == "text|blob");
}

Test(types, blobs_are_exact_from_nothing_to_the_limit) {
  RealDaemon daemon;
  Connection connection = connect(daemon);
  expect_same(connection, Blob{});
  expect_same(connection, Blob{std::string("\0\xff'\"\n", 5)});
  Blob largest{std::string(kValueBytesMax, '\0')};
  for (std::size_t i = 0; i < largest.bytes.size(); i += 4096) largest.bytes[i] = static_cast<char>(i >> 12);
  cr_assert(echo(connection, largest) == Value(largest));
  cr_assert(stored(connection, largest) == Value(largest));
  largest.bytes += 'x';
  const Error error =
      expect_error(connection.execute("SELECT length(?)", Parameters::of(largest)), ErrorCode::kLimit);
  cr_assert(!error.message.empty());
  cr_assert(ask(connection, "SELECT 1") == "1");
}

Test(types, of_one_column_may_differ_from_row_to_row) {
  RealDaemon daemon;
  Connection connection = connect(daemon);
  ask(connection, "CREATE TABLE t (a)");
  ask(connection, "INSERT INTO t VALUES (1), (2.5), ('three'), (x'04'), (NULL), (6)");
  cr_assert(ask(connection, "SELECT a FROM t") == "1 2.5 three x'04' ~ 6");
}

Test(types, columns_have_their_names_and_declared_types) {
  RealDaemon daemon;
  Connection connection = connect(daemon);
  ask(connection, "CREATE TABLE t (a INTEGER, b VARCHAR(20), c)");
  const ResultSet rows = must(connection.execute("SELECT a, b AS \"the b\", c, a + 1, a FROM t"));
  cr_assert_eq(rows.columns().size(), 5);
  cr_assert(rows.columns()[0] == ColumnInfo({"a", "INTEGER"}));
  cr_assert(rows.columns()[1] == ColumnInfo({"the b", "VARCHAR(20)"}));
  cr_assert(rows.columns()[2] == ColumnInfo({"c", ""}));
  cr_assert(rows.columns()[3] == ColumnInfo({"a + 1", ""}));
  cr_assert(rows.columns()[4].name == "a");
}

Test(types, as_many_columns_as_sqlite_has_and_one_more) {
  RealDaemon daemon;
  Connection connection = connect(daemon);
  const ResultSet rows = must(connection.execute(columns(kColumnsMax)));
  cr_assert_eq(rows.columns().size(), kColumnsMax);
  for (std::size_t i = 0; i < kColumnsMax; ++i) {
    cr_assert_eq(rows.row(0)[i].integer(), static_cast<std::int64_t>(i + 1));
  }
  cr_assert(!connection.execute(columns(kColumnsMax + 1)).has_value());
  cr_assert(ask(connection, "SELECT 1") == "1");
}

Test(types, as_many_parameters_as_sqlite_has_and_one_more) {
  RealDaemon daemon;
  Connection connection = connect(daemon);
  std::string sql = "SELECT count(*), sum(column1) FROM (VALUES (?)";
  Parameters parameters = Parameters::of(1);
  for (std::size_t i = 2; i <= kParametersMax; ++i) {
    sql += ",(?)";
    parameters.add(1);
  }
  cr_assert(ask(connection, sql + ")", parameters) == "32766|32766");
  expect_error(connection.execute("SELECT ?32767"), ErrorCode::kSql);
}

Test(types, sql_at_the_longest_and_one_more_byte) {
  RealDaemon daemon;
  Connection connection = connect(daemon);
  const std::string start = "SELECT 1 /*";
  std::string sql = start + std::string(kSqlBytesMax - start.size() - 2, 'x') + "*/";
  cr_assert(ask(connection, sql) == "1");
  sql.insert(start.size(), 1, 'x');
  const Error error = expect_error(connection.execute(sql), ErrorCode::kLimit);
  cr_assert(!error.message.empty());
}

Test(columns, change_with_the_schema_under_a_connection_that_knows_the_old_ones) {
  RealDaemon daemon;
  Connection reader = connect(daemon);
  Connection other = connect(daemon);
  must(other.execute("CREATE TABLE t(a INT)"));
  must(other.execute("INSERT INTO t VALUES (1)"));
  const auto name = [&] { return must(reader.execute("SELECT * FROM t")).columns()[0].name; };
  // On a reader's thread first, then on the loop's.
  for (int i = 0; i < 5; ++i) cr_assert(name() == "a");
  must(other.execute("ALTER TABLE t RENAME COLUMN a TO b"));
  for (int i = 0; i < 5; ++i) cr_assert(name() == "b");
  must(other.execute("ALTER TABLE t ADD COLUMN c DEFAULT 5"));
  for (int i = 0; i < 5; ++i) cr_assert_eq(must(reader.execute("SELECT * FROM t")).columns().size(), 2u);
  must(other.execute("DROP TABLE t"));
  must(other.execute("CREATE TABLE t(z TEXT)"));
  for (int i = 0; i < 5; ++i) {
    const ResultSet none = must(reader.execute("SELECT * FROM t"));
    cr_assert(none.columns().size() == 1 && none.columns()[0].name == "z" && none.columns()[0].declared_type == "TEXT");
  }
}
