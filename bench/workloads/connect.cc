#include <sqlite3.h>

#include <random>

#include "bench/peers/peer_names.h"
#include "bench/workloads/point_table.h"
#include "bench/workloads/workloads.h"

namespace skua::bench {

namespace {

class SkuaConnect final : public Contestant {
 public:
  explicit SkuaConnect(const BenchSetup& setup) : setup_(setup) {}

  std::string_view name() const override { return kSkuaName; }
  pid_t server_pid() const override { return setup_.server.pid(); }
  Status prepare() override { return fill_point_table(setup_.server); }

  Result<Operation> make_operation(std::size_t client) override {
    return Operation(
        [&server = setup_.server, random = std::mt19937_64(setup_.seed + client)]() mutable -> Result<std::uint64_t> {
          const std::int64_t id = random_point_id(random);
          SKUA_ASSIGN(Connection connection, server.connect());
          SKUA_ASSIGN(const ResultSet rows, connection.execute(kPointSelect, Parameters::of(id)));
          SKUA_ASSIGN(const Row row, rows.one());
          if (!is_point_row(id, row[0].integer(), row[1].bytes(), row[2].real(), row[3].integer())) {
            return wrong_point_row(id);
          }
          return std::uint64_t{1};
        });
  }

 private:
  const BenchSetup& setup_;
};

// Prepares the statement, as the others have to, but in one round trip.
class PostgresConnect final : public Contestant {
 public:
  explicit PostgresConnect(const BenchSetup& setup) : setup_(setup) {}

  std::string_view name() const override { return kPostgresName; }
  pid_t server_pid() const override { return setup_.postgres.pid(); }
  Status prepare() override { return fill_point_table(setup_.postgres); }

  Result<Operation> make_operation(std::size_t client) override {
    return Operation([&server = setup_.postgres,
                      random = std::mt19937_64(setup_.seed + client)]() mutable -> Result<std::uint64_t> {
      const std::int64_t id = random_point_id(random);
      SKUA_ASSIGN(PostgresConnection connection, PostgresConnection::open(server));
      PostgresParameters parameters;
      parameters.integer(id);
      SKUA_ASSIGN(const PostgresRows rows, connection.select_once(kPostgresPointSelect, parameters));
      const bool right = rows.count() == 1 && is_point_row(id, rows.integer(0, 0), rows.text(0, 1), rows.real(0, 2),
                                                           rows.integer(0, 3));
      if (!right) return wrong_point_row(id);
      return std::uint64_t{1};
    });
  }

 private:
  const BenchSetup& setup_;
};

class InProcessOpen final : public Contestant {
 public:
  explicit InProcessOpen(const BenchSetup& setup) : setup_(setup) {}

  std::string_view name() const override { return kProcessesOnFileName; }
  Status prepare() override {
    SKUA_ASSIGN(path_, fill_point_file(setup_.folder));
    return {};
  }

  Result<Operation> make_operation(std::size_t client) override {
    return Operation(
        [path = path_, random = std::mt19937_64(setup_.seed + client)]() mutable -> Result<std::uint64_t> {
          const std::int64_t id = random_point_id(random);
          SKUA_ASSIGN(SqliteFile file, SqliteFile::open(path));
          SKUA_ASSIGN(const SqliteFile::Statement statement, file.prepare(kPointSelect));
          sqlite3_stmt* const select = statement.get();
          sqlite3_bind_int64(select, 1, id);
          if (sqlite3_step(select) != SQLITE_ROW) return file.error();
          const auto* name = reinterpret_cast<const char*>(sqlite3_column_text(select, 1));
          const bool right = is_point_row(id, sqlite3_column_int64(select, 0),
                                          {name, static_cast<std::size_t>(sqlite3_column_bytes(select, 1))},
                                          sqlite3_column_double(select, 2), sqlite3_column_int64(select, 3));
          if (!right) return wrong_point_row(id);
          return std::uint64_t{1};
        });
  }

 private:
  const BenchSetup& setup_;
  std::string path_;
};

}  // namespace

Workload connect_workload(const BenchSetup& setup) {
  Workload workload{"connect", "connect, one row by its key, disconnect", "sessions", {}};
  workload.contestants.push_back(std::make_unique<SkuaConnect>(setup));
  workload.contestants.push_back(std::make_unique<PostgresConnect>(setup));
  workload.contestants.push_back(std::make_unique<InProcessOpen>(setup));
  return workload;
}

}  // namespace skua::bench
