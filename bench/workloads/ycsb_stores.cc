#include "bench/workloads/ycsb_stores.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <array>
#include <utility>

#include "bench/peers/postgres_connection.h"
#include "bench/peers/sqlite_file.h"

namespace skua::bench {

namespace {

template <class T>
using OfEachField = std::array<T, YcsbTable::kFields>;

Status one_row(std::int64_t rows) {
  if (rows == 1) return {};
  return make_error(ErrorCode::kInternal, fmt::format("{} rows were written in place of one", rows));
}

Error short_field() { return make_error(ErrorCode::kInternal, "a field is not as long as it must be"); }

class SkuaStore final : public YcsbStore {
 public:
  SkuaStore(Connection connection, const YcsbTable& table)
      : connection_(std::move(connection)),
        read_(table.read_sql(SqlDialect::kSqlite)),
        insert_(table.insert_sql(SqlDialect::kSqlite)),
        scan_(table.scan_sql(SqlDialect::kSqlite)) {
    for (std::size_t i = 0; i < updates_.size(); ++i) updates_[i] = table.update_sql(SqlDialect::kSqlite, i);
  }

  Result<bool> read(const std::string& key) override {
    SKUA_ASSIGN(const ResultSet rows, connection_.execute(read_, Parameters::of(key)));
    if (rows.empty()) return false;
    SKUA_TRY(check(rows));
    return true;
  }
  Status update(const std::string& key, std::size_t field, const std::string& value) override {
    SKUA_ASSIGN(const ResultSet done, connection_.execute(updates_[field], Parameters::of(value, key)));
    return one_row(static_cast<std::int64_t>(done.summary().changes));
  }
  Status insert(const std::string& key, const YcsbValues& values) override {
    Parameters parameters = Parameters::of(key);
    for (const std::string& value : values) parameters.add(value);
    SKUA_ASSIGN(const ResultSet done, connection_.execute(insert_, parameters));
    return one_row(static_cast<std::int64_t>(done.summary().changes));
  }
  Result<std::int64_t> scan(const std::string& first_key, std::int64_t rows) override {
    SKUA_ASSIGN(const ResultSet found, connection_.execute(scan_, Parameters::of(first_key, rows)));
    SKUA_TRY(check(found));
    return static_cast<std::int64_t>(found.row_count());
  }

 private:
  // Looks at every field.
  static Status check(const ResultSet& rows) {
    for (const Row row : rows) {
      for (std::size_t column = 1; column < row.size(); ++column) {
        if (row[column].bytes().size() != YcsbTable::kFieldBytes) return short_field();
      }
    }
    return {};
  }

  Connection connection_;
  std::string read_;
  std::string insert_;
  std::string scan_;
  OfEachField<std::string> updates_;
};

class PostgresStore final : public YcsbStore {
 public:
  static Result<std::unique_ptr<YcsbStore>> open(const PostgresServer& server, const YcsbTable& table) {
    SKUA_ASSIGN(PostgresConnection connection, PostgresConnection::open(server));
    const SqlDialect dialect = SqlDialect::kPostgres;
    SKUA_TRY(connection.prepare("read", table.read_sql(dialect)));
    SKUA_TRY(connection.prepare("insert", table.insert_sql(dialect)));
    SKUA_TRY(connection.prepare("scan", table.scan_sql(dialect)));
    for (std::size_t field = 0; field < YcsbTable::kFields; ++field) {
      SKUA_TRY(connection.prepare(update_name(field), table.update_sql(dialect, field)));
    }
    return std::unique_ptr<YcsbStore>(new PostgresStore(std::move(connection)));
  }

  Result<bool> read(const std::string& key) override {
    parameters_.clear();
    parameters_.text(key);
    SKUA_ASSIGN(const PostgresConnection::Outcome outcome, connection_.run("read", parameters_));
    return outcome.rows == 1;
  }
  Status update(const std::string& key, std::size_t field, const std::string& value) override {
    parameters_.clear();
    parameters_.text(value).text(key);
    SKUA_ASSIGN(const PostgresConnection::Outcome outcome, connection_.run(update_name(field), parameters_));
    return one_row(outcome.rows);
  }
  Status insert(const std::string& key, const YcsbValues& values) override {
    parameters_.clear();
    parameters_.text(key);
    for (const std::string& value : values) parameters_.text(value);
    SKUA_ASSIGN(const PostgresConnection::Outcome outcome, connection_.run("insert", parameters_));
    return one_row(outcome.rows);
  }
  Result<std::int64_t> scan(const std::string& first_key, std::int64_t rows) override {
    parameters_.clear();
    parameters_.text(first_key).integer(rows);
    SKUA_ASSIGN(const PostgresConnection::Outcome outcome, connection_.run("scan", parameters_));
    return outcome.rows;
  }

