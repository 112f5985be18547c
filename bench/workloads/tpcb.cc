#include <fmt/format.h>
#include <sqlite3.h>

#include <random>
#include <variant>

#include "bench/peers/peer_names.h"
#include "bench/peers/postgres_connection.h"
#include "bench/peers/sqlite_file.h"
#include "bench/workloads/tpcb_bank.h"
#include "bench/workloads/workloads.h"

namespace skua::bench {

namespace {

Status judge(std::int64_t consistent) {
  if (consistent == 1) return {};
  return make_error(ErrorCode::kInternal, "the balances of accounts, tellers, branches and history differ");
}

Error wrong_row_count(const TpcbStep& step) {
  return make_error(ErrorCode::kInternal, fmt::format("not exactly one row: {}", step.sql));
}

// One program, so one request and one answer, for each transaction.
class SkuaTpcb final : public Contestant {
 public:
  explicit SkuaTpcb(const BenchSetup& setup) : setup_(setup), bank_(setup.scale) {}

  std::string_view name() const override { return "skua"; }
  pid_t server_pid() const override { return setup_.server.pid(); }

  Status prepare() override {
    SKUA_ASSIGN(Connection connection, setup_.server.connect());
    for (const std::string& sql : bank_.setup_statements(SqlDialect::kSqlite)) {
      SKUA_TRY(connection.execute(sql));
    }
    return {};
  }

  Result<Operation> make_operation(std::size_t client) override {
    SKUA_ASSIGN(Connection opened, setup_.server.connect());
    auto connection = std::make_shared<Connection>(std::move(opened));
    return Operation([connection, bank = bank_, steps = TpcbBank::steps(SqlDialect::kSqlite),
                      random = std::mt19937_64(setup_.seed + client)]() mutable -> Result<std::uint64_t> {
      const TpcbDeposit deposit = bank.draw(random);
      Program program;
      for (const TpcbStep& step : steps) {
        Parameters parameters;
        for (const auto member : step.parameters) parameters.add(deposit.*member);
        program.steps.push_back({step.sql, std::move(parameters), {}, false});
      }
      SKUA_ASSIGN(const ProgramResult result, connection->run(program));
      for (std::size_t i = 0; i < steps.size(); ++i) {
        const StepResult& step = result.steps[i];
        if (step.error) return *step.error;
        if (step.rows.summary().changes + step.rows.row_count() != 1) return wrong_row_count(steps[i]);
      }
      return std::uint64_t{1};
    });
  }

  Status verify() override {
    SKUA_ASSIGN(Connection connection, setup_.server.connect());
    SKUA_ASSIGN(const ResultSet rows, connection.execute(TpcbBank::consistency_query()));
    SKUA_ASSIGN(const Value consistent, rows.scalar());
    return judge(std::get<std::int64_t>(consistent));
  }

 private:
  const BenchSetup& setup_;
  TpcbBank bank_;
};

// BEGIN, the five statements and COMMIT, all prepared.
class PostgresTransaction {
 public:
  static Result<PostgresTransaction> prepare(const PostgresServer& server) {
    SKUA_ASSIGN(PostgresConnection connection, PostgresConnection::open(server));
    PostgresTransaction transaction(std::move(connection));
    SKUA_TRY(transaction.add({"BEGIN", {}}));
    for (const TpcbStep& step : TpcbBank::steps(SqlDialect::kPostgres)) SKUA_TRY(transaction.add(step));
    SKUA_TRY(transaction.add({"COMMIT", {}}));
    return transaction;
  }

  Status run(const TpcbDeposit& deposit, bool pipelined) {
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      PostgresParameters& parameters = executions_[i].parameters;
      parameters.clear();
      for (const auto member : steps_[i].parameters) parameters.integer(deposit.*member);
    }
    const Status done = pipelined ? run_in_one_round_trip() : run_one_by_one();
    if (!done) (void)connection_.execute("ROLLBACK");
    return done;
  }

 private:
  explicit PostgresTransaction(PostgresConnection connection) : connection_(std::move(connection)) {}

  Status add(const TpcbStep& step) {
    std::string name = fmt::format("step {}", steps_.size());
    SKUA_TRY(connection_.prepare(name, step.sql));
    executions_.push_back({std::move(name), {}});
    steps_.push_back(step);
    return {};
  }

  Status run_one_by_one() {
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      SKUA_ASSIGN(const PostgresConnection::Outcome outcome,
                  connection_.run(executions_[i].name, executions_[i].parameters));
      SKUA_TRY(check(i, outcome));
    }
    return {};
  }

  Status run_in_one_round_trip() {
    SKUA_ASSIGN(const std::vector<PostgresConnection::Outcome> outcomes,
                connection_.run_pipelined(executions_));
    for (std::size_t i = 0; i < steps_.size(); ++i) SKUA_TRY(check(i, outcomes[i]));
    return {};
  }

  // BEGIN and COMMIT have no parameters, and no rows.
  Status check(std::size_t step, const PostgresConnection::Outcome& outcome) const {
    if (steps_[step].parameters.empty() || outcome.rows == 1) return {};
    return wrong_row_count(steps_[step]);
  }

  PostgresConnection connection_;
  std::vector<TpcbStep> steps_;
  std::vector<PostgresConnection::Execution> executions_;  // of the same steps
};

class PostgresTpcb final : public Contestant {
 public:
  // Both ways work on the same tables, which the first one makes.
  enum class Way { kOneByOne, kPipelined };
  PostgresTpcb(const BenchSetup& setup, Way way) : setup_(setup), bank_(setup.scale), way_(way) {}

