#include <fmt/format.h>
#include <sqlite3.h>

#include <random>

#include "bench/peers/loop_echo.h"
#include "bench/peers/peer_names.h"
#include "bench/peers/skua_session.h"
#include "bench/workloads/point_table.h"
#include "bench/workloads/workloads.h"

namespace skua::bench {

namespace {

constexpr std::int64_t kRangeRows = 100;
constexpr const char* kSelect = "SELECT id, name, price, stock FROM point WHERE id BETWEEN ? AND ? ORDER BY id";
constexpr const char* kPostgresSelect =
    "SELECT id, name, price, stock FROM point WHERE id BETWEEN $1 AND $2 ORDER BY id";

std::int64_t random_first_id(std::mt19937_64& random) {
  return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(kPointRows - kRangeRows + 1)) + 1;
}

class SkuaRange final : public Contestant {
 public:
  explicit SkuaRange(const BenchSetup& setup) : setup_(setup) {}

  std::string_view name() const override { return kSkuaName; }
  pid_t server_pid() const override { return setup_.server.pid(); }
  Status prepare() override { return fill_point_table(setup_.server); }

  Result<Operation> make_operation(std::size_t client) override {
    SKUA_ASSIGN(Connection opened, setup_.server.connect());
    auto connection = std::make_shared<Connection>(std::move(opened));
    return Operation(
        [connection, random = std::mt19937_64(setup_.seed + client)]() mutable -> Result<std::uint64_t> {
          const std::int64_t first = random_first_id(random);
          SKUA_ASSIGN(const ResultSet rows,
                      connection->execute(kSelect, Parameters::of(first, first + kRangeRows - 1)));
          std::int64_t id = first;
          for (const Row row : rows) {
            const bool right =
                is_point_row(id, row[0].integer(), row[1].bytes(), row[2].real(), row[3].integer());
            if (!right) return wrong_point_row(id);
            ++id;
          }
          if (id != first + kRangeRows) return wrong_point_row(id);
          return std::uint64_t{1};
        });
  }

 private:
  const BenchSetup& setup_;
};

class PostgresRange final : public Contestant {
 public:
  explicit PostgresRange(const BenchSetup& setup) : setup_(setup) {}

  std::string_view name() const override { return kPostgresName; }
  pid_t server_pid() const override { return setup_.postgres.pid(); }
  Status prepare() override { return fill_point_table(setup_.postgres); }

  Result<Operation> make_operation(std::size_t client) override {
    SKUA_ASSIGN(PostgresConnection opened, warm_postgres_connection(setup_.postgres));
    SKUA_TRY(opened.prepare("range", kPostgresSelect));
    auto connection = std::make_shared<PostgresConnection>(std::move(opened));
    return Operation([connection, random = std::mt19937_64(setup_.seed + client),
                      parameters = PostgresParameters()]() mutable -> Result<std::uint64_t> {
      const std::int64_t first = random_first_id(random);
      parameters.clear();
      parameters.integer(first).integer(first + kRangeRows - 1);
      SKUA_ASSIGN(const PostgresRows rows, connection->select("range", parameters));
      std::int64_t id = first;
      for (std::size_t row = 0; row < rows.count(); ++row, ++id) {
        const bool right =
            is_point_row(id, rows.integer(row, 0), rows.text(row, 1), rows.real(row, 2), rows.integer(row, 3));
        if (!right) return wrong_point_row(id);
      }
      if (id != first + kRangeRows) return wrong_point_row(id);
      return std::uint64_t{1};
    });
  }

 private:
  const BenchSetup& setup_;
};

class InProcessRange final : public Contestant {
 public:
  explicit InProcessRange(const BenchSetup& setup) : setup_(setup) {}

  std::string_view name() const override { return kSqliteInProcessName; }
  Status prepare() override {
    SKUA_ASSIGN(path_, fill_point_file(setup_.folder));
    return {};
  }

  Result<Operation> make_operation(std::size_t client) override {
    SKUA_ASSIGN(SqliteFile opened, SqliteFile::open(path_));
    auto file = std::make_shared<SqliteFile>(std::move(opened));
    SKUA_ASSIGN(SqliteFile::Statement prepared, file->prepare(kSelect));
    const std::shared_ptr<sqlite3_stmt> statement(std::move(prepared));
    return Operation([file, statement,
                      random = std::mt19937_64(setup_.seed + client)]() mutable -> Result<std::uint64_t> {
      const std::int64_t first = random_first_id(random);
      sqlite3_stmt* const select = statement.get();
      sqlite3_bind_int64(select, 1, first);
      sqlite3_bind_int64(select, 2, first + kRangeRows - 1);
      std::int64_t id = first;
      bool right = true;
      int stepped = sqlite3_step(select);
      for (; stepped == SQLITE_ROW; stepped = sqlite3_step(select), ++id) {
        const auto* name = reinterpret_cast<const char*>(sqlite3_column_text(select, 1));
        right = right && is_point_row(id, sqlite3_column_int64(select, 0),
                                      {name, static_cast<std::size_t>(sqlite3_column_bytes(select, 1))},
                                      sqlite3_column_double(select, 2), sqlite3_column_int64(select, 3));
      }
      sqlite3_reset(select);
      if (stepped != SQLITE_DONE) return file->error();
      if (!right || id != first + kRangeRows) return wrong_point_row(id);
      return std::uint64_t{1};
    });
  }

 private:
  const BenchSetup& setup_;
  std::string path_;
};

}  // namespace

Workload range_workload(const BenchSetup& setup) {
  Workload workload{
      "range", fmt::format("{} rows of 4 columns by a range of the key, out of {}", kRangeRows, kPointRows), "ranges", {}};
  const auto sizes = [&setup] {
    constexpr std::int64_t kFirst = kTypicalPointId;
    return measure_execute(setup.server, kSelect, Parameters::of(kFirst, kFirst + kRangeRows - 1));
  };
  auto& contestants = workload.contestants;
  contestants.push_back(std::make_unique<SkuaRange>(setup));
  contestants.push_back(std::make_unique<LoopEcho>(setup.folder + "/range-echo.sock", sizes));
  contestants.push_back(std::make_unique<PostgresRange>(setup));
  contestants.push_back(std::make_unique<InProcessRange>(setup));
  return workload;
}

}  // namespace skua::bench
