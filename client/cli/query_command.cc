#include "client/cli/query_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include "client/cli/error_report.h"
#include "client/cli/input_file.h"
#include "client/cli/interrupt.h"
#include "client/cli/run_statement.h"
#include "client/cli/script_parameters.h"
#include "client/cli/terminal.h"
#include "skua/statement_splitter.h"

namespace skua::cli {

namespace {

// So that a file that is no SQL at all, or a quote that is never closed, does not fill the memory. The daemon
// takes no statement of more than kSqlBytesMax; the rest is room for comments.
constexpr std::size_t kPendingBytesMax = 16 * 1024 * 1024;

// Runs statements as they come in and stops at the first error.
class Script {
 public:
  Script(Connection& connection, OutputFile& out, RunOptions options, ScriptParameters parameters,
         std::string source)
      : connection_(connection),
        out_(out),
        options_(std::move(options)),
        parameters_(std::move(parameters)),
        source_(std::move(source)) {}

  // Not kDone: that was the end.
  ExitCode add(std::string_view text) {
    splitter_.add(text);
    pending_bytes_ += text.size();
    while (const auto statement = splitter_.next()) {
      pending_bytes_ = 0;
      if (const ExitCode code = run(*statement); code != ExitCode::kDone) return code;
    }
    if (pending_bytes_ <= kPendingBytesMax) return ExitCode::kDone;
    print_status(
        error_report(fmt::format("no statement ends within {} MiB: is this SQL, and is every quote closed?",
                                 kPendingBytesMax / (1024 * 1024))));
    return ExitCode::kRefused;
  }

  ExitCode finish() {
    if (const auto statement = splitter_.rest()) {
      if (const ExitCode code = run(*statement); code != ExitCode::kDone) return code;
    }
    for (const std::string& key : parameters_.unused()) {
      print_status(fmt::format("skua: warning: no statement has a parameter for --param {}", key));
    }
    return ExitCode::kDone;
  }

 private:
  ExitCode run(const StatementSplitter::Statement& statement) {
    const Result<Summary> summary = run_with_parameters(statement.sql);
    if (!out_.is_open()) return ExitCode::kFailed;
    if (Interrupt::requested()) return ExitCode::kInterrupted;
    if (summary) return ExitCode::kDone;
    // What was printed so far stands before the error on a terminal.
    out_.flush();
    print_status(error_report(summary.error(), {statement.sql, source_, statement.line}));
    return exit_code_of(summary.error());
  }

  Result<Summary> run_with_parameters(const std::string& sql) {
    if (parameters_.empty()) return run_statement(connection_, sql, {}, options_, out_);
    SKUA_ASSIGN(const Description description, connection_.describe(sql, options_.request));
    SKUA_ASSIGN(const Parameters parameters, parameters_.for_statement(description.parameters));
    return run_statement(connection_, sql, parameters, options_, out_);
  }

  Connection& connection_;
  OutputFile& out_;
  const RunOptions options_;
  ScriptParameters parameters_;
  const std::string source_;
  StatementSplitter splitter_;
  std::size_t pending_bytes_ = 0;
};

ExitCode run_file(Script& script, InputFile& file) {
  while (true) {
    const Result<std::string_view> piece = file.read();
    if (!piece) {
      print_status(error_report(piece.error().message));
      return exit_code_of(piece.error());
    }
    if (piece->empty()) return script.finish();
    if (const ExitCode code = script.add(*piece); code != ExitCode::kDone) return code;
  }
}

}  // namespace

ExitCode run_query(const QueryArguments& arguments, Connection& connection, OutputFile& out) {
  Result<ScriptParameters> parameters = ScriptParameters::parse(arguments.parameters);
  if (!parameters) {
    print_status(error_report(parameters.error().message));
    return ExitCode::kUsage;
  }
  RunOptions options;
  options.print = arguments.output.print_options(STDOUT_FILENO);
  options.request.deadline_ms = arguments.timeout_ms;

  if (arguments.sql) {
    Script script(connection, out, options, std::move(*parameters), {});
    if (const ExitCode code = script.add(*arguments.sql); code != ExitCode::kDone) return code;
    return script.finish();
  }
  if (!arguments.file && is_terminal(STDIN_FILENO)) {
    print_status(error_report("no SQL: give it as an argument, with -f FILE or on standard input"));
    return ExitCode::kUsage;
  }
  Result<InputFile> file = InputFile::open(arguments.file.value_or("-"));
  if (!file) {
    print_status(error_report(file.error().message));
    return exit_code_of(file.error());
  }
  Script script(connection, out, options, std::move(*parameters), file->name());
  return run_file(script, *file);
}

}  // namespace skua::cli
