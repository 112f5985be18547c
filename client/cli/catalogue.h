// What is in a database: `skua tables` and `skua schema`, `.tables` and `.schema` in the shell. One thread.
#pragma once

#include <string>

#include "client/cli/run_statement.h"

namespace skua::cli {

// Name and type of each table and view.
Status print_tables(Connection& connection, const RunOptions& options, OutputFile& out);

// The CREATE statements of everything, or of one table or view with its indexes and triggers. kSql if there is
// no such table.
Status print_schema(Connection& connection, const std::string& table, const RequestOptions& request,
                    OutputFile& out);

}  // namespace skua::cli
