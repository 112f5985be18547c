#include <fmt/format.h>

#include "bench/peers/peer_names.h"
#include "bench/peers/postgres_connection.h"
#include "bench/peers/sqlite_file.h"
#include "bench/workloads/workloads.h"
#include "bench/workloads/ycsb_client.h"
#include "bench/workloads/ycsb_stores.h"

namespace skua::bench {

namespace {

constexpr std::int64_t kRecords = 100'000;

// What the contestants have in common: their table and the numbers of its records. A workload that inserts has a table of its
// own; the others share one, which the first of them makes.
class YcsbContestant : public Contestant {
 public:
  YcsbContestant(const BenchSetup& setup, const YcsbMix& mix)
      : setup_(setup),
        mix_(mix),
        table_(mix.inserts > 0 ? fmt::format("usertable_{}", mix.letter) : std::string("usertable"),
               setup.records.value_or(kRecords)),
        keys_(table_.record_count()) {}

  Result<Operation> make_operation(std::size_t client) override {
    SKUA_ASSIGN(std::unique_ptr<YcsbStore> store, open_store());
    auto ycsb_client = std::make_shared<YcsbClient>(mix_, table_, keys_, std::move(store), setup_.seed + client);
    return Operation([ycsb_client]() -> Result<std::uint64_t> {
      SKUA_TRY(ycsb_client->run_one());
      return std::uint64_t{1};
    });
  }

  // Every insert that was acknowledged must be there.
  Status verify() final {
    SKUA_ASSIGN(const std::int64_t count, count_records("SELECT count(*) FROM " + table_.name()));
    const std::int64_t expected = table_.record_count() + keys_.inserted_count();
    if (count == expected) return {};
    return make_error(ErrorCode::kInternal, fmt::format("{} records in place of {}", count, expected));
  }

 protected:
  virtual Result<std::unique_ptr<YcsbStore>> open_store() = 0;
  // The only value of the only row.
  virtual Result<std::int64_t> count_records(const std::string& sql) = 0;

  const BenchSetup& setup_;
  YcsbMix mix_;
  YcsbTable table_;
  YcsbKeys keys_;
};

class SkuaYcsb final : public YcsbContestant {
 public:
  using YcsbContestant::YcsbContestant;

  std::string_view name() const override { return "skua"; }
  pid_t server_pid() const override { return setup_.server.pid(); }

  Status prepare() override {
    SKUA_ASSIGN(Connection connection, setup_.server.connect());
    SKUA_ASSIGN(const ResultSet known, connection.execute("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?",
                                                          Parameters::of(table_.name())));
    if (!known.empty()) return {};
    for (const std::string& sql : table_.setup_statements(SqlDialect::kSqlite)) SKUA_TRY(connection.execute(sql));
    return {};
  }

 protected:
  Result<std::unique_ptr<YcsbStore>> open_store() override { return open_skua_store(setup_.server, table_); }
  Result<std::int64_t> count_records(const std::string& sql) override {
    SKUA_ASSIGN(Connection connection, setup_.server.connect());
    SKUA_ASSIGN(const ResultSet rows, connection.execute(sql));
    SKUA_ASSIGN(const Row row, rows.one());
    return row[0].integer();
  }
};

class PostgresYcsb final : public YcsbContestant {
 public:
  using YcsbContestant::YcsbContestant;

  std::string_view name() const override { return kPostgresName; }
  pid_t server_pid() const override { return setup_.postgres.pid(); }

  Status prepare() override {
    SKUA_TRY(setup_.postgres.start());
    SKUA_ASSIGN(PostgresConnection connection, PostgresConnection::open(setup_.postgres));
    SKUA_ASSIGN(const std::int64_t known,
                connection.integer(fmt::format("SELECT count(*) FROM pg_tables WHERE tablename = '{}'", table_.name())));
    if (known > 0) return {};
    for (const std::string& sql : table_.setup_statements(SqlDialect::kPostgres)) SKUA_TRY(connection.execute(sql));
    SKUA_TRY(connection.execute("VACUUM ANALYZE " + table_.name()));
    return connection.execute("CHECKPOINT");
  }

 protected:
  Result<std::unique_ptr<YcsbStore>> open_store() override { return open_postgres_store(setup_.postgres, table_); }
  Result<std::int64_t> count_records(const std::string& sql) override {
    SKUA_ASSIGN(PostgresConnection connection, PostgresConnection::open(setup_.postgres));
    return connection.integer(sql);
  }
};

class ProcessesYcsb final : public YcsbContestant {
 public:
  using YcsbContestant::YcsbContestant;

  std::string_view name() const override { return kProcessesOnFileName; }

  Status prepare() override {
    SKUA_ASSIGN(SqliteFile file, SqliteFile::open(path()));
    SKUA_ASSIGN(const std::int64_t known, file.integer("SELECT count(*) FROM sqlite_schema WHERE type = 'table'"));
    if (known > 0) return {};
    for (const std::string& sql : table_.setup_statements(SqlDialect::kSqlite)) SKUA_TRY(file.execute(sql));
    return file.execute("PRAGMA wal_checkpoint(TRUNCATE)");
  }

 protected:
  Result<std::unique_ptr<YcsbStore>> open_store() override { return open_file_store(path(), table_); }
  Result<std::int64_t> count_records(const std::string& sql) override {
    SKUA_ASSIGN(SqliteFile file, SqliteFile::open(path()));
    return file.integer(sql);
  }

 private:
  std::string path() const { return fmt::format("{}/{}_shared.db", setup_.folder, table_.name()); }
};

}  // namespace

Workload ycsb_workload(const BenchSetup& setup, const YcsbMix& mix) {
  Workload workload{fmt::format("ycsb-{}", mix.letter),
                    fmt::format("{}, of {} records of 10 x 100 bytes, {} zipfian; writes are synced to the disk", mix.what,
                                setup.records.value_or(kRecords), mix.latest ? "latest" : "scrambled"),
                    "operations",
                    {}};
  workload.contestants.push_back(std::make_unique<SkuaYcsb>(setup, mix));
  workload.contestants.push_back(std::make_unique<PostgresYcsb>(setup, mix));
  workload.contestants.push_back(std::make_unique<ProcessesYcsb>(setup, mix));
  return workload;
}

}  // namespace skua::bench
