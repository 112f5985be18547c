#include "client/cli/shell_session.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cctype>
#include <chrono>

#include "client/cli/connect.h"
#include "client/cli/interrupt.h"
#include "client/cli/sql_text.h"

namespace skua::cli {

namespace {

// Somebody waits for the Tab key.
constexpr std::uint32_t kCompletionDeadlineMs = 500;

std::string counted_rows(std::uint64_t count) { return fmt::format("{} row{}", count, count == 1 ? "" : "s"); }

bool begins_with_word(const std::string& word, const std::string& start) {
  if (word.size() < start.size()) return false;
  for (std::size_t i = 0; i < start.size(); ++i) {
    if (std::toupper(static_cast<unsigned char>(word[i])) !=
        std::toupper(static_cast<unsigned char>(start[i]))) {
      return false;
    }
  }
  return true;
}

}  // namespace

ShellSession::ShellSession(ConnectionArguments arguments, OutputFile& out, bool interactive)
    : arguments_(std::move(arguments)), out_(out), interactive_(interactive) {}

Status ShellSession::open() {
  SKUA_ASSIGN(connection_, connect_to(arguments_));
  const std::vector<std::string>& databases = connection_->server().databases;
  if (arguments_.database.empty() && databases.size() == 1) arguments_.database = databases.front();
  return {};
}

ExitCode ShellSession::connect() {
  const Status opened = open();
  if (opened) return ExitCode::kDone;
  print_status(error_report(opened.error().message));
  return ExitCode::kNoConnection;
}

Connection* ShellSession::connection() {
  if (connection_ && connection_->is_open()) return &*connection_;
  if (connect() != ExitCode::kDone) return nullptr;
  if (interactive_) print_status("skua: connected again");
  return &*connection_;
}

RunOptions ShellSession::run_options() const {
  RunOptions options;
  options.print = settings_.output.print_options(STDOUT_FILENO);
  options.request.database = arguments_.database;
  options.request.deadline_ms = settings_.timeout_ms;
  return options;
}

ExitCode ShellSession::run(const StatementPlace& statement) {
  Connection* open_connection = connection();
  if (open_connection == nullptr) return ExitCode::kNoConnection;
  const auto start = std::chrono::steady_clock::now();
  const Result<Summary> summary = run_statement(*open_connection, statement.sql, {}, run_options(), out_);
  if (!out_.is_open() && out_.state() != OutputFile::State::kInterrupted) {
    quit();
    return ExitCode::kFailed;
  }
  if (!summary) return failed(summary.error(), statement);
  transaction_ = summary->transaction;
  print_remark(*summary, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  return ExitCode::kDone;
}

void ShellSession::print_remark(const Summary& summary, double seconds) {
  if (settings_.timer) {
    print_status(fmt::format("{}, {:.3f} s, of them {:.3f} s in the daemon",
                             counted_rows(summary.row_count + summary.changes), seconds,
                             static_cast<double>(summary.server_us) / 1e6));
  } else if (interactive_ && summary.changes > 0) {
    print_status(counted_rows(summary.changes) + " changed");
  }
}

ExitCode ShellSession::failed(const Error& error, const StatementPlace& place) {
  out_.flush();
  // The terminal has shown a ^C, and the cursor stands behind it.
  if (interactive_ && Interrupt::requested()) print_status("");
  print_status(error_report(error, place));
  if (connection_ && !connection_->is_open()) {
    note_loss();
  } else if (error.code < ErrorCode::kConnect) {
    // What the library found by itself says nothing of the transaction.
    if (error.transaction == TransactionState::kAborted && transaction_ != TransactionState::kAborted) {
      print_status("skua: the transaction was rolled back; say ROLLBACK to go on");
    }
    transaction_ = error.transaction;
  }
  return exit_code_of(error);
}

void ShellSession::note_loss() {
  if (in_transaction()) print_status("skua: the transaction that was open is rolled back");
  if (interactive_) print_status("skua: the next statement connects again");
  transaction_ = TransactionState::kNone;
}

std::vector<std::string> ShellSession::completions(const std::string& start) {
  std::vector<std::string> words;
  if (connection_ && connection_->is_open()) {
    RequestOptions request = run_options().request;
    request.deadline_ms = kCompletionDeadlineMs;
    const Result<ResultSet> names = connection_->execute(
        "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') UNION SELECT c.name FROM sqlite_schema "
        "AS t, "
        "pragma_table_info(t.name) AS c WHERE t.type IN ('table', 'view') ORDER BY 1",
        {}, request);
    if (names) {
      for (const Row row : *names) words.emplace_back(row[0].bytes());
    }
  }
  for (const std::string_view keyword : keywords()) words.emplace_back(keyword);
  std::vector<std::string> matches;
  for (const std::string& word : words) {
    if (begins_with_word(word, start)) matches.push_back(word);
  }
  return matches;
}

std::string ShellSession::prompt() const {
  const std::string_view mark = transaction_ == TransactionState::kOpen      ? "*"
                                : transaction_ == TransactionState::kAborted ? "!"
                                                                             : "";
  return fmt::format("skua{}{}{}> ", arguments_.database.empty() ? "" : " ", arguments_.database, mark);
}

void ShellSession::use_database(std::string name) { arguments_.database = std::move(name); }

}  // namespace skua::cli
