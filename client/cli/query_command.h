// `skua query`: SQL from the command line, a file or standard input. One thread.
#pragma once

#include "client/cli/arguments.h"
#include "client/cli/output_file.h"
#include "skua/connection.h"

namespace skua::cli {

ExitCode run_query(const QueryArguments& arguments, Connection& connection, OutputFile& out);

}  // namespace skua::cli
