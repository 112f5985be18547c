#include "client/cli/arguments.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <limits>

#include "client/cli/error_report.h"
#include "client/cli/terminal.h"

namespace skua::cli {

namespace {

constexpr const char* kAppFooter = R"(
skuad serves databases by name. Without -d it is the one that $SKUA_DATABASE
names, and without that the only one.

Examples:
  skua                                      the shell, on a terminal
  skua query "SELECT * FROM item"           a table on a terminal, otherwise TSV
  skua query "SELECT ..." --format json | jq .
  skua query -f changes.sql
  skua import prices.csv price --create
  skua -d shop tables

Exit status: 0 done, 1 the SQL or the data failed, 2 wrong usage,
3 no connection, 4 deadline passed or refused by a limit, 130 interrupted.

`skua COMMAND --help` says more about a command. -s and -d may stand before or
after it.)";

constexpr const char* kQueryFooter = R"(
SQL comes from the argument, from FILE, or from standard input. Several
statements run in order, and the first error ends it. Each is a transaction of
its own unless the script says BEGIN and COMMIT.

Formats:
  table, box, markdown  lined up by the first 1,000 rows
  csv, tsv, line        what `sqlite3 -csv`, `-tabs` and `-line` print
  json, ndjson          one array for each result; one object a line. Blobs are
                        hexadecimal digits, infinities 1e999
  insert                INSERT statements
NULL is nothing, but null in JSON and NULL in INSERT statements. In csv an empty
text is "".

Parameters: --param name=VALUE sets :name, @name or $name, and --param 1=VALUE
sets the first parameter. A value written as JSON writes numbers (12, -1.5, 1e3)
is a number; anything else is text, also 007. name:TYPE=VALUE chooses the type:
integer, real, text, blob (hexadecimal digits) or null (no value).

Examples:
  skua query "SELECT name FROM item WHERE price > :p" --param p=4.5
  skua query "SELECT * FROM address WHERE post_code = ?" --param 1:text=12345
  skua query "SELECT * FROM orders" --format csv --header > orders.csv
  generate_sql | skua query --timeout 5000)";

constexpr const char* kImportFooter = R"(
Everything is imported in one transaction: after any error, nothing is.

The first line names the table's columns, in any order, unless --columns names
them or --no-header says that nothing does: then the fields are the table's
columns in order. Every line must have the same number of fields.

Values get their types from the table's declared types, as with SQLite's
`.import`: 12 becomes an integer in an INTEGER column and text in a TEXT column.

CSV is RFC 4180: a field may be quoted, and a quote inside is written twice. TSV
has no quoting: fields end at a tab, lines at a line end. A carriage return
before a line end belongs to it, and a byte order mark is skipped.

An empty field is an empty text. With --null '' it is NULL, but in CSV not if it
is quoted; with --null TEXT the field TEXT is NULL.

Examples:
  skua import prices.csv price --create
  skua import - log --format tsv --columns time,host,message < log.txt)";

constexpr const char* kBackupFooter = R"(
The copy is the database at one moment: all that was committed before it, and
nothing else. Others go on to read and to write. FILE appears when it is
complete and on the disk; after an error, or if the command is interrupted,
there is none. The daemon needs room for a copy beside the database meanwhile.

Examples:
  skua backup shop.backup
  skua -d shop backup /mnt/backup/shop.db --force)";

constexpr const char* kLocksFooter = R"(
A database has one writer. A transaction has it from its begin to its end, so one
that is left open keeps all other writes waiting: its process, the times and its
SQL say whose it is. A program's name is the one it had when it connected.

With -d, of that database only. SQL is shown up to 1,000 bytes, and of those who
wait the first 100. The exit status is 0 whoever has the writer.

Example:
  skua locks --json | jq '.[].holder.peer.pid')";

constexpr const char* kShellFooter = R"(
Statements end with a semicolon; .help lists the shell's own commands. Ctrl-C
cancels what runs, Ctrl-D leaves. Without a terminal the shell reads a script
from standard input and ends at its first error.)";

// Without CLI11's remarks on what excludes what: messages say it when it matters.
class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter() { column_width(28); }
  std::string make_option_name(const CLI::Option* option, bool is_positional) const override {
    std::string name = option->get_name(is_positional, !is_positional);
    if (const std::size_t brace = name.find('{'); brace != std::string::npos) name.erase(brace);
    return name;
  }
  std::string make_option_opts(const CLI::Option* option) const override {
    const std::string type = option->get_positional() ? "" : option->get_option_text();
    return type.empty() ? type : " " + type;
  }
};

