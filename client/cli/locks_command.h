// `skua locks`: who has the writer of each database, and who waits for it. One thread.
#pragma once

#include <string>
#include <vector>

#include "client/cli/arguments.h"
#include "client/cli/output_file.h"
#include "skua/connection.h"

namespace skua::cli {

Status run_locks(const LocksArguments& arguments, Connection& connection, OutputFile& out);

// For people. Lines about those who wait are cut to the width of the screen; 0: not cut.
std::string locks_text(const std::vector<DatabaseLock>& locks, std::size_t screen_width);
// An array with an object for each database, one a line.
std::string locks_json(const std::vector<DatabaseLock>& locks);

}  // namespace skua::cli
