// The shell's own commands, which begin with a dot: `.help` lists them. One thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "client/cli/shell_session.h"

namespace skua::cli {

// Runs one line that begins with a dot. `place` is where it stands in a script. Not kDone: it failed, which was
// printed.
ExitCode run_dot_command(ShellSession& session, std::string_view line);

// Words between spaces; a word in single or double quotes may contain spaces.
std::vector<std::string> split_words(std::string_view line);

}  // namespace skua::cli