 private:
  explicit PostgresStore(PostgresConnection connection) : connection_(std::move(connection)) {}
  static std::string update_name(std::size_t field) { return fmt::format("update {}", field); }

  PostgresConnection connection_;
  PostgresParameters parameters_;
};

class FileStore final : public YcsbStore {
 public:
  static Result<std::unique_ptr<YcsbStore>> open(const std::string& path, const YcsbTable& table) {
    SKUA_ASSIGN(SqliteFile file, SqliteFile::open(path));
    auto store = std::unique_ptr<FileStore>(new FileStore(std::move(file)));
    SKUA_ASSIGN(store->read_, store->file_.prepare(table.read_sql(SqlDialect::kSqlite)));
    SKUA_ASSIGN(store->insert_, store->file_.prepare(table.insert_sql(SqlDialect::kSqlite)));
    SKUA_ASSIGN(store->scan_, store->file_.prepare(table.scan_sql(SqlDialect::kSqlite)));
    for (std::size_t field = 0; field < YcsbTable::kFields; ++field) {
      SKUA_ASSIGN(store->updates_[field], store->file_.prepare(table.update_sql(SqlDialect::kSqlite, field)));
    }
    return std::unique_ptr<YcsbStore>(std::move(store));
  }

  Result<bool> read(const std::string& key) override {
    bind(read_, 1, key);
    SKUA_ASSIGN(const std::int64_t rows, run(read_));
    return rows == 1;
  }
  Status update(const std::string& key, std::size_t field, const std::string& value) override {
    bind(updates_[field], 1, value);
    bind(updates_[field], 2, key);
    SKUA_TRY(run(updates_[field]));
    return {};
  }
  Status insert(const std::string& key, const YcsbValues& values) override {
    bind(insert_, 1, key);
    for (std::size_t field = 0; field < values.size(); ++field) bind(insert_, static_cast<int>(field) + 2, values[field]);
    SKUA_TRY(run(insert_));
    return {};
  }
  Result<std::int64_t> scan(const std::string& first_key, std::int64_t rows) override {
    bind(scan_, 1, first_key);
    sqlite3_bind_int64(scan_.get(), 2, rows);
    return run(scan_);
  }

 private:
  explicit FileStore(SqliteFile file) : file_(std::move(file)) {}

  // The text must live until the statement has run.
  static void bind(const SqliteFile::Statement& statement, int parameter, const std::string& text) {
    sqlite3_bind_text(statement.get(), parameter, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
  }

  // To its end, looking at every field of its rows; how many rows there were.
  Result<std::int64_t> run(const SqliteFile::Statement& statement) {
    std::int64_t rows = 0;
    bool right = true;
    int stepped = sqlite3_step(statement.get());
    for (; stepped == SQLITE_ROW; stepped = sqlite3_step(statement.get()), ++rows) {
      for (int column = 1; column < sqlite3_column_count(statement.get()); ++column) {
        right = right && sqlite3_column_bytes(statement.get(), column) == static_cast<int>(YcsbTable::kFieldBytes);
      }
    }
    Result<std::int64_t> result = rows;
    if (stepped != SQLITE_DONE) result = file_.error();
    if (!right) result = short_field();
    sqlite3_reset(statement.get());
    return result;
  }

  SqliteFile file_;
  SqliteFile::Statement read_;
  SqliteFile::Statement insert_;
  SqliteFile::Statement scan_;
  OfEachField<SqliteFile::Statement> updates_;
};

}  // namespace

Result<std::unique_ptr<YcsbStore>> open_skua_store(const SkuaServer& server, const YcsbTable& table) {
  SKUA_ASSIGN(Connection connection, server.connect());
  return std::unique_ptr<YcsbStore>(std::make_unique<SkuaStore>(std::move(connection), table));
}

Result<std::unique_ptr<YcsbStore>> open_postgres_store(const PostgresServer& server, const YcsbTable& table) {
  return PostgresStore::open(server, table);
}

Result<std::unique_ptr<YcsbStore>> open_file_store(const std::string& path, const YcsbTable& table) {
  return FileStore::open(path, table);
}

}  // namespace skua::bench
