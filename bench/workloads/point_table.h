// The table of the short reads, "point": 100,000 rows of four columns, the same in every engine. In Redis each row is a
// value of its columns' bytes under a key that redis-benchmark asks for.
//
// Each fill_*() makes the table unless it is there. One thread.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include "bench/peers/postgres_connection.h"
#include "bench/peers/redis_server.h"
#include "bench/peers/skua_server.h"
#include "bench/peers/sqlite_file.h"

namespace skua::bench {

// Their ids are from 1 to this.
inline constexpr std::int64_t kPointRows = 100'000;
inline constexpr const char* kPointSelect = "SELECT id, name, price, stock FROM point WHERE id = ?";
inline constexpr const char* kPostgresPointSelect = "SELECT id, name, price, stock FROM point WHERE id = $1";
// An id whose row is as large on the wire as most are.
inline constexpr std::int64_t kTypicalPointId = 54'321;

inline std::int64_t random_point_id(std::mt19937_64& random) {
  return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(kPointRows)) + 1;
}
// Whether these are the columns of the row with the id that was asked for. All contestants pay for it.
bool is_point_row(std::int64_t wanted, std::int64_t id, std::string_view name, double price, std::int64_t stock);
// Whether this is the value of the key with that id.
bool is_point_value(std::int64_t wanted, std::string_view value);
Error wrong_point_row(std::int64_t wanted);

// What Redis has its row under: always of the same length.
std::string point_key(std::int64_t id);
// GET of that key.
std::string point_get(std::int64_t id);

Status fill_point_table(const SkuaServer& server);
Status fill_point_table(PostgresServer& server);
// Returns the path of the file, which is in this folder.
Result<std::string> fill_point_file(const std::string& folder);
Status fill_point_keys(RedisServer& server);

// A connection that has read the whole table by its key once. A new backend of PostgreSQL has to map each page of the
// shared buffers that it touches, and fills its caches with the first queries: for thousands of selects it is slower
// than it is later, which is what is to be measured.
Result<PostgresConnection> warm_postgres_connection(const PostgresServer& server);

}  // namespace skua::bench
