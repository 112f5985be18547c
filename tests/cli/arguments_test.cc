// The command line, read.
#include "client/cli/arguments.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>

#include "client/cli/dot_command.h"

using namespace skua;
using namespace skua::cli;

namespace {

std::variant<Arguments, ExitCode> parse(std::vector<const char*> words) {
  words.insert(words.begin(), "skua");
  return parse_arguments(static_cast<int>(words.size()), words.data());
}

Arguments accepted(const std::vector<const char*>& words) {
  auto parsed = parse(words);
  cr_assert(std::holds_alternative<Arguments>(parsed), "%s was refused", words.back());
  return std::get<Arguments>(std::move(parsed));
}

template <class Command>
Command command_in(const std::vector<const char*>& words) {
  Arguments arguments = accepted(words);
  cr_assert(std::holds_alternative<Command>(arguments.command));
  return std::get<Command>(std::move(arguments.command));
}

}  // namespace

Test(arguments, take_socket_and_database_before_and_after_the_command) {
  for (const auto& words :
       {std::vector<const char*>{"-s", "/s", "-d", "shop", "query", "SELECT 1"},
        std::vector<const char*>{"query", "SELECT 1", "--socket", "/s", "--database", "shop"},
        std::vector<const char*>{"-s/s", "query", "-d", "shop", "SELECT 1"}}) {
    const Arguments arguments = accepted(words);
    cr_assert(arguments.connection.socket_path == "/s");
    cr_assert(arguments.connection.database == "shop");
    cr_assert(*std::get<QueryArguments>(arguments.command).sql == "SELECT 1");
  }
}

Test(arguments, mean_the_shell_without_a_command) {
  command_in<ShellArguments>({});
  command_in<ShellArguments>({"shell"});
}

Test(arguments, of_query) {
  const auto query = command_in<QueryArguments>({"query", "--param", "a=1", "SELECT -1", "--param", "b=-2",
                                                 "--format", "json", "--timeout", "50", "--no-header"});
  cr_assert(*query.sql == "SELECT -1");
  cr_assert_eq(query.parameters.size(), 2);
  cr_assert(query.parameters[1] == "b=-2");
  cr_assert(query.output.format == Format::kJson);
  cr_assert(query.output.header == false);
  cr_assert_eq(query.timeout_ms, 50);
  // The words of other commands are SQL here.
  cr_assert(*command_in<QueryArguments>({"query", "stats"}).sql == "stats");
  cr_assert(command_in<QueryArguments>({"query", ""}).sql == "");
  cr_assert(*command_in<QueryArguments>({"query", "--", "-- comment"}).sql == "-- comment");
  cr_assert(command_in<QueryArguments>({"query", "-f", "x.sql"}).file == "x.sql");
}

Test(arguments, of_import) {
  const auto import =
      command_in<ImportArguments>({"import", "--columns", "a,b b", "x.csv", "t", "--null", "", "--create",
                                   "--skip", "3", "--format", "tsv", "-q", "--lazy-quotes"});
  cr_assert(import.file == "x.csv");
  cr_assert(import.table == "t");
  cr_assert_eq(import.columns.size(), 2);
  cr_assert(import.columns[1] == "b b");
  cr_assert(import.null_text == "");
  cr_assert(import.create && import.quiet && import.lazy_quotes);
  cr_assert_eq(import.skip_lines, 3);
  cr_assert(import.format == ImportFormat::kTsv);
  cr_assert_not(import.has_header());
  cr_assert(command_in<ImportArguments>({"import", "x.csv", "t"}).has_header());
  cr_assert(command_in<ImportArguments>({"import", "x.csv", "t", "--columns", "a", "--header"}).has_header());
  cr_assert_not(command_in<ImportArguments>({"import", "x.csv", "t", "--no-header"}).has_header());
  cr_assert_not(command_in<ImportArguments>({"import", "x.csv", "t"}).null_text.has_value());
}

Test(arguments, are_refused_with_status_2) {
  cr_redirect_stderr();
  for (const auto& words :
       {std::vector<const char*>{"bogus"}, std::vector<const char*>{"query", "a", "b"},
        std::vector<const char*>{"query", "--format", "xml", "a"},
        std::vector<const char*>{"query", "-f", "a", "b"},
        std::vector<const char*>{"query", "--timeout", "0", "a"},
        std::vector<const char*>{"query", "--timeout", "x", "a"}, std::vector<const char*>{"import", "a"},
        std::vector<const char*>{"ping", "-c", "0"},
        std::vector<const char*>{"stats", "--json", "--format", "csv"},
        std::vector<const char*>{"locks", "--format", "csv"}, std::vector<const char*>{"locks", "shop"},
        std::vector<const char*>{"query", "--param"}}) {
    const auto parsed = parse(words);
    cr_assert(std::holds_alternative<ExitCode>(parsed), "%s was accepted", words.back());
    cr_assert(std::get<ExitCode>(parsed) == ExitCode::kUsage);
  }
}

Test(arguments, ask_for_help) {
  cr_redirect_stdout();
  for (const auto& words :
       {std::vector<const char*>{"--help"}, std::vector<const char*>{"--version"},
        std::vector<const char*>{"query", "--help"}, std::vector<const char*>{"import", "-h"}}) {
    const auto parsed = parse(words);
    cr_assert(std::holds_alternative<ExitCode>(parsed) && std::get<ExitCode>(parsed) == ExitCode::kDone);
  }
}

Test(dot_command, splits_words) {
  const auto words = split_words(".import  'my file.csv' \"a b\" x'y ''");
  cr_assert_eq(words.size(), 5);
  cr_assert(words[0] == ".import");
  cr_assert(words[1] == "my file.csv");
  cr_assert(words[2] == "a b");
  cr_assert(words[3] == "x'y");
  cr_assert(words[4].empty());
  cr_assert(split_words("  ").empty());
  cr_assert(split_words("'open").front() == "open");
  const auto import = parse_import_arguments({"f.csv", "t", "--null", ""});
  cr_assert(import.has_value() && import->null_text == "" && import->table == "t");
  cr_assert(parse_import_arguments({"f.csv"}).error().code == ErrorCode::kUsage);
}
