#include "bench/workloads/stream_table.h"

#include <fmt/format.h>

#include <filesystem>

#include "bench/peers/postgres_connection.h"
#include "bench/peers/sqlite_file.h"

namespace skua::bench {

std::string StreamTable::name() const {
  switch (kind_) {
    case StreamKind::kPlain: return "stream";
    case StreamKind::kMixed: return "stream_mixed";
    case StreamKind::kNulls: return "stream_nulls";
  }
  return {};
}

std::string StreamTable::select() const { return fmt::format("SELECT id, name, value, quantity FROM {}", name()); }

std::string StreamTable::create_sql(const char* integer, const char* real) const {
  return fmt::format("CREATE TABLE {0}(id {1} PRIMARY KEY, name TEXT, value {2}, quantity {1})", name(), integer,
                     kind_ == StreamKind::kMixed ? "" : real);
}

std::string StreamTable::fill_sql() const {
  std::string columns = "'measurement ' || i, i * 0.5, i % 1000";
  if (kind_ == StreamKind::kMixed) {
    columns = "'measurement ' || i, CASE i % 3 WHEN 0 THEN i WHEN 1 THEN i * 0.5 ELSE 'text ' || i END, i % 1000";
  } else if (kind_ == StreamKind::kNulls) {
    columns =
        "CASE WHEN i % 3 > 0 THEN 'measurement ' || i END, CASE WHEN i % 5 > 0 THEN i * 0.5 END, "
        "CASE WHEN i % 7 > 0 THEN i % 1000 END";
  }
  return fmt::format(
      "INSERT INTO {} WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) "
      "SELECT i, {} FROM n",
      name(), rows_, columns);
}

StreamDigest StreamTable::digest() const {
  StreamDigest digest;
  for (std::int64_t i = 1; i <= rows_; ++i) {
    const std::string name = fmt::format("measurement {}", i);
    const std::string text = fmt::format("text {}", i);
    const auto real = ValueView::real(static_cast<double>(i) * 0.5);
    const bool nulls = kind_ == StreamKind::kNulls;
    ValueView value = real;
    if (kind_ == StreamKind::kMixed && i % 3 == 0) value = ValueView::integer(i);
    if (kind_ == StreamKind::kMixed && i % 3 == 2) value = ValueView::text(text);
    ++digest.rows;
    digest.add_integer(i);
    digest.add(nulls && i % 3 == 0 ? ValueView::null() : ValueView::text(name));
    digest.add(nulls && i % 5 == 0 ? ValueView::null() : value);
    digest.add(nulls && i % 7 == 0 ? ValueView::null() : ValueView::integer(i % 1000));
  }
  return digest;
}

Result<std::uint64_t> StreamTable::judge(const StreamDigest& expected, const StreamDigest& digest) const {
  if (digest == expected) return digest.rows;
  return make_error(ErrorCode::kInternal,
                    fmt::format("{} rows of {} came, or not the right ones", digest.rows, name()));
}

Status StreamTable::fill(const SkuaServer& server) const {
  SKUA_ASSIGN(Connection connection, server.connect());
  SKUA_ASSIGN(const ResultSet there,
              connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name = ?",
                                 Parameters::of(name())));
  if (there.row_count() > 0) return {};
  SKUA_TRY(connection.execute(create_sql("INTEGER", "REAL")));
  SKUA_TRY(connection.execute(fill_sql()));
  return {};
}

Status StreamTable::fill(PostgresServer& server) const {
  SKUA_TRY(server.start());
  SKUA_ASSIGN(PostgresConnection connection, PostgresConnection::open(server));
  SKUA_ASSIGN(const std::int64_t there,
              connection.integer(fmt::format("SELECT count(*) FROM pg_tables WHERE tablename = '{}'", name())));
  if (there > 0) return {};
  SKUA_TRY(connection.execute(create_sql("bigint", "double precision")));
  SKUA_TRY(connection.execute(fill_sql()));
  SKUA_TRY(connection.execute("VACUUM ANALYZE " + name()));
  return connection.execute("CHECKPOINT");
}

Result<std::string> StreamTable::fill_file(const std::string& folder) const {
  const std::string path = fmt::format("{}/{}.db", folder, name());
  if (std::filesystem::exists(path)) return path;
  SKUA_ASSIGN(SqliteFile file, SqliteFile::open(path));
  SKUA_TRY(file.execute(create_sql("INTEGER", "REAL")));
  SKUA_TRY(file.execute(fill_sql()));
  SKUA_TRY(file.execute("PRAGMA wal_checkpoint(TRUNCATE)"));
  return path;
}

}  // namespace skua::bench
