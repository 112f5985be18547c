#include "tests/slt/script.h"

#include <criterion/criterion.h>

#include "tests/support/failure.h"

using namespace skua;
using namespace skua::slt;

namespace {

std::string error_of(std::string_view text) {
  const Result<Script> script = parse_script(text);
  return script ? "" : script.error().message;
}

}  // namespace

Test(slt_script, reads_statements_and_queries_with_their_lines) {
  const Script script =
      test::must(parse_script("# a comment\n\nstatement ok\nCREATE TABLE t(a,\n  b)\n\nquery IT rowsort "
                              "label-1\nSELECT 1, 'x'\n----\n1\nx\n"));
  cr_assert_eq(script.records.size(), 2u);
  const Record& create = script.records[0];
  cr_expect(create.kind == Record::Kind::kStatementOk);
  cr_expect_eq(create.line, 3u);
  cr_expect_eq(create.sql, "CREATE TABLE t(a,\n  b)");
  const Record& query = script.records[1];
  cr_expect(query.kind == Record::Kind::kQuery);
  cr_expect_eq(query.line, 7u);
  cr_expect_eq(query.types, "IT");
  cr_expect(query.sort == SortMode::kRows);
  cr_expect_eq(query.label, "label-1");
  cr_expect(query.values == std::vector<std::string>({"1", "x"}));
}

Test(slt_script, takes_a_hash_in_place_of_values) {
  const Script script = test::must(parse_script(
      "query I valuesort\nSELECT 1\n----\n30 values hashing to 3c13dee48d9356ae19af2515e05e6b54\n"));
  cr_assert(script.records.at(0).hash.has_value());
  cr_expect_eq(script.records[0].hash->count, 30u);
  cr_expect_eq(script.records[0].hash->md5, "3c13dee48d9356ae19af2515e05e6b54");
  cr_expect(script.records[0].values.empty());
}

Test(slt_script, leaves_out_what_is_for_other_databases) {
  const Script script =
      test::must(parse_script("onlyif mysql\nstatement ok\nA\n\nskipif sqlite\nstatement ok\nB\n\nskipif "
                              "mysql\nskipif oracle # why\nstatement "
                              "ok\nC\n\nonlyif sqlite\nstatement error\nD\n"));
  cr_assert_eq(script.records.size(), 2u);
  cr_expect_eq(script.records[0].sql, "C");
  cr_expect_eq(script.records[1].sql, "D");
}

Test(slt_script, ends_at_a_halt_that_applies) {
  const Script script =
      test::must(parse_script("onlyif mysql\nhalt\n\nstatement ok\nA\n\nhalt\n\nstatement ok\nB\n"));
  cr_assert_eq(script.records.size(), 1u);
  cr_expect_eq(script.records[0].sql, "A");
}

Test(slt_script, reads_lines_that_end_in_crlf) {
  const Script script =
      test::must(parse_script("statement ok\r\nA\r\n\r\nquery I nosort\r\nB\r\n----\r\n1\r\n"));
  cr_assert_eq(script.records.size(), 2u);
  cr_expect_eq(script.records[0].sql, "A");
  cr_expect(script.records[1].values == std::vector<std::string>({"1"}));
}

Test(slt_script, names_the_line_of_what_it_cannot_read) {
  const char* broken[] = {"\nfetch 1\n",
                          "\nquery\nA\n",
                          "\nquery X nosort\nA\n",
                          "\nquery I sideways\nA\n",
                          "\nstatement maybe\nA\n",
                          "\nonlyif\n"};
  for (const char* text : broken)
    cr_expect(error_of(text).starts_with("line 2: "), "%s: %s", text, error_of(text).c_str());
}
