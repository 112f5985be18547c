#include "client/cli/dot_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "client/cli/catalogue.h"
#include "client/cli/import_command.h"
#include "client/cli/interrupt.h"
#include "client/cli/shell.h"

namespace skua::cli {

namespace {

using Words = std::vector<std::string>;

struct Command {
  std::string_view name;
  std::string_view arguments;
  std::string_view help;
  std::size_t arguments_min;
  std::size_t arguments_max;
  ExitCode (*run)(ShellSession& session, const Words& words);
};

ExitCode usage_error(std::string_view message) {
  print_status(error_report(message));
  return ExitCode::kUsage;
}

// Runs what needs a connection and reports its error.
template <class Action>
ExitCode with_connection(ShellSession& session, Action action) {
  Connection* connection = session.connection();
  if (connection == nullptr) return ExitCode::kNoConnection;
  const Status status = action(*connection);
  return status ? ExitCode::kDone : session.failed(status.error());
}

ExitCode show_tables(ShellSession& session, const Words&) {
  return with_connection(session, [&](Connection& connection) {
    return print_tables(connection, session.run_options(), session.out());
  });
}

ExitCode show_schema(ShellSession& session, const Words& words) {
  return with_connection(session, [&](Connection& connection) {
    return print_schema(connection, words.empty() ? "" : words[0], session.run_options().request,
                        session.out());
  });
}

ExitCode show_databases(ShellSession& session, const Words&) {
  return with_connection(session, [&](Connection& connection) -> Status {
    for (const std::string& name : connection.server().databases) {
      session.out().write(fmt::format("{} {}\n", name == session.database() ? '*' : ' ', name));
    }
    return {};
  });
}

ExitCode use_database(ShellSession& session, const Words& words) {
  if (session.in_transaction()) return usage_error("a transaction is open: COMMIT or ROLLBACK first");
  Connection* connection = session.connection();
  if (connection == nullptr) return ExitCode::kNoConnection;
  const std::vector<std::string>& names = connection->server().databases;
  if (std::find(names.begin(), names.end(), words[0]) == names.end()) {
    return usage_error(fmt::format("there is no database {}, only {}", words[0], fmt::join(names, ", ")));
  }
  session.use_database(words[0]);
  return ExitCode::kDone;
}

ExitCode set_mode(ShellSession& session, const Words& words) {
  const std::optional<Format> format = format_named(words[0]);
  if (!format) return usage_error(fmt::format("{} is none of {}", words[0], format_names()));
  session.settings().output.format = format;
  if (words.size() > 1) session.settings().output.insert_table = words[1];
  return ExitCode::kDone;
}

// Sets a switch from `on` or `off`.
template <class Switch>
ExitCode set_switch(Switch& value, const std::string& word) {
  if (word != "on" && word != "off") return usage_error(fmt::format("{} is neither on nor off", word));
  value = word == "on";
  return ExitCode::kDone;
}

ExitCode set_headers(ShellSession& session, const Words& words) {
  return set_switch(session.settings().output.header, words[0]);
}

ExitCode set_timer(ShellSession& session, const Words& words) {
  return set_switch(session.settings().timer, words[0]);
}

ExitCode set_timeout(ShellSession& session, const Words& words) {
  std::uint32_t ms = 0;
  const std::string& word = words[0];
  const auto end = std::from_chars(word.data(), word.data() + word.size(), ms);
  if (end.ec != std::errc() || end.ptr != word.data() + word.size()) {
    return usage_error(fmt::format("{} is not a number of milliseconds", word));
  }
  session.settings().timeout_ms = ms;
  return ExitCode::kDone;
}

ExitCode read_file(ShellSession& session, const Words& words) { return run_script_file(session, words[0]); }

ExitCode import_file(ShellSession& session, const Words& words) {
  // The import is a transaction of its own, which would wait for the one that is open.
  if (session.in_transaction()) return usage_error("a transaction is open: COMMIT or ROLLBACK first");
  Result<ImportArguments> arguments = parse_import_arguments(words);
  if (!arguments) return usage_error(arguments.error().message);
  arguments->database = session.database();
  Connection* connection = session.connection();
  return connection == nullptr ? ExitCode::kNoConnection : run_import(*arguments, *connection);
}

ExitCode quit(ShellSession& session, const Words&) {
  session.quit();
  return ExitCode::kDone;
}

ExitCode show_help(ShellSession& session, const Words&);

constexpr std::array<Command, 13> kCommands = {{
    {".databases", "", "List the daemon's databases", 0, 0, show_databases},
    {".exit", "", "Leave the shell", 0, 0, quit},
    {".headers", "on|off", "Print the names of the columns first", 1, 1, set_headers},
    {".help", "", "Print this", 0, 0, show_help},
    {".import", "FILE TABLE [...]", "Insert the rows of a CSV or TSV file; .import --help says more", 0, 100,
     import_file},
    {".mode", "FORMAT [TABLE]", "How rows are printed; the table is for insert", 1, 2, set_mode},
    {".quit", "", "Leave the shell", 0, 0, quit},
    {".read", "FILE", "Run the statements and commands in a file", 1, 1, read_file},
    {".schema", "[TABLE]", "Print the CREATE statements", 0, 1, show_schema},
    {".tables", "", "List the tables and views", 0, 0, show_tables},
    {".timeout", "MS", "Give up on a statement after this many milliseconds; 0: never", 1, 1, set_timeout},
    {".timer", "on|off", "Print how long each statement took", 1, 1, set_timer},
    {".use", "DATABASE", "Go to another database", 1, 1, use_database},
}};

ExitCode show_help(ShellSession& session, const Words&) {
  for (const Command& command : kCommands) {
    session.out().write(
        fmt::format("{:<28} {}\n", fmt::format("{} {}", command.name, command.arguments), command.help));
  }
  session.out().write(fmt::format("Formats: {}\n", format_names()));
  return ExitCode::kDone;
}

}  // namespace

ExitCode run_dot_command(ShellSession& session, std::string_view line) {
  Words words = split_words(line);
  const std::string name = words.empty() ? std::string() : words.front();
  const auto command = std::find_if(kCommands.begin(), kCommands.end(),
                                    [&](const Command& known) { return known.name == name; });
  if (command == kCommands.end())
    return usage_error(fmt::format("{} is not a command; .help lists them", name));
  words.erase(words.begin());
  if (words.size() < command->arguments_min || words.size() > command->arguments_max) {
    return usage_error(fmt::format("usage: {} {}", command->name, command->arguments));
  }
  const ExitCode code = command->run(session, words);
  session.out().flush();
  return code;
}

std::vector<std::string> split_words(std::string_view line) {
  std::vector<std::string> words;
  std::size_t at = 0;
  while (true) {
    at = line.find_first_not_of(" \t\r", at);
    if (at == std::string_view::npos) return words;
    const bool is_quoted = line[at] == '"' || line[at] == '\'';
    const std::size_t start = is_quoted ? at + 1 : at;
    std::size_t end = is_quoted ? line.find(line[at], start) : line.find_first_of(" \t\r", start);
    end = std::min(end, line.size());
    words.emplace_back(line.substr(start, end - start));
    at = is_quoted && end < line.size() ? end + 1 : end;
  }
}

}  // namespace skua::cli
