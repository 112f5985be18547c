// LineSource: where the shell's lines come from: a person at a terminal (readline_editor.h, if it was built
// with it) or a file. One thread.
#pragma once

#include <memory>
#include <string>

#include "client/cli/input_file.h"
#include "protocol/result.h"

namespace skua::cli {

class LineSource {
 public:
  enum class Outcome { kLine, kEnd, kInterrupted };

  virtual ~LineSource() = default;
  // The line without its end. The prompt is shown to persons only. An error is that of reading a file.
  virtual Result<Outcome> read(const std::string& prompt, std::string& line) = 0;
};

// Lines of a file or of standard input, without editing. The prompt is shown if standard input is a terminal.
class PlainLines : public LineSource {
 public:
  explicit PlainLines(InputFile file) : file_(std::move(file)) {}
  Result<Outcome> read(const std::string& prompt, std::string& line) override;

 private:
  InputFile file_;
  std::string text_;       // read and not handed out
  std::size_t taken_ = 0;  // of text_
  bool ended_ = false;
};

}  // namespace skua::cli
