// SqlLexer cuts SQL text into SQLite's tokens, without white space and comments. It never fails: what SQLite would
// reject comes out as kOther, and an open string or comment runs to the end of the text.
//
// Used to route a statement before it is prepared and to split a script into statements. Is not a parser.
// sqlite.org/lang.html, sqlite.org/c3ref/complete.html. Any thread, one at a time.
#pragma once

#include <cstddef>
#include <string_view>

namespace skua {

struct SqlToken {
  enum class Kind {
    kEnd,
    kWord,       // a keyword or a bare identifier
    kQuoted,     // "identifier", [identifier] or `identifier`
    kString,     // 'text', x'blob' comes as a kWord and a kString
    kNumber,
    kParameter,  // ?, ?1, :name, @name, $name
    kSemicolon,
    kOpen,       // (
    kClose,      // )
    kOther,
  };

  Kind kind = Kind::kEnd;
  std::string_view text;
  std::size_t offset = 0;   // of its first byte
  bool terminated = true;   // false: an open string or quoted identifier that ran to the end

  // Case-insensitive comparison of a word with an upper-case keyword.
  bool is_word(std::string_view upper_case) const;
};

class SqlLexer {
 public:
  explicit SqlLexer(std::string_view sql) : sql_(sql) {}

  SqlToken next();
  // True when the text ended inside a block comment.
  bool ended_in_comment() const { return ended_in_comment_; }

 private:
  void skip_space_and_comments();
  SqlToken take(SqlToken::Kind kind, std::size_t end, bool terminated = true);
  SqlToken quoted(SqlToken::Kind kind, char close, bool doubled);

  std::string_view sql_;
  std::size_t at_ = 0;
  bool ended_in_comment_ = false;
};

}  // namespace skua
