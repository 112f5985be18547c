// StatementScanner finds where statements end in a text that grows, looking at each byte once. It cuts tokens
// where SqlLexer does, but can stop in the middle of one when the text ends, and go on when there is more of
// it.
//
// Holds positions in the text, never the text. One thread. The rules are those of
// sqlite.org/c3ref/complete.html.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace skua {

class StatementScanner {
 public:
  // Goes on to the end of the statement, behind its semicolon (true), or of the text (false). `text` is what it
  // was at the last call, with more behind it.
  bool find_end(std::string_view text);
  // Begins the next statement where the last one ended.
  void restart();
  // Gives up on what is unfinished and begins anew at the end of the text.
  void restart_at_end(std::string_view text);
  // The text has lost that many bytes at its beginning, all of them before this statement.
  void shift(std::size_t bytes);

  // The next byte to look at.
  std::size_t at() const { return at_; }
  // Its line.
  std::size_t line() const { return line_; }
  // Of the statement so far: is there any token in it, the place and line of the first, and the end of the
  // last. The final semicolon is not a part of it.
  bool has_token() const { return first_token_ != kNone; }
  std::size_t first_token() const { return first_token_; }
  std::size_t first_line() const { return first_line_; }
  std::size_t tokens_end() const { return tokens_end_; }
  bool in_block_comment() const { return inside_ == Inside::kBlockComment; }

 private:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  // The longest word that matters is TEMPORARY; one byte more shows that a word is longer.
  static constexpr std::size_t kWordBytesMax = 10;

  enum class Inside : std::uint8_t { kNothing, kWord, kLineComment, kBlockComment, kQuoted };
  enum class Token : std::uint8_t { kSemicolon, kOther, kExplain, kCreate, kTemporary, kTrigger, kEnd };
  // A trigger ends at `; END ;`, everything else at its first semicolon.
  enum class Progress : std::uint8_t { kStart, kNormal, kExplain, kCreate, kTrigger, kSemicolon, kEnd };

  void take(Token token);
  // One token, or its beginning, or space. False: what it is depends on bytes that are not there yet.
  bool take_plain(std::string_view text);
  void begin_token();
  void take_word(std::string_view text);
  Token word_token() const;
  // Goes behind the next `close`. False: the text ends first.
  bool skip_behind(std::string_view text, std::string_view close);
  void advance(std::string_view text, std::size_t to);

  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::size_t first_token_ = kNone;
  std::size_t first_line_ = 1;
  std::size_t tokens_end_ = 0;
  Inside inside_ = Inside::kNothing;
  Progress progress_ = Progress::kStart;
  char close_ = 0;                 // of kQuoted
  char word_[kWordBytesMax] = {};  // in upper case, as far as it fits
  std::size_t word_bytes_ = 0;
};

}  // namespace skua
