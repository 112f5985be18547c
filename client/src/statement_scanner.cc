#include "client/src/statement_scanner.h"

#include <algorithm>

namespace skua {

namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r'; }
bool is_identifier(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}
// White space to SQLite, wherever it stands.
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
// What begins a parameter keeps the word behind it from being taken for a keyword.
bool begins_word(char c) { return is_identifier(c) || c == ':' || c == '@' || c == '?' || c == '#'; }
char to_upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

}  // namespace

void StatementScanner::take(Token token) {
  using enum Progress;
  // From sqlite3_complete() in SQLite's complete.c; its states 0 and 1 are one here.
  static constexpr Progress kNext[7][7] = {
      // ;          other     EXPLAIN   CREATE    TEMP      TRIGGER   END
      {kStart, kNormal, kExplain, kCreate, kNormal, kNormal, kNormal},           // kStart
      {kStart, kNormal, kNormal, kNormal, kNormal, kNormal, kNormal},            // kNormal
      {kStart, kExplain, kNormal, kCreate, kNormal, kNormal, kNormal},           // kExplain
      {kStart, kNormal, kNormal, kNormal, kCreate, kTrigger, kNormal},           // kCreate
      {kSemicolon, kTrigger, kTrigger, kTrigger, kTrigger, kTrigger, kTrigger},  // kTrigger
      {kSemicolon, kTrigger, kTrigger, kTrigger, kTrigger, kTrigger, kEnd},      // kSemicolon
      {kStart, kTrigger, kTrigger, kTrigger, kTrigger, kTrigger, kTrigger},      // kEnd
  };
  progress_ = kNext[static_cast<std::size_t>(progress_)][static_cast<std::size_t>(token)];
}

bool StatementScanner::find_end(std::string_view text) {
  while (at_ < text.size()) {
    switch (inside_) {
      case Inside::kNothing:
        if (text[at_] == ';') {
          take(Token::kSemicolon);
          if (progress_ == Progress::kStart) {
            ++at_;
            return true;
          }
          begin_token();
        } else if (!take_plain(text)) {
          return false;
        }
        break;
      case Inside::kWord: take_word(text); break;
      case Inside::kLineComment:
        if (!skip_behind(text, "\n")) return false;
        break;
      case Inside::kBlockComment:
        if (!skip_behind(text, "*/")) return false;
        break;
      case Inside::kQuoted: {
        const bool closed = skip_behind(text, std::string_view(&close_, 1));
        tokens_end_ = at_;
        if (!closed) return false;
        break;
      }
    }
  }
  return false;
}

bool StatementScanner::take_plain(std::string_view text) {
  const char c = text[at_];
  if (is_space(c)) {
    advance(text, at_ + 1);
    return true;
  }
  if (c == kByteOrderMark.front()) {
    const std::string_view bytes = text.substr(at_, kByteOrderMark.size());
    if (bytes == kByteOrderMark) {
      at_ += bytes.size();
      return true;
    }
    if (kByteOrderMark.starts_with(bytes)) return false;
  }
  if (c == '-' || c == '/') {
    if (at_ + 1 == text.size()) return false;
    const char second = text[at_ + 1];
    if (second == (c == '-' ? '-' : '*')) {
      inside_ = c == '-' ? Inside::kLineComment : Inside::kBlockComment;
      at_ += 2;
      return true;
    }
  }
  if (begins_word(c)) {
    word_[0] = to_upper(c);
    word_bytes_ = 1;
    inside_ = Inside::kWord;
    begin_token();
    return true;
  }
  if (c == '\'' || c == '"' || c == '`' || c == '[') {
    // A doubled quote inside of the text ends it here and begins another: the same for our purpose.
    close_ = c == '[' ? ']' : c;
    inside_ = Inside::kQuoted;
  }
  take(Token::kOther);
  begin_token();
  return true;
}

void StatementScanner::begin_token() {
  if (first_token_ == kNone) {
    first_token_ = at_;
    first_line_ = line_;
  }
  ++at_;
  tokens_end_ = at_;
}

void StatementScanner::take_word(std::string_view text) {
  for (; at_ < text.size() && is_identifier(text[at_]); ++at_) {
    if (word_bytes_ < kWordBytesMax) word_[word_bytes_++] = to_upper(text[at_]);
  }
  tokens_end_ = at_;
  if (at_ == text.size()) return;
  take(word_token());
  inside_ = Inside::kNothing;
}

StatementScanner::Token StatementScanner::word_token() const {
  const std::string_view word(word_, word_bytes_);
  if (word == "CREATE") return Token::kCreate;
  if (word == "TRIGGER") return Token::kTrigger;
  if (word == "TEMP" || word == "TEMPORARY") return Token::kTemporary;
  if (word == "EXPLAIN") return Token::kExplain;
  if (word == "END") return Token::kEnd;
  return Token::kOther;
}

bool StatementScanner::skip_behind(std::string_view text, std::string_view close) {
  const std::size_t found = text.find(close, at_);
  if (found != std::string_view::npos) {
    advance(text, found + close.size());
    inside_ = Inside::kNothing;
    return true;
  }
  // The first half of a two-byte close may be the last byte so far.
  const bool half_closed = close.size() == 2 && text.back() == close.front();
  advance(text, half_closed ? text.size() - 1 : text.size());
  return false;
}

void StatementScanner::advance(std::string_view text, std::size_t to) {
  const std::string_view skipped = text.substr(at_, to - at_);
  line_ += static_cast<std::size_t>(std::count(skipped.begin(), skipped.end(), '\n'));
  at_ = to;
}

void StatementScanner::restart() {
  progress_ = Progress::kStart;
  inside_ = Inside::kNothing;
  first_token_ = kNone;
}

void StatementScanner::restart_at_end(std::string_view text) {
  advance(text, text.size());
  restart();
}

void StatementScanner::shift(std::size_t bytes) {
  at_ -= bytes;
  if (first_token_ != kNone) first_token_ -= bytes;
  tokens_end_ -= std::min(bytes, tokens_end_);
}

}  // namespace skua
