#include "bench/workloads/point_table.h"

#include <fmt/format.h>

#include <charconv>
#include <cstring>
#include <filesystem>

namespace skua::bench {

namespace {

constexpr std::string_view kNameStart = "item number ";

std::string create_sql(const char* integer, const char* real) {
  return fmt::format("CREATE TABLE point(id {0} PRIMARY KEY, name TEXT, price {1}, stock {0})", integer, real);
}

std::string fill_sql() {
  return fmt::format(
      "INSERT INTO point WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) "
      "SELECT i, '{}' || i, i * 0.25, i * 7 FROM n",
      kPointRows, kNameStart);
}

// The three numbers, then the name.
std::string value_of(std::int64_t id) {
  const double price = static_cast<double>(id) * 0.25;
  const std::int64_t stock = id * 7;
  std::string value(3 * sizeof(std::int64_t), '\0');
  std::memcpy(value.data(), &id, sizeof(id));
  std::memcpy(value.data() + 8, &price, sizeof(price));
  std::memcpy(value.data() + 16, &stock, sizeof(stock));
  return value + fmt::format("{}{}", kNameStart, id);
}

}  // namespace

bool is_point_row(std::int64_t wanted, std::int64_t id, std::string_view name, double price, std::int64_t stock) {
  if (id != wanted || price != static_cast<double>(wanted) * 0.25 || stock != wanted * 7) return false;
  if (!name.starts_with(kNameStart)) return false;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(name.data() + kNameStart.size(), name.data() + name.size(), number);
  return error == std::errc() && end == name.data() + name.size() && number == wanted;
}

bool is_point_value(std::int64_t wanted, std::string_view value) {
  std::int64_t id = 0;
  double price = 0;
  std::int64_t stock = 0;
  if (value.size() < sizeof(id) + sizeof(price) + sizeof(stock)) return false;
  std::memcpy(&id, value.data(), sizeof(id));
  std::memcpy(&price, value.data() + 8, sizeof(price));
  std::memcpy(&stock, value.data() + 16, sizeof(stock));
  return is_point_row(wanted, id, value.substr(24), price, stock);
}

Error wrong_point_row(std::int64_t wanted) {
  return make_error(ErrorCode::kInternal, fmt::format("not the one right row for id {}", wanted));
}

// As redis-benchmark makes them of "key:__rand_int__": from 0.
std::string point_key(std::int64_t id) { return fmt::format("key:{:012}", id - 1); }

std::string point_get(std::int64_t id) { return resp_command({"GET", point_key(id)}); }

Status fill_point_table(const SkuaServer& server) {
  SKUA_ASSIGN(Connection connection, server.connect());
  SKUA_ASSIGN(const ResultSet there,
              connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name = 'point'"));
  if (there.row_count() > 0) return {};
  SKUA_TRY(connection.execute(create_sql("INTEGER", "REAL")));
  SKUA_TRY(connection.execute(fill_sql()));
  return {};
}

Status fill_point_table(PostgresServer& server) {
  SKUA_TRY(server.start());
  SKUA_ASSIGN(PostgresConnection connection, PostgresConnection::open(server));
  SKUA_ASSIGN(const std::int64_t there,
              connection.integer("SELECT count(*) FROM pg_tables WHERE tablename = 'point'"));
  if (there > 0) return {};
  SKUA_TRY(connection.execute(create_sql("bigint", "double precision")));
  SKUA_TRY(connection.execute(fill_sql()));
  SKUA_TRY(connection.execute("VACUUM ANALYZE point"));
  return connection.execute("CHECKPOINT");
}

Result<std::string> fill_point_file(const std::string& folder) {
  const std::string path = folder + "/point.db";
  if (std::filesystem::exists(path)) return path;
  SKUA_ASSIGN(SqliteFile file, SqliteFile::open(path));
  SKUA_TRY(file.execute(create_sql("INTEGER", "REAL")));
  SKUA_TRY(file.execute(fill_sql()));
  SKUA_TRY(file.execute("PRAGMA wal_checkpoint(TRUNCATE)"));
  return path;
}

Status fill_point_keys(RedisServer& server) {
  constexpr std::int64_t kKeysAtOnce = 1'000;
  static_assert(kPointRows % kKeysAtOnce == 0);
  SKUA_TRY(server.start());
  SKUA_ASSIGN(RedisConnection connection, RedisConnection::open(server.socket_path()));
  for (std::int64_t first = 1; first <= kPointRows; first += kKeysAtOnce) {
    std::string commands;
    for (std::int64_t id = first; id < first + kKeysAtOnce; ++id) {
      commands += resp_command({"SET", point_key(id), value_of(id)});
    }
    SKUA_TRY(connection.send(commands));
    for (std::int64_t i = 0; i < kKeysAtOnce; ++i) SKUA_TRY(connection.receive());
  }
  return {};
}

Result<PostgresConnection> warm_postgres_connection(const PostgresServer& server) {
  SKUA_ASSIGN(PostgresConnection connection, PostgresConnection::open(server));
  SKUA_TRY(connection.execute("SET enable_seqscan = off"));
  SKUA_TRY(connection.execute("SET enable_bitmapscan = off"));
  SKUA_TRY(connection.execute("SELECT sum(length(name)) FROM point WHERE id > 0"));
  SKUA_TRY(connection.execute("RESET ALL"));
  return connection;
}

}  // namespace skua::bench
