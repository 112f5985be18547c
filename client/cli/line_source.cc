#include "client/cli/line_source.h"

#include <unistd.h>

#include "client/cli/interrupt.h"
#include "client/cli/terminal.h"

namespace skua::cli {

Result<LineSource::Outcome> PlainLines::read(const std::string& prompt, std::string& line) {
  if (file_.name() == "stdin" && is_terminal(STDIN_FILENO)) {
    // To a terminal that went away nothing needs to be said.
    [[maybe_unused]] const ssize_t written = ::write(STDOUT_FILENO, prompt.data(), prompt.size());
  }
  while (true) {
    const std::size_t end = text_.find('\n', taken_);
    if (end != std::string::npos || ended_) {
      if (end == std::string::npos && taken_ == text_.size()) return Outcome::kEnd;
      line = text_.substr(taken_, end == std::string::npos ? end : end - taken_);
      taken_ = end == std::string::npos ? text_.size() : end + 1;
      return Outcome::kLine;
    }
    const Result<std::string_view> piece = file_.read();
    if (!piece && piece.error().code == ErrorCode::kCancelled) {
      Interrupt::clear();
      return Outcome::kInterrupted;
    }
    if (!piece) return piece.error();
    text_.erase(0, taken_);
    taken_ = 0;
    text_.append(*piece);
    ended_ = piece->empty();
  }
}

}  // namespace skua::cli
