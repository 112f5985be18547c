// run_statement: one statement, its rows printed as they come. One thread.
#pragma once

#include <string_view>

#include "client/cli/row_printer.h"
#include "protocol/result.h"
#include "skua/connection.h"

namespace skua::cli {

struct RunOptions {
  PrintOptions print;
  RequestOptions request;
};

// Ctrl-C cancels it. It is also cancelled, with whatever result, when the output cannot be written any more:
// look at out.is_open() before the result.
Result<Summary> run_statement(Connection& connection, std::string_view sql, const Parameters& parameters,
                              const RunOptions& options, OutputFile& out);

// A result that is here already.
void print_rows(const ResultSet& rows, const PrintOptions& options, OutputFile& out);

}  // namespace skua::cli
