// SqlLexer: tokens as SQLite cuts them.
#include "protocol/sql_lexer.h"

#include <criterion/criterion.h>

#include <string>
#include <vector>

#include "tests/support/random.h"

using namespace skua;

namespace {

using Kind = SqlToken::Kind;

// The tokens with spaces between them; an unterminated one is marked with a tilde.
std::string tokens_of(std::string_view sql) {
  std::string tokens;
  SqlLexer lexer(sql);
  for (SqlToken token = lexer.next(); token.kind != Kind::kEnd; token = lexer.next()) {
    cr_assert(token.text == sql.substr(token.offset, token.text.size()));
    if (!tokens.empty()) tokens += ' ';
    tokens += token.text;
    if (!token.terminated) tokens += '~';
  }
  return tokens;
}

std::vector<Kind> kinds_of(std::string_view sql) {
  std::vector<Kind> kinds;
  SqlLexer lexer(sql);
  do kinds.push_back(lexer.next().kind);
  while (kinds.back() != Kind::kEnd);
  return kinds;
}

}  // namespace

Test(sql_lexer, knows_each_kind_of_token) {
  const std::vector<Kind> expected = {Kind::kWord,      Kind::kQuoted, Kind::kString, Kind::kNumber,
                                      Kind::kParameter, Kind::kOpen,   Kind::kClose,  Kind::kSemicolon,
                                      Kind::kOther,     Kind::kEnd};
  cr_assert(kinds_of("select \"a\" 'b' 1.5 ?1 ( ) ; +") == expected);
}

Test(sql_lexer, leaves_out_space_and_comments) {
  cr_assert(tokens_of(" \t\r\n\fa--b\nc/*d;*/e/**/f--") == "a c e f");
  cr_assert(tokens_of("-- only\n/* comments */").empty());
  cr_assert(tokens_of("a-b/c") == "a - b / c");
  cr_assert(tokens_of("\xEF\xBB\xBFselect 1") == "select 1");
}

Test(sql_lexer, keeps_quotes_together) {
  cr_assert(tokens_of("'it''s; fine' \"a\"\"b\" `c``d` [e;f]") == "'it''s; fine' \"a\"\"b\" `c``d` [e;f]");
  cr_assert(tokens_of("x'00ff'") == "x '00ff'");
}

Test(sql_lexer, runs_to_the_end_in_what_is_not_closed) {
  cr_assert(tokens_of("a 'b c") == "a 'b c~");
  cr_assert(tokens_of("a \"b''") == "a \"b''~");
  cr_assert(tokens_of("'a''") == "'a''~");
  SqlLexer open("a /* b");
  cr_assert(open.next().is_word("A"));
  cr_assert(open.next().kind == Kind::kEnd);
  cr_assert(open.ended_in_comment());
  SqlLexer closed("a /* b */");
  (void)closed.next();
  (void)closed.next();
  cr_assert(!closed.ended_in_comment());
}

Test(sql_lexer, knows_parameters_by_their_prefix) {
  cr_assert(tokens_of("? ?12 :name @name $name") == "? ?12 :name @name $name");
  for (const char* sql : {"?", "?1", ":a", "@a", "$a"}) {
    const std::vector<Kind> expected = {Kind::kParameter, Kind::kEnd};
    cr_assert(kinds_of(sql) == expected, "%s", sql);
  }
}

Test(sql_lexer, knows_numbers) {
  for (const char* sql : {"1", "1.5", ".5", "1e10", "0x1F"}) {
    const std::vector<Kind> expected = {Kind::kNumber, Kind::kEnd};
    cr_assert(kinds_of(sql) == expected, "%s", sql);
  }
}

Test(sql_lexer, compares_words_without_case) {
  SqlLexer lexer("SeLeCt \"SELECT\" selecting naïve");
  cr_assert(lexer.next().is_word("SELECT"));
  cr_assert(!lexer.next().is_word("SELECT"));
  cr_assert(!lexer.next().is_word("SELECT"));
  cr_assert(lexer.next().text == "naïve");
}

Test(sql_lexer, goes_through_random_bytes_to_the_end) {
  test::Random random;
  const std::string_view pieces[] = {"'", "\"", "[", "]", "`", "--", "/*",           "*/",   "\n", ";",
                                     "?", ":",  "$", "a", "1", ".",  "\xEF\xBB\xBF", "\xff", " ",  "("};
  for (int round = 0; round < 5'000; ++round) {
    std::string sql;
    for (std::int64_t count = random.between(0, 30); count > 0; --count) {
      sql += random.one_in(5) ? random.bytes(1) : std::string(pieces[random.word() % std::size(pieces)]);
    }
    SqlLexer lexer(sql);
    std::size_t end = 0;
    for (SqlToken token = lexer.next(); token.kind != Kind::kEnd; token = lexer.next()) {
      cr_assert_gt(token.text.size(), 0);
      cr_assert_geq(token.offset, end);
      end = token.offset + token.text.size();
    }
    cr_assert_leq(end, sql.size());
  }
}
