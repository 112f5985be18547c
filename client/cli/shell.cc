#include "client/cli/shell.h"

#include <fmt/format.h>
#include <unistd.h>

#include <memory>

#include "client/cli/dot_command.h"
#include "client/cli/interrupt.h"
#include "client/cli/terminal.h"
#include "skua/statement_splitter.h"
#ifdef SKUA_READLINE
#include "client/cli/readline_editor.h"
#endif

namespace skua::cli {

namespace {

// Reads lines from one source and runs what they say.
class LineLoop {
 public:
  // `source` is empty for a person: then errors do not end the loop.
  LineLoop(ShellSession& session, LineSource& lines, std::string source)
      : session_(session), lines_(lines), source_(std::move(source)) {}

  ExitCode run() {
    std::string line;
    while (!session_.has_quit()) {
      const Result<LineSource::Outcome> outcome = lines_.read(prompt(), line);
      if (!outcome) {
        print_status(error_report(outcome.error().message));
        return exit_code_of(outcome.error());
      }
      if (*outcome == LineSource::Outcome::kEnd) return run_rest();
      if (*outcome == LineSource::Outcome::kInterrupted) {
        if (!is_person()) return ExitCode::kInterrupted;
        splitter_ = StatementSplitter();
        continue;
      }
      const ExitCode code = run_line(line);
      const bool interrupted = Interrupt::requested();
      Interrupt::clear();
      session_.out().resume();
      if (code != ExitCode::kDone && !is_person()) return code;
      // What was typed after the statement that failed or was cancelled stays unrun.
      if (interrupted) splitter_ = StatementSplitter();
    }
    return ExitCode::kDone;
  }

 private:
  bool is_person() const { return source_.empty(); }

  std::string prompt() const {
    const std::string first = session_.prompt();
    if (!splitter_.in_statement()) return first;
    constexpr std::string_view kContinued = "...> ";
    const std::size_t indent = first.size() > kContinued.size() ? first.size() - kContinued.size() : 0;
    return std::string(indent, ' ') + std::string(kContinued);
  }

  ExitCode run_line(const std::string& line) {
    if (!splitter_.in_statement() && !line.empty() && line[0] == '.') {
      // The splitter counts lines for error messages.
      splitter_.add("\n");
      return run_dot_command(session_, line);
    }
    splitter_.add(line + "\n");
    while (const auto statement = splitter_.next()) {
      if (Interrupt::requested()) {
        if (is_person()) print_status("");
        return ExitCode::kInterrupted;
      }
      const ExitCode code = session_.run({statement->sql, source_, statement->line});
      if (code != ExitCode::kDone && (!is_person() || session_.has_quit() || Interrupt::requested()))
        return code;
    }
    return ExitCode::kDone;
  }

  // A script's last statement needs no semicolon. A person who left in the middle of one did not mean it.
  ExitCode run_rest() {
    if (is_person()) return ExitCode::kDone;
    const auto statement = splitter_.rest();
    return statement ? session_.run({statement->sql, source_, statement->line}) : ExitCode::kDone;
  }

  ShellSession& session_;
  LineSource& lines_;
  const std::string source_;
  StatementSplitter splitter_;
};

std::unique_ptr<LineSource> make_editor([[maybe_unused]] ShellSession& session) {
#ifdef SKUA_READLINE
  return std::make_unique<ReadlineEditor>(
      default_history_file(), [&session](const std::string& start) { return session.completions(start); });
#else
  return std::make_unique<PlainLines>(*InputFile::open("-"));
#endif
}

}  // namespace

ExitCode run_shell(const ConnectionArguments& arguments, OutputFile& out) {
  const bool interactive = is_terminal(STDIN_FILENO);
  ShellSession session(arguments, out, interactive);
  if (const ExitCode code = session.connect(); code != ExitCode::kDone) return code;
  if (!interactive) return run_script_file(session, "-");

  Interrupt::install(Interrupt::Manner::kStay);
  const ServerInfo& server = session.connection()->server();
  print_status(fmt::format("skua {}, SQLite {}. Statements end with a semicolon; .help lists commands.",
                           server.server_version, server.sqlite_version));
  if (session.database().empty()) {
    print_status(fmt::format("Databases: {}. Choose with .use NAME.", fmt::join(server.databases, ", ")));
  }
  const std::unique_ptr<LineSource> editor = make_editor(session);
  return LineLoop(session, *editor, {}).run();
}

ExitCode run_script_file(ShellSession& session, const std::string& name) {
  Result<InputFile> file = InputFile::open(name);
  if (!file) {
    print_status(error_report(file.error().message));
    return exit_code_of(file.error());
  }
  const std::string source = file->name();
  PlainLines lines(std::move(*file));
  return LineLoop(session, lines, source).run();
}

}  // namespace skua::cli
