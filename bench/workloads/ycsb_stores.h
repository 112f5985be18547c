// YcsbStores: the table of Yahoo's benchmark in Skua, in PostgreSQL, and in a SQLite file that every client opens itself. One
// thread, in the process that opened it.
#pragma once

#include <memory>
#include <string>

#include "bench/peers/postgres_server.h"
#include "bench/peers/skua_server.h"
#include "bench/workloads/ycsb_client.h"
#include "bench/workloads/ycsb_table.h"

namespace skua::bench {

Result<std::unique_ptr<YcsbStore>> open_skua_store(const SkuaServer& server, const YcsbTable& table);
Result<std::unique_ptr<YcsbStore>> open_postgres_store(const PostgresServer& server, const YcsbTable& table);
Result<std::unique_ptr<YcsbStore>> open_file_store(const std::string& path, const YcsbTable& table);

}  // namespace skua::bench
