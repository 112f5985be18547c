#include <sqlite3.h>

#include "bench/peers/peer_names.h"
#include "bench/peers/postgres_connection.h"
#include "bench/peers/sqlite_file.h"
#include "bench/workloads/workloads.h"

namespace skua::bench {

namespace {

constexpr const char* kCreate =
    "CREATE TABLE entry(id INTEGER PRIMARY KEY, client INTEGER, number INTEGER, text TEXT)";
constexpr const char* kInsert = "INSERT INTO entry(client, number, text) VALUES (?, ?, ?)";
constexpr const char* kPostgresCreate =
    "CREATE TABLE entry(id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, client bigint, number bigint, text "
    "text)";
constexpr const char* kPostgresInsert = "INSERT INTO entry(client, number, text) VALUES ($1, $2, $3)";
constexpr std::string_view kText =
    "an entry of one hundred bytes of plain text, as a log, a chat or a list of things to do would have: ";
static_assert(kText.size() == 100);

class SkuaInsert final : public Contestant {
 public:
  explicit SkuaInsert(const BenchSetup& setup) : setup_(setup) {}

  std::string_view name() const override { return "skua"; }
  pid_t server_pid() const override { return setup_.server.pid(); }

  Status prepare() override {
    SKUA_ASSIGN(Connection connection, setup_.server.connect());
    SKUA_TRY(connection.execute(kCreate));
    return {};
  }

  Result<Operation> make_operation(std::size_t client) override {
    SKUA_ASSIGN(Connection opened, setup_.server.connect());
    auto connection = std::make_shared<Connection>(std::move(opened));
    return Operation([connection, client, number = std::int64_t{0}]() mutable -> Result<std::uint64_t> {
      SKUA_ASSIGN(const ResultSet result,
                  connection->execute(kInsert, Parameters::of(client, ++number, kText)));
      return result.summary().changes;
    });
  }

 private:
  const BenchSetup& setup_;
};

class PostgresInsert final : public Contestant {
 public:
  explicit PostgresInsert(const BenchSetup& setup) : setup_(setup) {}

  std::string_view name() const override { return kPostgresName; }
  pid_t server_pid() const override { return setup_.postgres.pid(); }

  Status prepare() override {
    SKUA_TRY(setup_.postgres.start());
    SKUA_ASSIGN(PostgresConnection connection, PostgresConnection::open(setup_.postgres));
    return connection.execute(kPostgresCreate);
  }

  Result<Operation> make_operation(std::size_t client) override {
    SKUA_ASSIGN(PostgresConnection opened, PostgresConnection::open(setup_.postgres));
    SKUA_TRY(opened.prepare("insert", kPostgresInsert));
    auto connection = std::make_shared<PostgresConnection>(std::move(opened));
    return Operation([connection, client, number = std::int64_t{0},
                      parameters = PostgresParameters()]() mutable -> Result<std::uint64_t> {
      parameters.clear();
      parameters.integer(static_cast<std::int64_t>(client)).integer(++number).text(kText);
      SKUA_ASSIGN(const PostgresConnection::Outcome outcome, connection->run("insert", parameters));
      return static_cast<std::uint64_t>(outcome.rows);
    });
  }

 private:
  const BenchSetup& setup_;
};

// Each client has the file open itself.
class SqliteInsert final : public Contestant {
 public:
  SqliteInsert(std::string_view name, SqliteFile::Sharing sharing, std::string path)
      : name_(name), sharing_(sharing), path_(std::move(path)) {}

  std::string_view name() const override { return name_; }
  bool accepts(std::size_t clients) const override {
    return sharing_ == SqliteFile::Sharing::kWithOthers || clients == 1;
  }

  Status prepare() override {
    SKUA_ASSIGN(SqliteFile file, SqliteFile::open(path_, sharing_));
    return file.execute(kCreate);
  }

  Result<Operation> make_operation(std::size_t client) override {
    SKUA_ASSIGN(SqliteFile opened, SqliteFile::open(path_, sharing_));
    auto file = std::make_shared<SqliteFile>(std::move(opened));
    SKUA_ASSIGN(SqliteFile::Statement prepared, file->prepare(kInsert));
    const std::shared_ptr<sqlite3_stmt> statement(std::move(prepared));
    return Operation([file, statement, client, number = std::int64_t{0}]() mutable -> Result<std::uint64_t> {
      sqlite3_bind_int64(statement.get(), 1, static_cast<sqlite3_int64>(client));
      sqlite3_bind_int64(statement.get(), 2, ++number);
      sqlite3_bind_text(statement.get(), 3, kText.data(), static_cast<int>(kText.size()), SQLITE_STATIC);
      SKUA_TRY(file->run(statement.get()));
      return std::uint64_t{1};
    });
  }

 private:
  std::string_view name_;
  SqliteFile::Sharing sharing_;
  std::string path_;
};

}  // namespace

Workload insert_workload(const BenchSetup& setup) {
  Workload workload{
      "insert", "a row of 100 bytes of text, synced to the disk, in a transaction of its own", "rows", {}};
  auto& contestants = workload.contestants;
  contestants.push_back(std::make_unique<SkuaInsert>(setup));
  contestants.push_back(std::make_unique<PostgresInsert>(setup));
  contestants.push_back(std::make_unique<SqliteInsert>(kProcessesOnFileName, SqliteFile::Sharing::kWithOthers,
                                                       setup.folder + "/insert_shared.db"));
  contestants.push_back(std::make_unique<SqliteInsert>(kSqliteInProcessName, SqliteFile::Sharing::kWithNobody,
                                                       setup.folder + "/insert_alone.db"));
  return workload;
}

}  // namespace skua::bench
