#include <sqlite3.h>

#include "bench/peers/sqlite_file.h"
#include "bench/workloads/workloads.h"

namespace skua::bench {

namespace {

constexpr const char* kCreate = "CREATE TABLE entry(id INTEGER PRIMARY KEY, client INTEGER, text TEXT)";
constexpr const char* kInsert = "INSERT INTO entry(client, text) VALUES (?, ?)";
constexpr std::string_view kText = "an entry of some forty bytes of plain text";

class SkuaInsert final : public Contestant {
 public:
  explicit SkuaInsert(const BenchSetup& setup) : setup_(setup) {}

  std::string_view name() const override { return "skua"; }

  Status prepare() override {
    SKUA_ASSIGN(Connection connection, setup_.server.connect());
    SKUA_TRY(connection.execute(kCreate));
    return {};
  }

  Result<Operation> make_operation(std::size_t client) override {
    SKUA_ASSIGN(Connection opened, setup_.server.connect());
    auto connection = std::make_shared<Connection>(std::move(opened));
    return Operation([connection, client]() -> Result<std::uint64_t> {
      SKUA_ASSIGN(const ResultSet result, connection->execute(kInsert, Parameters::of(client, kText)));
      return result.summary().changes;
    });
  }

 private:
  const BenchSetup& setup_;
};

class InProcessInsert final : public Contestant {
 public:
  explicit InProcessInsert(const BenchSetup& setup) : path_(setup.folder + "/in_process_insert.db") {}

  std::string_view name() const override { return "processes sharing the file"; }

  Status prepare() override {
    SKUA_ASSIGN(SqliteFile file, SqliteFile::open(path_));
    return file.execute(kCreate);
  }

  Result<Operation> make_operation(std::size_t client) override {
    SKUA_ASSIGN(SqliteFile opened, SqliteFile::open(path_));
    auto file = std::make_shared<SqliteFile>(std::move(opened));
    SKUA_ASSIGN(SqliteFile::Statement prepared, file->prepare(kInsert));
    const std::shared_ptr<sqlite3_stmt> statement(std::move(prepared));
    return Operation([file, statement, client]() -> Result<std::uint64_t> {
      sqlite3_bind_int64(statement.get(), 1, static_cast<sqlite3_int64>(client));
      sqlite3_bind_text(statement.get(), 2, kText.data(), static_cast<int>(kText.size()), SQLITE_STATIC);
      const int stepped = sqlite3_step(statement.get());
      sqlite3_reset(statement.get());
      if (stepped != SQLITE_DONE) return file->error();
      return std::uint64_t{1};
    });
  }

 private:
  std::string path_;
};

}  // namespace

Workload insert_workload(const BenchSetup& setup) {
  Workload workload{"insert", "one row, synced to the disk, in a transaction of its own", "rows", {}};
  workload.contestants.push_back(std::make_unique<SkuaInsert>(setup));
  workload.contestants.push_back(std::make_unique<InProcessInsert>(setup));
  return workload;
}

}  // namespace skua::bench
