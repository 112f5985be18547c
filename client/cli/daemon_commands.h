// `skua ping` and `skua stats`: questions about the daemon itself. One thread.
#pragma once

#include "client/cli/arguments.h"
#include "client/cli/output_file.h"
#include "skua/connection.h"

namespace skua::cli {

Status run_ping(const PingArguments& arguments, Connection& connection, OutputFile& out);
Status run_stats(const StatsArguments& arguments, Connection& connection, OutputFile& out);

}  // namespace skua::cli
