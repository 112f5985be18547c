// The peers' names, as reports have them and as --peers takes them. Any thread.
#pragma once

#include <array>
#include <string_view>

namespace skua::bench {

struct PeerName {
  std::string_view name;
  std::string_view what;  // for --help
};

inline constexpr std::string_view kSkuaName = "skua";
inline constexpr std::string_view kSkuaPointName = "skua point";
inline constexpr std::string_view kSocketEchoName = "socket echo";
inline constexpr std::string_view kLoopEchoName = "libuv echo";
inline constexpr std::string_view kPostgresName = "postgresql";
inline constexpr std::string_view kPostgresPipelinedName = "postgresql pipelined";
inline constexpr std::string_view kRedisName = "redis";
inline constexpr std::string_view kRedisBenchmarkName = "redis-benchmark";
inline constexpr std::string_view kAiosqliteName = "aiosqlite";
inline constexpr std::string_view kProcessesOnFileName = "processes on one file";
inline constexpr std::string_view kThreadsInProcessName = "threads in process";
inline constexpr std::string_view kSqliteInProcessName = "sqlite in process";

inline constexpr std::array<PeerName, 11> kPeers = {{
    {kLoopEchoName, "as many bytes each way as Skua's, to one libuv loop for all clients, without any work"},
    {kSocketEchoName, "the same, to a process for each client, without a loop"},
    {kPostgresName, "PostgreSQL 15 on a cluster of its own, prepared statements, binary rows, a round trip for each"},
    {kPostgresPipelinedName, "the same by libpq's pipeline mode: several statements in one round trip"},
    {kRedisName, "GET of a value with the same bytes as the row; nothing on the disk"},
    {kRedisBenchmarkName, "the program, with so many requests in flight by -P"},
    {kAiosqliteName, "Python's aiosqlite on a SQLite file, one client"},
    {kProcessesOnFileName, "each client opens one SQLite file itself, WAL, 5 s of busy timeout"},
    {kThreadsInProcessName, "8 threads of one process, a SQLite connection each, on one file"},
    {kSqliteInProcessName, "SQLite in the client itself, without a server"},
    {kSkuaPointName, "in first-row: the round trip of one row, which the first of many is compared with"},
}};

}  // namespace skua::bench
