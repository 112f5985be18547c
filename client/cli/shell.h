// `skua shell`: statements and dot commands, line by line, from a person or a script. One thread.
//
// A person sees errors and goes on; a script ends at its first error.
#pragma once

#include <string>

#include "client/cli/arguments.h"
#include "client/cli/line_source.h"
#include "client/cli/output_file.h"
#include "client/cli/shell_session.h"

namespace skua::cli {

ExitCode run_shell(const ConnectionArguments& arguments, OutputFile& out);

// Runs a script in a session that is under way.
ExitCode run_script_file(ShellSession& session, const std::string& name);

}  // namespace skua::cli
