// ShellSession: what the shell keeps between two lines: its connection, how it prints, and whether a
// transaction is open.
//
// A connection that was lost is made anew for the next statement. Standard output carries results, standard
// error all else. One thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "client/cli/arguments.h"
#include "client/cli/error_report.h"
#include "client/cli/run_statement.h"
#include "skua/connection.h"

namespace skua::cli {

class ShellSession {
 public:
  // Settings that dot commands change.
  struct Settings {
    OutputArguments output;
    std::uint32_t timeout_ms = 0;
    bool timer = false;
  };

  ShellSession(ConnectionArguments arguments, OutputFile& out, bool interactive);

  // The first connection. Prints why it failed.
  ExitCode connect();
  // Nothing if the daemon cannot be reached; that is printed.
  Connection* connection();
  // Prints rows and errors. Not kDone: it failed.
  ExitCode run(const StatementPlace& statement);
  // Prints an error of something else that used the connection.
  ExitCode failed(const Error& error, const StatementPlace& place = {});

  // The tables, columns and keywords that begin like this.
  std::vector<std::string> completions(const std::string& start);
  // "skua main*> "
  std::string prompt() const;

  void use_database(std::string name);
  const std::string& database() const { return arguments_.database; }
  bool in_transaction() const { return transaction_ != TransactionState::kNone; }
  bool is_interactive() const { return interactive_; }
  Settings& settings() { return settings_; }
  OutputFile& out() { return out_; }
  RunOptions run_options() const;

  void quit() { quit_ = true; }
  bool has_quit() const { return quit_; }

 private:
  Status open();
  void note_loss();
  void print_remark(const Summary& summary, double seconds);

  ConnectionArguments arguments_;
  OutputFile& out_;
  const bool interactive_;
  Settings settings_;
  std::optional<Connection> connection_;
  TransactionState transaction_ = TransactionState::kNone;
  bool quit_ = false;
};

}  // namespace skua::cli