CLI::Validator format_validator() {
  return CLI::Validator(
      [](std::string& text) {
        return format_named(text) ? std::string() : fmt::format("{} is none of {}", text, format_names());
      },
      "", "format");
}

void add_format_options(CLI::App* command, OutputArguments& out) {
  command
      ->add_option_function<std::string>(
          "--format", [&out](const std::string& name) { out.format = format_named(name); },
          "How rows are printed; table on a terminal, tsv otherwise")
      ->check(format_validator())
      ->option_text(std::string(format_names()));
  command->add_flag_function(
      "--header,!--no-header", [&out](std::int64_t count) { out.header = count > 0; },
      "Column names in a first line; on in table, box and markdown, off in csv, tsv and insert");
}

void add_output_options(CLI::App* command, OutputArguments& out) {
  add_format_options(command, out);
  command
      ->add_option("--table", out.insert_table, "The table's name in --format insert; \"table\" if not given")
      ->option_text("NAME");
}

std::vector<std::string> split_columns(const std::string& text) {
  std::vector<std::string> names;
  std::size_t start = 0;
  while (true) {
    const std::size_t comma = text.find(',', start);
    names.push_back(text.substr(start, comma - start));
    if (comma == std::string::npos) return names;
    start = comma + 1;
  }
}

void add_query(CLI::App& app, QueryArguments& query) {
  CLI::App* command = app.add_subcommand("query", "Run SQL and print the rows");
  auto* sql = command->add_option("SQL", query.sql, "One or more statements");
  command->add_option("-f,--file", query.file, "Read the SQL from a file; - is standard input")
      ->option_text("FILE")
      ->excludes(sql);
  command->add_option("--param", query.parameters, "A parameter's value; may be repeated")
      ->option_text("KEY=VALUE")
      ->allow_extra_args(false);
  add_output_options(command, query.output);
  command->add_option("--timeout", query.timeout_ms, "Give up on a statement after this many milliseconds")
      ->option_text("MS")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{std::numeric_limits<std::uint32_t>::max()}));
  command->footer(kQueryFooter);
}

void add_import_options(CLI::App* command, ImportArguments& import) {
  command->add_option("FILE", import.file, "CSV or TSV; - is standard input")->required();
  command->add_option("TABLE", import.table, "The table to insert into")->required();
  command
      ->add_option_function<std::string>(
          "--format",
          [&import](const std::string& name) {
            import.format = name == "csv" ? ImportFormat::kCsv : ImportFormat::kTsv;
          },
          "The file's format; by its name (.csv, .tsv, .tab) if not given")
      ->check(CLI::IsMember({"csv", "tsv"}))
      ->option_text("csv|tsv");
  command
      ->add_option_function<std::string>(
          "--columns", [&import](const std::string& names) { import.columns = split_columns(names); },
          "The columns that the fields are for; the file then has no header")
      ->option_text("A,B,C");
  command->add_flag_function(
      "--header,!--no-header", [&import](std::int64_t count) { import.header = count > 0; },
      "Whether the first line names the columns; with --columns, --header skips it");
  command->add_flag("--create", import.create, "Create the table if it is missing, all columns TEXT");
  command->add_option("--null", import.null_text, "Read this field as NULL")->option_text("TEXT");
  command->add_option("--skip", import.skip_lines, "Skip the first N lines of the file")->option_text("N");
  command->add_flag(
      "--lazy-quotes", import.lazy_quotes,
      "CSV: take a quote inside an unquoted field, or after the end of a quoted one, as a character");
  command->add_flag("-q,--quiet", import.quiet, "No progress and no final line");
  command->footer(kImportFooter);
}

void add_backup(CLI::App& app, BackupArguments& backup) {
  CLI::App* command = app.add_subcommand("backup", "Copy the database to a file while others use it");
  command->add_option("FILE", backup.file, "The copy")->required();
  command->add_flag("--force", backup.replace, "Replace FILE if it is there");
  command->add_flag("-q,--quiet", backup.quiet, "No progress and no final line");
  command->footer(kBackupFooter);
}