  std::string_view name() const override {
    return way_ == Way::kPipelined ? kPostgresPipelinedName : kPostgresName;
  }
  pid_t server_pid() const override { return setup_.postgres.pid(); }

  Status prepare() override {
    SKUA_TRY(setup_.postgres.start());
    SKUA_ASSIGN(PostgresConnection connection, PostgresConnection::open(setup_.postgres));
    SKUA_ASSIGN(const std::int64_t tables,
                connection.integer("SELECT count(*) FROM pg_tables WHERE tablename = 'history'"));
    if (tables > 0) return {};
    for (const std::string& sql : bank_.setup_statements(SqlDialect::kPostgres)) {
      SKUA_TRY(connection.execute(sql));
    }
    SKUA_TRY(connection.execute("VACUUM ANALYZE"));
    return connection.execute("CHECKPOINT");
  }

  Result<Operation> make_operation(std::size_t client) override {
    SKUA_ASSIGN(PostgresTransaction prepared, PostgresTransaction::prepare(setup_.postgres));
    auto transaction = std::make_shared<PostgresTransaction>(std::move(prepared));
    return Operation([transaction, bank = bank_, pipelined = way_ == Way::kPipelined,
                      random = std::mt19937_64(setup_.seed + client)]() mutable -> Result<std::uint64_t> {
      SKUA_TRY(transaction->run(bank.draw(random), pipelined));
      return std::uint64_t{1};
    });
  }

  Status verify() override {
    SKUA_ASSIGN(PostgresConnection connection, PostgresConnection::open(setup_.postgres));
    SKUA_ASSIGN(const std::int64_t consistent, connection.integer(TpcbBank::consistency_query()));
    return judge(consistent);
  }

 private:
  const BenchSetup& setup_;
  TpcbBank bank_;
  Way way_;
};

// BEGIN IMMEDIATE, so that waiting for the file's lock is all that can fail.
class SqliteTransaction {
 public:
  static Result<SqliteTransaction> prepare(const std::string& path) {
    SKUA_ASSIGN(SqliteFile file, SqliteFile::open(path));
    SqliteTransaction transaction(std::move(file));
    SKUA_TRY(transaction.add({"BEGIN IMMEDIATE", {}}));
    for (const TpcbStep& step : TpcbBank::steps(SqlDialect::kSqlite)) SKUA_TRY(transaction.add(step));
    SKUA_TRY(transaction.add({"COMMIT", {}}));
    return transaction;
  }

  Status run(const TpcbDeposit& deposit) {
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      sqlite3_stmt* statement = statements_[i].get();
      int index = 0;
      for (const auto member : steps_[i].parameters) sqlite3_bind_int64(statement, ++index, deposit.*member);
      const Status done = file_.run(statement);
      if (done) continue;
      if (i > 0) (void)file_.execute("ROLLBACK");
      return done;
    }
    return {};
  }

 private:
  explicit SqliteTransaction(SqliteFile file) : file_(std::move(file)) {}

  Status add(const TpcbStep& step) {
    SKUA_ASSIGN(SqliteFile::Statement statement, file_.prepare(step.sql));
    statements_.push_back(std::move(statement));
    steps_.push_back(step);
    return {};
  }

  SqliteFile file_;
  std::vector<TpcbStep> steps_;
  std::vector<SqliteFile::Statement> statements_;  // of the same steps
};

class ThreadsTpcb final : public Contestant {
 public:
  explicit ThreadsTpcb(const BenchSetup& setup)
      : path_(setup.folder + "/tpcb_threads.db"), seed_(setup.seed), bank_(setup.scale) {}

  std::string_view name() const override { return kThreadsInProcessName; }
  std::size_t thread_count() const override { return 8; }

  Status prepare() override {
    SKUA_ASSIGN(SqliteFile file, SqliteFile::open(path_));
    for (const std::string& sql : bank_.setup_statements(SqlDialect::kSqlite)) SKUA_TRY(file.execute(sql));
    return file.execute("PRAGMA wal_checkpoint(TRUNCATE)");
  }

  Result<Operation> make_operation(std::size_t client) override {
    SKUA_ASSIGN(SqliteTransaction prepared, SqliteTransaction::prepare(path_));
    auto transaction = std::make_shared<SqliteTransaction>(std::move(prepared));
    return Operation([transaction, bank = bank_,
                      random = std::mt19937_64(seed_ + client)]() mutable -> Result<std::uint64_t> {
      SKUA_TRY(transaction->run(bank.draw(random)));
      return std::uint64_t{1};
    });
  }

  Status verify() override {
    SKUA_ASSIGN(SqliteFile file, SqliteFile::open(path_));
    SKUA_ASSIGN(const std::int64_t consistent, file.integer(TpcbBank::consistency_query()));
    return judge(consistent);
  }

 private:
  std::string path_;
  std::uint64_t seed_;
  TpcbBank bank_;
};

}  // namespace

Workload tpcb_workload(const BenchSetup& setup) {
  Workload workload{
      "tpcb",
      fmt::format("a deposit at a bank of {} accounts: 3 updates, 1 select, 1 insert, synced to the disk",
                  TpcbBank(setup.scale).account_count()),
      "transactions",
      {}};
  auto& contestants = workload.contestants;
  contestants.push_back(std::make_unique<SkuaTpcb>(setup));
  contestants.push_back(std::make_unique<PostgresTpcb>(setup, PostgresTpcb::Way::kOneByOne));
  contestants.push_back(std::make_unique<PostgresTpcb>(setup, PostgresTpcb::Way::kPipelined));
  contestants.push_back(std::make_unique<ThreadsTpcb>(setup));
  return workload;
}

}  // namespace skua::bench
