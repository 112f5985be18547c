// skua: reads the command line, connects, runs one command, and says in its exit status how that went.
#include <fmt/format.h>
#include <unistd.h>

#include <clocale>
#include <csignal>
#include <system_error>

#include "client/cli/arguments.h"
#include "client/cli/backup_command.h"
#include "client/cli/catalogue.h"
#include "client/cli/connect.h"
#include "client/cli/daemon_commands.h"
#include "client/cli/error_report.h"
#include "client/cli/import_command.h"
#include "client/cli/interrupt.h"
#include "client/cli/locks_command.h"
#include "client/cli/query_command.h"
#include "client/cli/shell.h"

namespace {

using namespace skua::cli;
using skua::Connection;

ExitCode report(const skua::Status& status) {
  if (status) return ExitCode::kDone;
  print_status(error_report(status.error().message));
  return exit_code_of(status.error());
}

// One overload for each command.
class Runner {
 public:
  Runner(const ConnectionArguments& connection, OutputFile& out) : arguments_(connection), out_(out) {}

  ExitCode operator()(const ShellArguments&) { return run_shell(arguments_, out_); }
  ExitCode operator()(const QueryArguments& query) {
    return connected([&](Connection& connection) { return run_query(query, connection, out_); });
  }
  ExitCode operator()(const ImportArguments& import) {
    return connected([&](Connection& connection) { return run_import(import, connection); });
  }
  ExitCode operator()(const BackupArguments& backup) {
    return connected([&](Connection& connection) { return run_backup(backup, connection); });
  }
  ExitCode operator()(const PingArguments& ping) {
    return connected([&](Connection& connection) { return report(run_ping(ping, connection, out_)); });
  }
  ExitCode operator()(const StatsArguments& stats) {
    return connected([&](Connection& connection) { return report(run_stats(stats, connection, out_)); });
  }
  ExitCode operator()(const LocksArguments& locks) {
    return connected([&](Connection& connection) { return report(run_locks(locks, connection, out_)); });
  }
  ExitCode operator()(const TablesArguments& tables) {
    const RunOptions options{tables.output.print_options(STDOUT_FILENO), {}};
    return connected([&](Connection& connection) { return report(print_tables(connection, options, out_)); });
  }
  ExitCode operator()(const SchemaArguments& schema) {
    return connected(
        [&](Connection& connection) { return report(print_schema(connection, schema.table, {}, out_)); });
  }

 private:
  template <class Command>
  ExitCode connected(Command command) {
    skua::Result<Connection> connection = connect_to(arguments_);
    if (connection) return command(*connection);
    print_status(error_report(connection.error().message));
    return ExitCode::kNoConnection;
  }

  const ConnectionArguments& arguments_;
  OutputFile& out_;
};

// What could not be written matters more than how the command went.
ExitCode settled(OutputFile& out, ExitCode code) {
  out.flush();
  switch (out.state()) {
    case OutputFile::State::kOpen:
      return code;
    case OutputFile::State::kInterrupted:
      return ExitCode::kInterrupted;
    case OutputFile::State::kFailed:
      print_status(error_report(fmt::format("cannot write to standard output: {}",
                                            std::generic_category().message(out.error_number()))));
      return ExitCode::kFailed;
    case OutputFile::State::kReaderGone:
      // Ends as any Unix program does whose reader has left: silently, by the signal.
      std::signal(SIGPIPE, SIG_DFL);
      std::raise(SIGPIPE);
      return ExitCode::kFailed;
  }
  return code;
}

}  // namespace

int main(int count, char** values) {
  std::setlocale(LC_CTYPE, "");
  // Errors of the write that meets them.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  const auto parsed = parse_arguments(count, values);
  if (const auto* code = std::get_if<ExitCode>(&parsed)) return static_cast<int>(*code);
  const auto& arguments = std::get<Arguments>(parsed);

  Interrupt::install(Interrupt::Manner::kLeave);
  OutputFile out(STDOUT_FILENO);
  const ExitCode code = std::visit(Runner(arguments.connection, out), arguments.command);
  return static_cast<int>(settled(out, code));
}
