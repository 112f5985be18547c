// connect_to: the connection that the command line asks for. One thread.
#pragma once

#include "client/cli/arguments.h"
#include "skua/connection.h"

namespace skua::cli {

Result<Connection> connect_to(const ConnectionArguments& arguments);

}  // namespace skua::cli
