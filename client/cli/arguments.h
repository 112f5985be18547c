// Arguments: the command line, read and checked. The texts of --help are in arguments.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "client/cli/exit_code.h"
#include "client/cli/row_printer.h"
#include "protocol/result.h"

namespace skua::cli {

struct ConnectionArguments {
  std::string socket_path;  // empty: the library's default
  std::string database;     // empty: the daemon's only one
};

struct OutputArguments {
  std::optional<Format> format;  // unset: table on a terminal, tsv otherwise
  std::optional<bool> header;
  std::string insert_table = "table";

  // For a result that goes to this descriptor.
  PrintOptions print_options(int descriptor) const;
};

struct QueryArguments {
  std::optional<std::string> sql;
  std::optional<std::string> file;  // "-" is standard input
  std::vector<std::string> parameters;
  OutputArguments output;
  std::uint32_t timeout_ms = 0;  // 0: none
};

enum class ImportFormat { kCsv, kTsv };

struct ImportArguments {
  std::string file;  // "-" is standard input
  std::string table;
  std::string database;                  // empty: the connection's
  std::optional<ImportFormat> format;    // unset: by the file's name
  std::vector<std::string> columns;      // empty: from the header, or the table's in order
  std::optional<bool> header;            // unset: there is one unless columns are given
  std::optional<std::string> null_text;  // fields that are read as NULL
  std::uint64_t skip_lines = 0;
  bool create = false;
  bool lazy_quotes = false;
  bool quiet = false;

  bool has_header() const { return header.value_or(columns.empty()); }
};

struct BackupArguments {
  std::string file;
  bool replace = false;
  bool quiet = false;
};

struct PingArguments {
  std::uint32_t count = 1;
};

struct StatsArguments {
  bool json = false;
  OutputArguments output;
};

struct LocksArguments {
  bool json = false;
};

struct TablesArguments {
  OutputArguments output;
};

struct SchemaArguments {
  std::string table;  // empty: all
};

struct ShellArguments {};

struct Arguments {
  ConnectionArguments connection;
  std::variant<ShellArguments, QueryArguments, ImportArguments, BackupArguments, PingArguments, StatsArguments, LocksArguments,
               TablesArguments, SchemaArguments>
      command;
};

// Prints help, the version or what is wrong, and then says how to exit.
std::variant<Arguments, ExitCode> parse_arguments(int count, const char* const* values);

// The words after `.import` in the shell. kUsage says what is wrong.
Result<ImportArguments> parse_import_arguments(const std::vector<std::string>& words);

}  // namespace skua::cli
