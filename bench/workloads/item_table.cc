#include "bench/workloads/item_table.h"

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <utility>

#include "bench/peers/postgres_connection.h"

namespace skua::bench {

namespace {

constexpr std::string_view kNamePrefix = "item number ";
constexpr std::int64_t kPostgresPageRows = 2'000;  // about what one batch of Skua's has

Status changed_rows(std::uint64_t rows) {
  if (rows == 1) return {};
  return make_error(ErrorCode::kInternal, fmt::format("{} rows were changed in place of one", rows));
}

}  // namespace

std::vector<std::string> ItemTable::setup_statements(SqlDialect dialect) const {
  const bool postgres = dialect == SqlDialect::kPostgres;
  return {
      fmt::format("CREATE TABLE {}(id {} PRIMARY KEY, name TEXT, price {}, stock {})", name_,
                  postgres ? "bigint" : "INTEGER", postgres ? "double precision" : "REAL",
                  postgres ? "bigint" : "INTEGER"),
      fmt::format("INSERT INTO {} WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) "
                  "SELECT i, '{}' || i, i * 0.25, i * 7 FROM n",
                  name_, rows_, kNamePrefix),
  };
}

Status ItemTable::fill(const SkuaServer& server) const {
  SKUA_ASSIGN(Connection connection, server.connect());
  for (const std::string& sql : setup_statements(SqlDialect::kSqlite)) SKUA_TRY(connection.execute(sql));
  return {};
}

Status ItemTable::fill(PostgresServer& server) const {
  SKUA_TRY(server.start());
  SKUA_ASSIGN(PostgresConnection connection, PostgresConnection::open(server));
  for (const std::string& sql : setup_statements(SqlDialect::kPostgres)) SKUA_TRY(connection.execute(sql));
  SKUA_TRY(connection.execute("VACUUM ANALYZE " + name_));
  return connection.execute("CHECKPOINT");
}

std::string ItemTable::read_sql(SqlDialect dialect) const {
  return fmt::format("SELECT id, name, price, stock FROM {} WHERE id = {}", name_,
                     dialect == SqlDialect::kPostgres ? "$1" : "?");
}

std::string ItemTable::update_sql(SqlDialect dialect) const {
  const bool postgres = dialect == SqlDialect::kPostgres;
  return fmt::format("UPDATE {} SET stock = {} WHERE id = {}", name_, postgres ? "$1" : "?", postgres ? "$2" : "?");
}

std::string ItemTable::scan_sql() const { return fmt::format("SELECT id, name, price, stock FROM {}", name_); }

Result<Operation> ItemTable::read(const SkuaServer& server, std::uint64_t seed) const {
  SKUA_ASSIGN(Connection opened, server.connect());
  auto connection = std::make_shared<Connection>(std::move(opened));
  return Operation([connection, table = *this, sql = read_sql(SqlDialect::kSqlite),
                    random = std::mt19937_64(seed)]() mutable -> Result<std::uint64_t> {
    const std::int64_t id = table.draw_key(random);
    SKUA_ASSIGN(const ResultSet rows, connection->execute(sql, Parameters::of(id)));
    SKUA_ASSIGN(const Row row, rows.one());
    const bool right = row[0].integer() == id && row[1].bytes().starts_with(kNamePrefix) &&
                       row[2].real() == static_cast<double>(id) * 0.25;
    if (!right) return make_error(ErrorCode::kInternal, fmt::format("a wrong row for id {}", id));
    return std::uint64_t{1};
  });
}

Result<Operation> ItemTable::read(const PostgresServer& server, std::uint64_t seed) const {
  SKUA_ASSIGN(PostgresConnection opened, PostgresConnection::open(server));
  SKUA_TRY(opened.prepare("read", read_sql(SqlDialect::kPostgres)));
  auto connection = std::make_shared<PostgresConnection>(std::move(opened));
  return Operation([connection, table = *this, parameters = PostgresParameters(),
                    random = std::mt19937_64(seed)]() mutable -> Result<std::uint64_t> {
    const std::int64_t id = table.draw_key(random);
    parameters.clear();
    parameters.integer(id);
    SKUA_ASSIGN(const PostgresConnection::Outcome outcome, connection->run("read", parameters));
    if (outcome.rows != 1 || outcome.integer != id) {
      return make_error(ErrorCode::kInternal, fmt::format("a wrong row for id {}", id));
    }
    return std::uint64_t{1};
  });
}

Result<Operation> ItemTable::update(const SkuaServer& server, std::uint64_t seed) const {
  SKUA_ASSIGN(Connection opened, server.connect());
  auto connection = std::make_shared<Connection>(std::move(opened));
  return Operation([connection, table = *this, sql = update_sql(SqlDialect::kSqlite), stock = std::int64_t{0},
                    random = std::mt19937_64(seed)]() mutable -> Result<std::uint64_t> {
    SKUA_ASSIGN(const ResultSet result, connection->execute(sql, Parameters::of(++stock, table.draw_key(random))));
    SKUA_TRY(changed_rows(result.summary().changes));
    return std::uint64_t{1};
  });
}

Result<Operation> ItemTable::update(const PostgresServer& server, std::uint64_t seed) const {
  SKUA_ASSIGN(PostgresConnection opened, PostgresConnection::open(server));
  SKUA_TRY(opened.prepare("update", update_sql(SqlDialect::kPostgres)));
  auto connection = std::make_shared<PostgresConnection>(std::move(opened));
  return Operation([connection, table = *this, stock = std::int64_t{0}, parameters = PostgresParameters(),
                    random = std::mt19937_64(seed)]() mutable -> Result<std::uint64_t> {
    parameters.clear();
    parameters.integer(++stock).integer(table.draw_key(random));
    SKUA_ASSIGN(const PostgresConnection::Outcome outcome, connection->run("update", parameters));
    SKUA_TRY(changed_rows(static_cast<std::uint64_t>(outcome.rows)));
    return std::uint64_t{1};
  });
}

Result<Operation> ItemTable::scan(const SkuaServer& server) const {
  SKUA_ASSIGN(Connection opened, server.connect());
  // In this order: the stream must go before its connection.
  struct Scan {
    Connection connection;
    std::optional<RowStream> stream;
    std::int64_t seen = 0;
  };
  auto scan = std::make_shared<Scan>(Scan{std::move(opened), std::nullopt, 0});
  return Operation([scan, rows = rows_, sql = scan_sql()]() -> Result<std::uint64_t> {
    if (!scan->stream) {
      SKUA_ASSIGN(RowStream stream, scan->connection.stream(sql));
      scan->stream.emplace(std::move(stream));
      scan->seen = 0;
    }
    Result<Batch> batch = scan->stream->next_batch();
    if (!batch) {
      scan->stream.reset();
      return batch.error();
    }
    for (std::size_t row = 0; row < batch->row_count(); ++row) {
      if (batch->at(row, 0).integer() == ++scan->seen) continue;
      return make_error(ErrorCode::kInternal, fmt::format("row {} of the scan is another one", scan->seen));
    }
    if (batch->row_count() == 0) {
      scan->stream.reset();
      if (scan->seen != rows) return make_error(ErrorCode::kInternal, fmt::format("the scan had {} rows", scan->seen));
    }
    return std::uint64_t{batch->row_count()};
  });
}

Result<Operation> ItemTable::scan(const PostgresServer& server) const {
  SKUA_ASSIGN(PostgresConnection opened, PostgresConnection::open(server));
  SKUA_TRY(opened.prepare("scan", fmt::format("{} WHERE id > $1 ORDER BY id LIMIT {}", scan_sql(), kPostgresPageRows)));
  auto connection = std::make_shared<PostgresConnection>(std::move(opened));
  return Operation([connection, rows = rows_, seen = std::int64_t{0},
                    parameters = PostgresParameters()]() mutable -> Result<std::uint64_t> {
    parameters.clear();
    parameters.integer(seen);
    SKUA_ASSIGN(const PostgresConnection::Outcome outcome, connection->run("scan", parameters));
    seen += outcome.rows;
    if (outcome.rows < kPostgresPageRows) {
      const std::int64_t had = std::exchange(seen, 0);
      if (had != rows) return make_error(ErrorCode::kInternal, fmt::format("the scan had {} rows", had));
    }
    return static_cast<std::uint64_t>(outcome.rows);
  });
}

}  // namespace skua::bench
