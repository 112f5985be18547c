#include "skua/statement_splitter.h"

#include <utility>

#include "client/src/statement_scanner.h"

namespace skua {

class StatementSplitter::State {
 public:
  void add(std::string_view text) {
    // Only when there is no more to move than there is to forget: each byte moves at most once on the average.
    if (taken_ >= text_.size() - taken_) {
      text_.erase(0, taken_);
      scanner_.shift(taken_);
      offset_ += taken_;
      taken_ = 0;
    }
    text_.append(text);
  }

  std::optional<Statement> next() {
    while (scanner_.find_end(text_)) {
      std::optional<Statement> statement;
      if (scanner_.has_token()) statement = cut(scanner_.tokens_end());
      taken_ = scanner_.at();
      scanner_.restart();
      if (statement) return statement;
    }
    return std::nullopt;
  }

  std::optional<Statement> rest() {
    if (std::optional<Statement> statement = next()) return statement;
    std::optional<Statement> statement;
    // Bytes that were not looked at could have become a comment or a byte order mark with more text. Now they
    // are a token, unless they are the `*` of a comment's end.
    const bool has_more = scanner_.at() < text_.size() && !scanner_.in_block_comment();
    if (scanner_.has_token()) {
      statement = cut(has_more ? text_.size() : scanner_.tokens_end());
    } else if (has_more) {
      statement = Statement{text_.substr(scanner_.at()), offset_ + scanner_.at(), scanner_.line()};
    }
    scanner_.restart_at_end(text_);
    taken_ = text_.size();
    return statement;
  }

  bool in_statement() const {
    StatementScanner ahead = scanner_;
    while (ahead.find_end(text_)) ahead.restart();
    return ahead.has_token() || ahead.in_block_comment() || ahead.at() < text_.size();
  }

 private:
  Statement cut(std::size_t end) const {
    const std::size_t begin = scanner_.first_token();
    return {text_.substr(begin, end - begin), offset_ + begin, scanner_.first_line()};
  }

  std::string text_;
  std::size_t taken_ = 0;   // bytes of text_ that were handed out already
  std::size_t offset_ = 0;  // of text_ in the script
  StatementScanner scanner_;
};

StatementSplitter::StatementSplitter() : state_(std::make_unique<State>()) {}
StatementSplitter::StatementSplitter(StatementSplitter&&) noexcept = default;
StatementSplitter& StatementSplitter::operator=(StatementSplitter&&) noexcept = default;
StatementSplitter::~StatementSplitter() = default;

void StatementSplitter::add(std::string_view text) { state_->add(text); }
std::optional<StatementSplitter::Statement> StatementSplitter::next() { return state_->next(); }
std::optional<StatementSplitter::Statement> StatementSplitter::rest() { return state_->rest(); }
bool StatementSplitter::in_statement() const { return state_->in_statement(); }

}  // namespace skua
