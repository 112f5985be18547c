// `skua import`, and `.import` in the shell: one file into one table, all of it or nothing. One thread.
#pragma once

#include "client/cli/arguments.h"
#include "skua/connection.h"

namespace skua::cli {

// Prints progress, the final line and errors on standard error.
ExitCode run_import(const ImportArguments& arguments, Connection& connection);

}  // namespace skua::cli
