// StatementSplitter: where statements end, in one piece and in many.
#include "skua/statement_splitter.h"

#include <criterion/criterion.h>
#include <sqlite3.h>

#include <string>
#include <vector>

#include "protocol/sql_lexer.h"
#include "tests/support/random.h"

using namespace skua;

namespace {

using Statement = StatementSplitter::Statement;

std::vector<Statement> split(std::string_view script, std::size_t piece = std::string::npos) {
  StatementSplitter splitter;
  std::vector<Statement> statements;
  while (!script.empty()) {
    splitter.add(script.substr(0, piece));
    script.remove_prefix(std::min(piece, script.size()));
    while (auto statement = splitter.next()) statements.push_back(std::move(*statement));
  }
  while (auto statement = splitter.rest()) statements.push_back(std::move(*statement));
  return statements;
}

std::vector<std::string> texts(std::string_view script) {
  std::vector<std::string> all;
  for (const Statement& statement : split(script)) all.push_back(statement.sql);
  return all;
}

using Texts = std::vector<std::string>;

bool is_open(std::string_view text) {
  StatementSplitter splitter;
  splitter.add(text);
  return splitter.in_statement();
}

const char* const kTrigger =
    "CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE b SET n = CASE WHEN 1 THEN 2 ELSE 3 END; SELECT 1; END";

}  // namespace

Test(statement_splitter, cuts_at_semicolons) {
  cr_assert(texts("SELECT 1;SELECT 2;") == Texts({"SELECT 1", "SELECT 2"}));
  cr_assert(texts(" SELECT 1 ; \n SELECT 2 ") == Texts({"SELECT 1", "SELECT 2"}));
  cr_assert(texts("").empty());
}

Test(statement_splitter, leaves_out_what_is_empty) {
  cr_assert(texts(";; ;-- only a comment\n; /* and ; another */ ;").empty());
  cr_assert(texts(";SELECT 1;;") == Texts({"SELECT 1"}));
}

Test(statement_splitter, trims_comments_around_but_not_within) {
  cr_assert(texts("-- first\n/* second */ SELECT /* here */ 1 -- there\n + 2 /* behind */ -- it\n;") ==
            Texts({"SELECT /* here */ 1 -- there\n + 2"}));
  cr_assert(texts("SELECT 1 -- no semicolon") == Texts({"SELECT 1"}));
  cr_assert(texts("SELECT 1 /* open") == Texts({"SELECT 1"}));
  cr_assert(texts("SELECT 1 /* open *") == Texts({"SELECT 1"}));
}

Test(statement_splitter, keeps_semicolons_in_quotes_and_comments) {
  for (const char* sql :
       {"SELECT 'a;b'", "SELECT 'it''s; fine'", "SELECT \"a;\"\"b;\"", "SELECT `a;b`", "SELECT [a;b]",
        "SELECT 1 /* ; */ + 2", "SELECT 1 -- ;\n + 2", "SELECT '--', ';', '/*'", "SELECT 1-- '\n"}) {
    const std::string script = std::string(sql) + ";SELECT 2";
    const Texts all = texts(script);
    cr_assert_eq(all.size(), 2, "%s", sql);
    cr_assert(std::string(sql).starts_with(all[0]), "%s", sql);
    cr_assert(all[1] == "SELECT 2", "%s", sql);
  }
}

Test(statement_splitter, keeps_triggers_together) {
  const std::string trigger = kTrigger;
  cr_assert(texts(trigger + "; SELECT 2;") == Texts({trigger, "SELECT 2"}));
  for (const char* start :
       {"CREATE TEMP TRIGGER", "create temporary trigger", "EXPLAIN CREATE TRIGGER",
        "EXPLAIN QUERY PLAN CREATE TRIGGER", "CREATE /* a */ TRIGGER", "/* ; */ CREATE\nTRIGGER"}) {
    const Texts all = texts(std::string(start) + " t BEGIN SELECT ';END;'; SELECT 1;END;SELECT 2;");
    cr_assert_eq(all.size(), 2, "%s", start);
    cr_assert(all[1] == "SELECT 2", "%s", start);
  }
  // Without its semicolon a trigger is the rest of the script.
  cr_assert(texts(trigger) == Texts({trigger}));
}

