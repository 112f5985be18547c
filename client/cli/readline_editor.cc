#include "client/cli/readline_editor.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

// Readline's headers need stdio.h before them.
#include <readline/history.h>
#include <readline/readline.h>
#include <cstdio>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <utility>

#include "client/cli/interrupt.h"

namespace skua::cli {

namespace {

// Readline calls back without a context, so what it calls needs static state: the line that was finished, and
// what completes words.
struct Typed {
  bool finished = false;
  std::optional<std::string> line;  // nothing: Ctrl-D
};
Typed typed;
ReadlineEditor::Completer active_completer;

void on_line(char* text) {
  typed.finished = true;
  if (text != nullptr) typed.line = text;
  std::free(text);
  // Otherwise readline shows the next prompt at once.
  rl_callback_handler_remove();
}

// The form readline wants: an array that it frees, whose first entry is what all have in common.
char** complete(const char* start, int, int) {
  rl_attempted_completion_over = 1;
  const auto next_match = [](const char* text, int state) -> char* {
    static std::vector<std::string> matches;
    static std::size_t next = 0;
    if (state == 0) {
      matches = active_completer(text);
      next = 0;
    }
    return next < matches.size() ? ::strdup(matches[next++].c_str()) : nullptr;
  };
  return rl_completion_matches(start, next_match);
}

void abandon_line() {
  // Before the terminal is given back, which moves the cursor to the start of the line.
  std::fputs("^C\n", rl_outstream);
  rl_callback_sigcleanup();
  rl_free_line_state();
  rl_callback_handler_remove();
}

// After Ctrl-D, so that what the starting shell prints next begins on a line of its own. With bracketed paste
// readline has done so.
void end_line() {
  if (std::string_view(rl_variable_value("enable-bracketed-paste")) == "on") return;
  std::fputs("\n", rl_outstream);
  std::fflush(rl_outstream);
}

}  // namespace

ReadlineEditor::ReadlineEditor(std::string history_file, Completer completer)
    : history_file_(std::move(history_file)) {
  active_completer = std::move(completer);
  rl_readline_name = "skua";
  rl_attempted_completion_function = complete;
  rl_completer_word_break_characters = " \t\n\"'`@$><=;|&{(,)+-*/%!~[]";
  // Ctrl-C comes to our own handler; only the size of the window is readline's business.
  rl_catch_signals = 0;
  rl_initialize();
  using_history();
  stifle_history(kHistoryLinesMax);
  if (!history_file_.empty()) read_history(history_file_.c_str());
}

ReadlineEditor::~ReadlineEditor() {
  if (!history_file_.empty()) history_truncate_file(history_file_.c_str(), kHistoryLinesMax);
  active_completer = nullptr;
}

Result<LineSource::Outcome> ReadlineEditor::read(const std::string& prompt, std::string& line) {
  typed = {};
  rl_callback_handler_install(prompt.c_str(), on_line);
  while (!typed.finished) {
    pollfd keyboard{STDIN_FILENO, POLLIN, 0};
    const int ready = ::poll(&keyboard, 1, -1);
    if (Interrupt::requested()) {
      Interrupt::clear();
      abandon_line();
      return Outcome::kInterrupted;
    }
    if (ready > 0) {
      rl_callback_read_char();
    } else if (errno == EINTR) {
      rl_check_signals();
    } else {
      rl_callback_handler_remove();
      return Outcome::kEnd;
    }
  }
  if (!typed.line) {
    end_line();
    return Outcome::kEnd;
  }
  line = std::move(*typed.line);
  remember(line);
  return Outcome::kLine;
}

void ReadlineEditor::remember(const std::string& line) {
  if (line.empty() || line[0] == ' ') return;
  const HIST_ENTRY* last = history_get(history_base + history_length - 1);
  if (last != nullptr && line == last->line) return;
  add_history(line.c_str());
  // At once, so that nothing is lost if the shell is killed, and several shells can share the file.
  if (!history_file_.empty()) append_history(1, history_file_.c_str());
}

std::string default_history_file() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
  std::filesystem::path folder = variable("XDG_STATE_HOME");
  if (!folder.is_absolute()) {
    folder = variable("HOME");
    if (!folder.is_absolute()) return {};
    folder = folder / ".local" / "state";
  }
  folder /= "skua";
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return {};
  const std::string file = folder / "history";
  // SQL may contain what others should not read.
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (descriptor < 0) return {};
  ::close(descriptor);
  return file;
}

}  // namespace skua::cli
