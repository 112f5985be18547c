// `skua backup`: the database into one file. One thread.
#pragma once

#include "client/cli/arguments.h"
#include "skua/connection.h"

namespace skua::cli {

// Prints progress, the final line and errors on standard error.
ExitCode run_backup(const BackupArguments& arguments, Connection& connection);

}  // namespace skua::cli
