#include "protocol/sql_lexer.h"

namespace skua {

namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
// As SQLite's IdChar(): every byte of a multi-byte UTF-8 character may be part of an identifier.
bool is_identifier(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}
char to_upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

}  // namespace

bool SqlToken::is_word(std::string_view upper_case) const {
  if (kind != Kind::kWord || text.size() != upper_case.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (to_upper(text[i]) != upper_case[i]) return false;
  }
  return true;
}

void SqlLexer::skip_space_and_comments() {
  while (at_ < sql_.size()) {
    if (is_space(sql_[at_])) {
      ++at_;
    } else if (sql_.substr(at_, 3) == "\xEF\xBB\xBF") {
      at_ += 3;  // a byte order mark is white space to SQLite, wherever it stands
    } else if (sql_.substr(at_, 2) == "--") {
      const std::size_t end = sql_.find('\n', at_);
      at_ = end == std::string_view::npos ? sql_.size() : end + 1;
    } else if (sql_.substr(at_, 2) == "/*" && at_ + 2 < sql_.size()) {
      const std::size_t end = sql_.find("*/", at_ + 2);
      ended_in_comment_ = end == std::string_view::npos;
      at_ = ended_in_comment_ ? sql_.size() : end + 2;
    } else {
      return;
    }
  }
}

SqlToken SqlLexer::take(SqlToken::Kind kind, std::size_t end, bool terminated) {
  const SqlToken token{kind, sql_.substr(at_, end - at_), at_, terminated};
  at_ = end;
  return token;
}

SqlToken SqlLexer::quoted(SqlToken::Kind kind, char close, bool doubled) {
  for (std::size_t end = at_ + 1; end < sql_.size(); ++end) {
    if (sql_[end] != close) continue;
    if (doubled && end + 1 < sql_.size() && sql_[end + 1] == close) {
      ++end;
      continue;
    }
    return take(kind, end + 1);
  }
  return take(kind, sql_.size(), false);
}

SqlToken SqlLexer::next() {
  using Kind = SqlToken::Kind;
  skip_space_and_comments();
  if (at_ == sql_.size()) return take(Kind::kEnd, at_);
  const char c = sql_[at_];
  std::size_t end = at_ + 1;
  switch (c) {
    case ';': return take(Kind::kSemicolon, end);
    case '(': return take(Kind::kOpen, end);
    case ')': return take(Kind::kClose, end);
    case '\'': return quoted(Kind::kString, '\'', true);
    case '"': return quoted(Kind::kQuoted, '"', true);
    case '`': return quoted(Kind::kQuoted, '`', true);
    case '[': return quoted(Kind::kQuoted, ']', false);
    case '?':
    case ':':
    case '@':
    case '$':
    case '#':
      while (end < sql_.size() && is_identifier(sql_[end])) ++end;
      return take(Kind::kParameter, end);
    default: break;
  }
  if (is_digit(c) || (c == '.' && end < sql_.size() && is_digit(sql_[end]))) {
    while (end < sql_.size() && (is_identifier(sql_[end]) || sql_[end] == '.')) ++end;
    return take(Kind::kNumber, end);
  }
  if (is_identifier(c)) {
    while (end < sql_.size() && is_identifier(sql_[end])) ++end;
    return take(Kind::kWord, end);
  }
  return take(Kind::kOther, end);
}

}  // namespace skua
