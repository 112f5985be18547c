// The peers' names, as reports have them and as --peers takes them. Any thread.
#pragma once

#include <array>
#include <string_view>

namespace skua::bench {

struct PeerName {
  std::string_view name;
  std::string_view what;  // for --help
};

inline constexpr std::string_view kSocketEchoName = "socket echo";
inline constexpr std::string_view kLoopEchoName = "libuv echo";
inline constexpr std::string_view kPostgresName = "postgresql";
inline constexpr std::string_view kPostgresPipelinedName = "postgresql pipelined";
inline constexpr std::string_view kProcessesOnFileName = "processes on one file";
inline constexpr std::string_view kThreadsInProcessName = "threads in process";
inline constexpr std::string_view kSqliteInProcessName = "sqlite in process";

inline constexpr std::array<PeerName, 7> kPeers = {{
    {kSocketEchoName, "64 bytes to a process and back, without any work"},
    {kLoopEchoName, "the same for all clients in one libuv loop"},
    {kPostgresName, "PostgreSQL 15 on a cluster of its own, prepared statements, a round trip for each"},
    {kPostgresPipelinedName, "the same, all statements of a transaction in one round trip"},
    {kProcessesOnFileName, "each client opens one SQLite file itself, WAL, 5 s of busy timeout"},
    {kThreadsInProcessName, "8 threads of one process, a SQLite connection each, on one file"},
    {kSqliteInProcessName, "SQLite in the only client, which has the file to itself"},
}};

}  // namespace skua::bench
