#include <fmt/format.h>
#include <sqlite3.h>

#include <random>

#include "bench/peers/peer_names.h"
#include "bench/peers/sqlite_file.h"
#include "bench/workloads/item_table.h"
#include "bench/workloads/workloads.h"

namespace skua::bench {

namespace {

constexpr std::int64_t kUpdatedRows = 100'000;

ItemTable updated_table(const BenchSetup& setup) { return {"item", setup.records.value_or(kUpdatedRows)}; }

// Skua's and PostgreSQL's clients do the same; `Server` is which.
template <class Server>
class UpdateClients : public Contestant {
 public:
  UpdateClients(std::string_view name, Server& server, const BenchSetup& setup)
      : name_(name), server_(server), table_(updated_table(setup)), seed_(setup.seed) {}

  std::string_view name() const override { return name_; }
  pid_t server_pid() const override { return server_.pid(); }
  Status prepare() override { return table_.fill(server_); }
  Result<Operation> make_operation(std::size_t client) override { return table_.update(server_, seed_ + client); }

 private:
  std::string_view name_;
  Server& server_;
  ItemTable table_;
  std::uint64_t seed_;
};

class ProcessesUpdate final : public Contestant {
 public:
  explicit ProcessesUpdate(const BenchSetup& setup)
      : path_(setup.folder + "/update_shared.db"), table_(updated_table(setup)), seed_(setup.seed) {}

  std::string_view name() const override { return kProcessesOnFileName; }

  Status prepare() override {
    SKUA_ASSIGN(SqliteFile file, SqliteFile::open(path_));
    for (const std::string& sql : table_.setup_statements(SqlDialect::kSqlite)) SKUA_TRY(file.execute(sql));
    return file.execute("PRAGMA wal_checkpoint(TRUNCATE)");
  }

  Result<Operation> make_operation(std::size_t client) override {
    SKUA_ASSIGN(SqliteFile opened, SqliteFile::open(path_));
    auto file = std::make_shared<SqliteFile>(std::move(opened));
    SKUA_ASSIGN(SqliteFile::Statement prepared, file->prepare(table_.update_sql(SqlDialect::kSqlite)));
    const std::shared_ptr<sqlite3_stmt> statement(std::move(prepared));
    return Operation([file, statement, table = table_, stock = std::int64_t{0},
                      random = std::mt19937_64(seed_ + client)]() mutable -> Result<std::uint64_t> {
      sqlite3_bind_int64(statement.get(), 1, ++stock);
      sqlite3_bind_int64(statement.get(), 2, table.draw_key(random));
      SKUA_TRY(file->run(statement.get()));
      return std::uint64_t{1};
    });
  }

 private:
  std::string path_;
  ItemTable table_;
  std::uint64_t seed_;
};

}  // namespace

Workload update_workload(const BenchSetup& setup) {
  Workload workload{"update",
                    fmt::format("a column of a row by its key out of {} rows, synced to the disk",
                                updated_table(setup).row_count()),
                    "rows",
                    {}};
  workload.contestants.push_back(std::make_unique<UpdateClients<const SkuaServer>>("skua", setup.server, setup));
  workload.contestants.push_back(
      std::make_unique<UpdateClients<PostgresServer>>(kPostgresName, setup.postgres, setup));
  workload.contestants.push_back(std::make_unique<ProcessesUpdate>(setup));
  return workload;
}

}  // namespace skua::bench
