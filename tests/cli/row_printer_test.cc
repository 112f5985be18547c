// The formats that print a row at a time, byte by byte. sqlite3_shell_test.cc compares them with the sqlite3
// shell.
#include <criterion/criterion.h>

#include <limits>

#include "tests/cli/printing.h"

using namespace skua;
using namespace skua::cli;
using namespace skua::test;

namespace {

const double kInfinity = std::numeric_limits<double>::infinity();

void expect_printed(const std::string& actual, const std::string& expected) {
  cr_assert(actual == expected, "printed:\n%s\nexpected:\n%s", actual.c_str(), expected.c_str());
}

PrintOptions with_header(Format format, bool header) {
  PrintOptions options;
  options.format = format;
  options.header = header;
  return options;
}

}  // namespace

Test(tsv_printer, prints_values_raw_and_null_as_nothing) {
  expect_printed(
      printed(Format::kTsv, {"a", "b", "c"},
              {{std::int64_t{-5}, 0.5, std::string("x\ty")}, {Null{}, std::string(), Blob{"\x01\xff"}}}),
      "-5\t0.5\tx\ty\n\t\t\x01\xff\n");
}

Test(tsv_printer, prints_text_beyond_a_nul) {
  expect_printed(printed(Format::kTsv, {"a"}, {{std::string("a\0b", 3)}}), std::string("a\0b\n", 4));
}

Test(tsv_printer, prints_a_header_only_when_asked) {
  expect_printed(printed(with_header(Format::kTsv, true), {"a", "b b"}, {{Null{}, Null{}}}), "a\tb b\n\t\n");
  expect_printed(printed(with_header(Format::kTsv, true), {"a"}, {}), "a\n");
  expect_printed(printed(Format::kTsv, {"a"}, {}), "");
}

Test(csv_printer, quotes_as_the_sqlite3_shell_does) {
  expect_printed(printed(Format::kCsv, {"a"},
                         {{std::string("plain")},
                          {std::string("two words")},
                          {std::string("a,b")},
                          {std::string("say \"x\"")},
                          {std::string("it's")},
                          {std::string("é")},
                          {std::string("line\nend")},
                          {std::string("a\0b", 3)},
                          {std::string("semi;colon|bar\\")}}),
                 "plain\n\"two words\"\n\"a,b\"\n\"say \"\"x\"\"\"\n\"it's\"\n\"é\"\n\"line\nend\"\n" +
                     std::string("\"a\0b\"\n", 6) + "semi;colon|bar\\\n");
}

Test(csv_printer, tells_null_from_empty_text) {
  expect_printed(printed(Format::kCsv, {"a", "b", "c"}, {{Null{}, std::string(), std::int64_t{7}}}),
                 ",\"\",7\n");
}

Test(csv_printer, quotes_its_header) {
  expect_printed(printed(with_header(Format::kCsv, true), {"a", "b b", ""}, {}), "a,\"b b\",\"\"\n");
}

Test(json_printer, prints_one_array) {
  expect_printed(printed(Format::kJson, {"a", "b"},
                         {{std::int64_t{1}, Null{}}, {std::string("x"), Blob{std::string("\0\xff", 2)}}}),
                 "[{\"a\":1,\"b\":null},\n{\"a\":\"x\",\"b\":\"00ff\"}]\n");
  expect_printed(printed(Format::kJson, {"a"}, {}), "[]\n");
}

Test(json_printer, keeps_numbers_exact) {
  expect_printed(
      printed(Format::kNdjson, {"a"},
              {{std::numeric_limits<std::int64_t>::min()},
               {std::numeric_limits<std::int64_t>::max()},
               {0.1},
               {1.0},
               {-0.0},
               {1e100},
               {1.7976931348623157e308},
               {5e-324},
               {kInfinity},
               {-kInfinity}}),
      "{\"a\":-9223372036854775808}\n{\"a\":9223372036854775807}\n{\"a\":0.1}\n{\"a\":1.0}\n"
      "{\"a\":-0.0}\n{\"a\":1.0e+100}\n{\"a\":1.7976931348623157e+308}\n{\"a\":5.0e-324}\n{\"a\":1e999}\n"
      "{\"a\":-1e999}\n");
}

Test(json_printer, escapes_what_json_cannot_hold) {
  expect_printed(printed(Format::kNdjson, {"k\"\n"},
                         {{std::string("\"\\/\b\f\n\r\t\x01\x1f\x7f", 11)},
                          {std::string("a\0b", 3)},
                          {std::string("é日👍")},
                          {std::string("x\xff\xc3y\xed\xa0\x80")}}),
                 "{\"k\\\"\\n\":\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\"}\n"
                 "{\"k\\\"\\n\":\"a\\u0000b\"}\n"
                 "{\"k\\\"\\n\":\"é日👍\"}\n"
                 "{\"k\\\"\\n\":\"x\xEF\xBF\xBD\xEF\xBF\xBDy\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"}\n");
}

Test(line_printer, aligns_names_and_parts_rows) {
  expect_printed(
      printed(Format::kLine, {"a", "longer_name"}, {{std::int64_t{1}, Null{}}, {0.5, std::string("x")}}),
      "          a = 1\nlonger_name = \n\n          a = 0.5\nlonger_name = x\n");
  expect_printed(printed(Format::kLine, {"a"}, {{std::int64_t{1}}}), "    a = 1\n");
}

Test(insert_printer, writes_statements_that_give_the_same_values) {
  PrintOptions options;
  options.format = Format::kInsert;
  options.insert_table = "order";
  expect_printed(printed(options, {"a"}, {{Null{}}}), "INSERT INTO \"order\" VALUES(NULL);\n");
  options.insert_table = "t";
  options.header = true;
  expect_printed(
      printed(options, {"a", "b b"}, {{std::int64_t{-3}, 0.5}, {std::string("it's"), Blob{"\x0a\xff"}}}),
      "INSERT INTO t(a,\"b b\") VALUES(-3,0.5);\nINSERT INTO t(a,\"b b\") VALUES('it''s',X'0aff');\n");
}

Test(insert_printer, keeps_a_statement_on_one_line) {
  expect_printed(
      printed(Format::kInsert, {"a"}, {{std::string("a\nb")}, {std::string("\\n\n\r")}}),
      "INSERT INTO \"table\" VALUES(replace('a\\nb','\\n',char(10)));\n"
      "INSERT INTO \"table\" VALUES(replace(replace('\\n\\012\\r','\\r',char(13)),'\\012',char(10)));\n");
  expect_printed(
      printed(Format::kInsert, {"a"}, {{std::string("a\0b", 3)}, {kInfinity}}),
      "INSERT INTO \"table\" VALUES(CAST(X'610062' AS TEXT));\nINSERT INTO \"table\" VALUES(1e999);\n");
}

Test(row_printer, knows_its_formats_by_name) {
  for (const char* name : {"table", "box", "csv", "tsv", "json", "ndjson", "markdown", "line", "insert"}) {
    const auto format = format_named(name);
    cr_assert(format.has_value());
    cr_assert(to_string(*format) == name);
  }
  cr_assert_not(format_named("xml").has_value());
  cr_assert_not(format_named("").has_value());
}
