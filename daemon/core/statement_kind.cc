#include "daemon/core/statement_kind.h"

#include <fmt/format.h>

#include <array>

#include "protocol/limits.h"
#include "protocol/sql_lexer.h"

namespace skua {

namespace {

using Class = StatementKind::Class;
using Kind = SqlToken::Kind;

Error unexpected(const SqlToken& token) {
  Error error = make_error(ErrorCode::kSql, token.kind == Kind::kEnd
                                                ? std::string("incomplete input")
                                                : fmt::format("near \"{}\": syntax error", token.text));
  error.sql_offset = static_cast<std::int32_t>(token.offset);
  return error;
}

// A name as SQLite takes it: bare, quoted in any of its ways, or a string.
Result<std::string> savepoint_name(const SqlToken& token) {
  const bool quoted = token.kind == Kind::kQuoted || token.kind == Kind::kString;
  if (token.kind != Kind::kWord && !(quoted && token.terminated)) return unexpected(token);
  std::string name;
  if (!quoted) {
    name = token.text;
  } else {
    const char close = token.text.back();
    for (std::size_t i = 1; i + 1 < token.text.size(); ++i) {
      name += token.text[i];
      if (token.text[i] == close) ++i;
    }
  }
  if (name.size() > kSavepointNameBytesMax) {
    return make_error(ErrorCode::kLimit, fmt::format("a savepoint's name has {} bytes, the most is {} "
                                                     "(savepoint_name_bytes_max)",
                                                     name.size(), kSavepointNameBytesMax));
  }
  return name;
}

Status expect_end(SqlLexer& lexer) {
  SqlToken token = lexer.next();
  while (token.kind == Kind::kSemicolon) token = lexer.next();
  if (token.kind == Kind::kEnd) return {};
  return unexpected(token);
}

Result<StatementKind> begin_statement(SqlLexer& lexer) {
  StatementKind kind{Class::kBegin};
  SqlToken token = lexer.next();
  if (token.is_word("READ")) {
    token = lexer.next();
    if (!token.is_word("ONLY") && !token.is_word("WRITE")) return unexpected(token);
    kind.read_only = token.is_word("ONLY");
    token = lexer.next();
  } else if (token.is_word("DEFERRED") || token.is_word("IMMEDIATE") || token.is_word("EXCLUSIVE")) {
    token = lexer.next();
  }
  if (token.is_word("TRANSACTION")) token = lexer.next();
  if (token.kind == Kind::kEnd) return kind;
  if (token.kind != Kind::kSemicolon) return unexpected(token);
  SKUA_TRY(expect_end(lexer));
  return kind;
}

Result<StatementKind> named(SqlLexer& lexer, Class statement_class, SqlToken token) {
  if (token.is_word("SAVEPOINT") && statement_class != Class::kSavepoint) token = lexer.next();
  SKUA_ASSIGN(std::string name, savepoint_name(token));
  SKUA_TRY(expect_end(lexer));
  StatementKind kind{statement_class};
  kind.name = std::move(name);
  return kind;
}

Result<StatementKind> end_statement(SqlLexer& lexer, Class statement_class) {
  SqlToken token = lexer.next();
  if (token.is_word("TRANSACTION")) token = lexer.next();
  if (statement_class == Class::kRollback && token.is_word("TO")) {
    return named(lexer, Class::kRollbackTo, lexer.next());
  }
  if (token.kind == Kind::kEnd) return StatementKind{statement_class};
  if (token.kind != Kind::kSemicolon) return unexpected(token);
  SKUA_TRY(expect_end(lexer));
  return StatementKind{statement_class};
}

constexpr std::array<std::string_view, 4> kChanging = {"INSERT", "UPDATE", "DELETE", "REPLACE"};

StatementKind changing_statement() {
  StatementKind kind{Class::kWrite};
  kind.changes_rows = true;
  return kind;
}

// WITH ... SELECT | VALUES reads; WITH ... INSERT | UPDATE | DELETE | REPLACE writes. The verb stands outside of
// parentheses; only the names of the common tables stand there before it.
StatementKind with_statement(SqlLexer& lexer) {
  int depth = 0;
  for (SqlToken token = lexer.next(); token.kind != Kind::kEnd; token = lexer.next()) {
    if (token.kind == Kind::kOpen) ++depth;
    if (token.kind == Kind::kClose) --depth;
    if (depth != 0 || token.kind != Kind::kWord) continue;
    if (token.is_word("SELECT") || token.is_word("VALUES")) return {};
    for (const std::string_view verb : kChanging) {
      if (token.is_word(verb)) return changing_statement();
    }
  }
  return {};
}

// Of the pragmas that the engine allows, these change the file when they are given a value, and optimize always does.
Class pragma_statement(SqlLexer& lexer) {
  SqlToken name = lexer.next();
  SqlToken token = lexer.next();
  if (token.kind == Kind::kOther && token.text == ".") {
    name = lexer.next();
    token = lexer.next();
  }
  if (name.is_word("OPTIMIZE")) return Class::kWrite;
  const bool has_value = token.kind == Kind::kOpen || (token.kind == Kind::kOther && token.text == "=");
  return has_value && (name.is_word("USER_VERSION") || name.is_word("APPLICATION_ID")) ? Class::kWrite : Class::kRead;
}

SqlToken first_word(SqlLexer& lexer) {
  SqlToken first = lexer.next();
  while (first.kind == Kind::kSemicolon) first = lexer.next();
  return first;
}

}  // namespace

bool is_classified_late(std::string_view sql) {
  // Nearly always the first letter tells, in a tenth of the time that the first word takes.
  const std::size_t at = sql.find_first_not_of(" \t\n\f\r");
  const char first = at == std::string_view::npos ? ' ' : sql[at];
  const bool is_letter = (first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z');
  if (is_letter && first != 'w' && first != 'W') return false;
  SqlLexer lexer(sql);
  return first_word(lexer).is_word("WITH");
}

Result<StatementKind> classify_statement(std::string_view sql) {
  static constexpr std::array<std::string_view, 5> kWriting = {"DROP", "ALTER", "VACUUM", "REINDEX", "ANALYZE"};
  SqlLexer lexer(sql);
  const SqlToken first = first_word(lexer);
  if (first.kind != Kind::kWord) return StatementKind{};
  if (first.is_word("SELECT")) return StatementKind{};
  if (first.is_word("CREATE")) {
    StatementKind kind{Class::kWrite};
    const SqlToken second = lexer.next();
    kind.creates = true;
    kind.creates_temporary = second.is_word("TEMP") || second.is_word("TEMPORARY");
    return kind;
  }
  for (const std::string_view word : kChanging) {
    if (first.is_word(word)) return changing_statement();
  }
  for (const std::string_view word : kWriting) {
    if (first.is_word(word)) return StatementKind{Class::kWrite};
  }
  if (first.is_word("WITH")) return with_statement(lexer);
  if (first.is_word("PRAGMA")) return StatementKind{pragma_statement(lexer)};
  if (first.is_word("BEGIN")) return begin_statement(lexer);
  if (first.is_word("COMMIT") || first.is_word("END")) return end_statement(lexer, Class::kCommit);
  if (first.is_word("ROLLBACK")) return end_statement(lexer, Class::kRollback);
  if (first.is_word("SAVEPOINT")) return named(lexer, Class::kSavepoint, lexer.next());
  if (first.is_word("RELEASE")) return named(lexer, Class::kRelease, lexer.next());
  return StatementKind{};
}

}  // namespace skua
