// ReadlineEditor: lines typed at a terminal, edited with GNU readline, with a history file and completion by
// Tab.
//
// Readline is one per process, and so is this. Built only with SKUA_READLINE, because readline's licence is the
// GPL.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "client/cli/line_source.h"

namespace skua::cli {

class ReadlineEditor : public LineSource {
 public:
  static constexpr int kHistoryLinesMax = 2'000;
  // The words that begin like this one.
  using Completer = std::function<std::vector<std::string>(const std::string& start)>;

  // No history is kept if its file cannot be written.
  ReadlineEditor(std::string history_file, Completer completer);
  ReadlineEditor(const ReadlineEditor&) = delete;
  ReadlineEditor& operator=(const ReadlineEditor&) = delete;
  ~ReadlineEditor() override;

  // Lines that begin with a space, and repetitions of the line before, are not put into the history.
  Result<Outcome> read(const std::string& prompt, std::string& line) override;

 private:
  void remember(const std::string& line);

  const std::string history_file_;
};

// $XDG_STATE_HOME/skua/history, else ~/.local/state/skua/history, its folders made if they are missing. Empty
// if that is not possible.
std::string default_history_file();

}  // namespace skua::cli
