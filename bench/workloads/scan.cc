#include <fmt/format.h>
#include <sqlite3.h>

#include <optional>

#include "bench/peers/peer_names.h"
#include "bench/peers/postgres_connection.h"
#include "bench/peers/sqlite_file.h"
#include "bench/workloads/stream_table.h"
#include "bench/workloads/workloads.h"

namespace skua::bench {

namespace {

constexpr const char* kAggregates = "SELECT count(*), sum(value), max(quantity), min(name) FROM stream";

StreamTable scanned_table(const BenchSetup& setup) { return {StreamKind::kPlain, setup.records.value_or(kStreamRows)}; }

// One scan is one unit.
Result<std::uint64_t> judge(std::int64_t rows_wanted, std::int64_t rows, double sum, std::string_view first_name) {
  const auto wanted = static_cast<double>(rows_wanted);
  if (rows == rows_wanted && sum == wanted * (wanted + 1) / 4 && first_name == "measurement 1") {
    return std::uint64_t{1};
  }
  return make_error(ErrorCode::kInternal, fmt::format("a wrong sum over {} rows", rows));
}

class SkuaScan final : public Contestant {
 public:
  explicit SkuaScan(const BenchSetup& setup) : setup_(setup) {}

  std::string_view name() const override { return kSkuaName; }
  pid_t server_pid() const override { return setup_.server.pid(); }
  Status prepare() override { return scanned_table(setup_).fill(setup_.server); }

  Result<Operation> make_operation(std::size_t) override {
    SKUA_ASSIGN(Connection opened, setup_.server.connect());
    auto connection = std::make_shared<Connection>(std::move(opened));
    return Operation([connection, wanted = scanned_table(setup_).rows()]() -> Result<std::uint64_t> {
      SKUA_ASSIGN(const ResultSet rows, connection->execute(kAggregates));
      SKUA_ASSIGN(const Row row, rows.one());
      return judge(wanted, row[0].integer(), row[1].real(), row[3].bytes());
    });
  }

 private:
  const BenchSetup& setup_;
};

class PostgresScan final : public Contestant {
 public:
  explicit PostgresScan(const BenchSetup& setup) : setup_(setup) {}

  std::string_view name() const override { return kPostgresName; }
  pid_t server_pid() const override { return setup_.postgres.pid(); }
  Status prepare() override { return scanned_table(setup_).fill(setup_.postgres); }

  Result<Operation> make_operation(std::size_t) override {
    SKUA_ASSIGN(PostgresConnection opened, PostgresConnection::open(setup_.postgres));
    SKUA_TRY(opened.prepare("scan", kAggregates));
    auto connection = std::make_shared<PostgresConnection>(std::move(opened));
    return Operation([connection, wanted = scanned_table(setup_).rows()]() -> Result<std::uint64_t> {
      SKUA_ASSIGN(const PostgresRows rows, connection->select("scan", {}));
      if (rows.count() != 1) return make_error(ErrorCode::kInternal, "not exactly one row");
      return judge(wanted, rows.integer(0, 0), rows.real(0, 1), rows.text(0, 3));
    });
  }

 private:
  const BenchSetup& setup_;
};

class InProcessAggregate final : public Contestant {
 public:
  explicit InProcessAggregate(const BenchSetup& setup) : setup_(setup) {}

  std::string_view name() const override { return kSqliteInProcessName; }
  Status prepare() override {
    SKUA_ASSIGN(path_, scanned_table(setup_).fill_file(setup_.folder));
    return {};
  }

  Result<Operation> make_operation(std::size_t) override {
    SKUA_ASSIGN(SqliteFile opened, SqliteFile::open(path_));
    auto file = std::make_shared<SqliteFile>(std::move(opened));
    SKUA_ASSIGN(SqliteFile::Statement prepared, file->prepare(kAggregates));
    const std::shared_ptr<sqlite3_stmt> statement(std::move(prepared));
    return Operation([file, statement, wanted = scanned_table(setup_).rows()]() -> Result<std::uint64_t> {
      sqlite3_stmt* const select = statement.get();
      if (sqlite3_step(select) != SQLITE_ROW) return file->error();
      const auto* name = reinterpret_cast<const char*>(sqlite3_column_text(select, 3));
      const std::string_view first_name(name, static_cast<std::size_t>(sqlite3_column_bytes(select, 3)));
      Result<std::uint64_t> judged =
          judge(wanted, sqlite3_column_int64(select, 0), sqlite3_column_double(select, 1), first_name);
      sqlite3_reset(select);
      return judged;
    });
  }

 private:
  const BenchSetup& setup_;
  std::string path_;
};

}  // namespace

Workload scan_workload(const BenchSetup& setup) {
  Workload workload{"scan", fmt::format("one row of four aggregates over {} rows", scanned_table(setup).rows()), "scans", {}};
  workload.contestants.push_back(std::make_unique<SkuaScan>(setup));
  workload.contestants.push_back(std::make_unique<PostgresScan>(setup));
  workload.contestants.push_back(std::make_unique<InProcessAggregate>(setup));
  return workload;
}

}  // namespace skua::bench