Test(statement_splitter, takes_nothing_else_for_a_trigger) {
  for (const char* sql : {"CREATE TABLE trigger_log(a)", "CREATE TABLE trigger(a)", "DROP TRIGGER t",
                          "CREATE INDEX i ON trigger(a)", "SELECT create_trigger", "CREATES TRIGGER", "BEGIN",
                          "END", "SELECT CASE WHEN 1 THEN 2 END"}) {
    cr_assert(texts(std::string(sql) + ";SELECT 2") == Texts({sql, "SELECT 2"}), "%s", sql);
  }
}

Test(statement_splitter, says_where_statements_are) {
  const auto all = split("-- one\nSELECT 1;\n\n  SELECT\n2; SELECT 'a\nb'; -- c\n SELECT 3");
  const std::size_t lines[] = {2, 4, 5, 7};
  const std::size_t offsets[] = {7, 20, 30, 50};
  cr_assert_eq(all.size(), 4);
  for (std::size_t i = 0; i < 4; ++i) {
    cr_assert_eq(all[i].line, lines[i], "statement %zu, line %zu", i, all[i].line);
    cr_assert_eq(all[i].offset, offsets[i], "statement %zu, offset %zu", i, all[i].offset);
  }
}

Test(statement_splitter, gives_the_same_whatever_the_pieces) {
  const std::string script =
      std::string("\xEF\xBB\xBF-- first\nSELECT 'a;''b' -- c;\n;/* d; **/ SELECT \"e;\" - 1 / 2;") + kTrigger +
      ";\n INSERT INTO t VALUES ('\n;\n'), ([x;y]) ; SELECT `f` -- g";
  const auto whole = split(script);
  cr_assert_eq(whole.size(), 5);
  for (std::size_t piece = 1; piece < script.size(); ++piece) {
    const auto pieces = split(script, piece);
    cr_assert_eq(pieces.size(), whole.size(), "pieces of %zu", piece);
    for (std::size_t i = 0; i < whole.size(); ++i) {
      cr_assert(pieces[i].sql == whole[i].sql, "pieces of %zu, statement %zu", piece, i);
      cr_assert_eq(pieces[i].offset, whole[i].offset);
      cr_assert_eq(pieces[i].line, whole[i].line);
    }
  }
}

Test(statement_splitter, knows_when_more_is_needed) {
  for (const char* text :
       {"SELECT 1", "SELECT 'a;", "SELECT 'a;'", "/* open", "SELECT 1; SELECT", "SELECT 1 -- ;",
        "CREATE TRIGGER t BEGIN SELECT 1;", "SELECT 1; /* open", "\"", "[", "-"}) {
    cr_assert(is_open(text), "%s", text);
  }
  for (const char* text : {"", " \n", "SELECT 1;", "SELECT 1; -- done", "-- a comment", "/* closed */", ";;",
                           "SELECT 1;SELECT 2;"}) {
    cr_assert(!is_open(text), "%s", text);
  }
  cr_assert(!is_open(std::string(kTrigger) + ";"));
}

Test(statement_splitter, goes_on_after_its_rest) {
  StatementSplitter splitter;
  splitter.add("SELECT 'open");
  cr_assert(!splitter.next());
  cr_assert(splitter.rest()->sql == "SELECT 'open");
  cr_assert(!splitter.rest());
  cr_assert(!splitter.in_statement());
  splitter.add("\nSELECT 2;");
  const auto statement = splitter.next();
  cr_assert(statement->sql == "SELECT 2");
  cr_assert_eq(statement->line, 2);
  cr_assert_eq(statement->offset, 13);
}

