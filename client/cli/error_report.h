// How errors and other remarks reach a person: on standard error, with the place in the SQL or the file, never
// mixed with results. Any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "protocol/error.h"

namespace skua::cli {

// The statement that failed and where it came from.
struct StatementPlace {
  std::string_view sql;
  std::string_view source = {};  // a file name; empty for SQL from the command line or typed into the shell
  std::size_t line = 1;          // of the statement's first byte in its source
};

// `skua: error: FILE:LINE: message`, then the line of the SQL with a caret below the place, if the error knows
// it.
std::string error_report(const Error& error, const StatementPlace& place);
// `skua: error: message`.
std::string error_report(std::string_view message);

// Writes to standard error, at once. The text needs no line end; characters that would disturb a terminal are
// replaced.
void print_status(std::string_view text);

}  // namespace skua::cli