void add_small_commands(CLI::App& app, PingArguments& ping, StatsArguments& stats, LocksArguments& locks,
                        TablesArguments& tables, SchemaArguments& schema) {
  CLI::App* command = app.add_subcommand("tables", "List the tables and views");
  add_format_options(command, tables.output);
  command = app.add_subcommand("schema", "Print the CREATE statements");
  command->add_option("TABLE", schema.table, "Only those of this table or view");
  command = app.add_subcommand("ping", "Measure the round trip to the daemon and show its version");
  command->add_option("-c,--count", ping.count, "How many times")
      ->option_text("N")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{std::numeric_limits<std::uint32_t>::max()}));
  command = app.add_subcommand("stats", "Show the daemon's counters");
  auto* json = command->add_flag("--json", stats.json, "One JSON object");
  add_format_options(command, stats.output);
  json->excludes("--format");
  command = app.add_subcommand("locks", "Show who has the writer of each database, and who waits for it");
  command->add_flag("--json", locks.json, "A JSON array with an object for each database; times in microseconds");
  command->footer(kLocksFooter);
}

int report_parse_error(const CLI::App& app, const CLI::ParseError& error) {
  const bool asked_for_help = error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success);
  if (asked_for_help) return app.exit(error);
  std::string message = error_report(error.what());
  const auto commands = app.get_subcommands();
  message += commands.empty() ? "\nTry `skua --help`."
                              : fmt::format("\nTry `skua {} --help`.", commands.front()->get_name());
  print_status(message);
  return static_cast<int>(ExitCode::kUsage);
}

}  // namespace

PrintOptions OutputArguments::print_options(int descriptor) const {
  PrintOptions options;
  options.format = format.value_or(is_terminal(descriptor) ? Format::kTable : Format::kTsv);
  options.header = header;
  options.insert_table = insert_table;
  options.screen_width = screen_width(descriptor);
  return options;
}

std::variant<Arguments, ExitCode> parse_arguments(int count, const char* const* values) {
  Arguments arguments;
  QueryArguments query;
  ImportArguments import;
  PingArguments ping;
  StatsArguments stats;
  BackupArguments backup;
  LocksArguments locks;
  TablesArguments tables;
  SchemaArguments schema;

  CLI::App app("skua: the command line of the Skua SQLite server", "skua");
  app.set_version_flag("--version", "skua " SKUA_VERSION, "Print the version and exit");
  app.set_help_flag("-h,--help", "Print this help and exit");
  app.add_option("-s,--socket", arguments.connection.socket_path,
                 "The daemon's socket; $SKUA_SOCKET, $XDG_RUNTIME_DIR/skua/skua.sock or /run/skua/skua.sock if "
                 "not given")
      ->option_text("PATH");
  app.add_option("-d,--database", arguments.connection.database, "The database's name")
      ->option_text("NAME")
      ->envname("SKUA_DATABASE");
  app.require_subcommand(0, 1);
  app.fallthrough();
  app.formatter(std::make_shared<HelpFormatter>());
  add_query(app, query);
  add_import_options(app.add_subcommand("import", "Insert the rows of a CSV or TSV file"), import);
  app.add_subcommand("shell", "Type SQL and see the rows")->footer(kShellFooter);
  add_backup(app, backup);
  add_small_commands(app, ping, stats, locks, tables, schema);
  // After the commands, which would inherit it.
  app.footer(kAppFooter);

  try {
    app.parse(count, values);
  } catch (const CLI::ParseError& error) {
    return static_cast<ExitCode>(report_parse_error(app, error));
  }
  if (app.got_subcommand("query")) arguments.command = query;
  if (app.got_subcommand("import")) arguments.command = import;
  if (app.got_subcommand("ping")) arguments.command = ping;
  if (app.got_subcommand("stats")) arguments.command = stats;
  if (app.got_subcommand("backup")) arguments.command = backup;
  if (app.got_subcommand("locks")) arguments.command = locks;
  if (app.got_subcommand("tables")) arguments.command = tables;
  if (app.got_subcommand("schema")) arguments.command = schema;
  return arguments;
}

Result<ImportArguments> parse_import_arguments(const std::vector<std::string>& words) {
  ImportArguments import;
  CLI::App app("Insert the rows of a CSV or TSV file", ".import");
  add_import_options(&app, import);
  try {
    // CLI11 takes the words from the end.
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
  } catch (const CLI::CallForHelp&) {
    return make_error(ErrorCode::kUsage, app.help());
  } catch (const CLI::ParseError& error) {
    return make_error(ErrorCode::kUsage, fmt::format("{}; see .import --help", error.what()));
  }
  return import;
}

}  // namespace skua::cli