Test(statement_splitter, rest_gives_what_next_did_not) {
  StatementSplitter splitter;
  splitter.add("SELECT 1; SELECT 2");
  cr_assert(splitter.rest()->sql == "SELECT 1");
  cr_assert(splitter.rest()->sql == "SELECT 2");
  cr_assert(!splitter.rest());
}

Test(statement_splitter, keeps_nul_bytes) {
  const std::string sql("SELECT 'a\0b'", 12);
  cr_assert(texts(sql + ";") == Texts({sql}));
}

// Quadratic work would take hours here, and the test's time limit is minutes.
Test(statement_splitter, takes_a_large_statement_in_pieces_in_linear_time) {
  const std::string piece(4'096, 'x');
  for (const char* start : {"SELECT '", "SELECT /* ", "SELECT ", "SELECT ["}) {
    StatementSplitter splitter;
    splitter.add(start);
    for (std::size_t bytes = 0; bytes < 50'000'000; bytes += piece.size()) {
      splitter.add(piece);
      cr_assert(!splitter.next());
      cr_assert(splitter.in_statement());
    }
    cr_assert(splitter.rest().has_value());
  }
}

Test(statement_splitter, takes_a_large_script_in_linear_time) {
  std::string piece;
  for (int i = 0; i < 1'000; ++i) piece += "INSERT INTO t VALUES (1, 'some text; with a semicolon', 2.5);\n";
  StatementSplitter splitter;
  std::size_t count = 0;
  std::size_t last_line = 0;
  for (int i = 0; i < 500; ++i) {
    splitter.add(piece);
    while (const auto statement = splitter.next()) {
      ++count;
      last_line = statement->line;
    }
  }
  cr_assert_eq(count, 500'000);
  cr_assert_eq(last_line, 500'000);
}

Test(statement_splitter, agrees_with_sqlite_on_random_scripts) {
  test::Random random;
  const std::string_view parts[] = {
      "CREATE", "TEMP", "TRIGGER", "EXPLAIN", "END", "BEGIN", "SELECT", "x",  "1",  ";", ";", ";", " ", "\n",
      "'",      "''",   "\"",      "`",       "[",   "]",     "--",     "/*", "*/", "-", "/", "*", "("};
  for (int round = 0; round < 20'000; ++round) {
    std::string script;
    for (std::int64_t count = random.between(1, 25); count > 0; --count) {
      script += parts[random.word() % std::size(parts)];
      if (random.one_in(3)) script += ' ';
    }
    StatementSplitter splitter;
    std::string_view left = script;
    while (!left.empty()) {
      const auto piece = static_cast<std::size_t>(random.between(1, 9));
      splitter.add(left.substr(0, piece));
      left.remove_prefix(std::min(piece, left.size()));
      while (const auto statement = splitter.next()) {
        cr_assert(script.substr(statement->offset, statement->sql.size()) == statement->sql, "%s",
                  script.c_str());
        // Complete, and not before its end.
        cr_assert(sqlite3_complete((statement->sql + ";").c_str()), "%s", script.c_str());
        SqlLexer lexer(statement->sql);
        SqlToken last;
        for (SqlToken token = lexer.next(); token.kind != SqlToken::Kind::kEnd; token = lexer.next()) {
          if (last.kind == SqlToken::Kind::kEnd) cr_assert_eq(token.offset, 0, "%s", script.c_str());
          last = token;
        }
        cr_assert_eq(last.offset + last.text.size(), statement->sql.size(), "%s", script.c_str());
      }
    }
    if (splitter.in_statement()) {
      const auto rest = splitter.rest();
      if (rest) cr_assert(!sqlite3_complete(rest->sql.c_str()) || rest->sql == "/", "%s", script.c_str());
    } else {
      cr_assert(!splitter.rest().has_value(), "%s", script.c_str());
    }
  }
}
