#include <fmt/format.h>
#include <sqlite3.h>

#include "bench/peers/aiosqlite_peer.h"
#include "bench/peers/peer_names.h"
#include "bench/peers/postgres_connection.h"
#include "bench/peers/sqlite_file.h"
#include "bench/workloads/stream_table.h"
#include "bench/workloads/workloads.h"

namespace skua::bench {

namespace {

class SkuaStream final : public Contestant {
 public:
  SkuaStream(const BenchSetup& setup, const StreamTable& table) : setup_(setup), table_(table) {}

  std::string_view name() const override { return kSkuaName; }
  pid_t server_pid() const override { return setup_.server.pid(); }
  Status prepare() override {
    expected_ = table_.digest();
    return table_.fill(setup_.server);
  }

  Result<Operation> make_operation(std::size_t) override {
    SKUA_ASSIGN(Connection opened, setup_.server.connect());
    auto connection = std::make_shared<Connection>(std::move(opened));
    return Operation([connection, table = table_, expected = expected_]() -> Result<std::uint64_t> {
      SKUA_ASSIGN(RowStream stream, connection->stream(table.select()));
      StreamDigest digest;
      while (true) {
        SKUA_ASSIGN(const Batch batch, stream.next_batch());
        if (batch.row_count() == 0) break;
        if (table.kind() == StreamKind::kPlain) {
          read_plain(batch, digest);
        } else {
          read_any(batch, digest);
        }
      }
      return table.judge(expected, digest);
    });
  }

 private:
  static void read_plain(const Batch& batch, StreamDigest& digest) {
    for (std::size_t row = 0; row < batch.row_count(); ++row) {
      digest.add_row(batch.at(row, 0).integer(), batch.at(row, 1).bytes(), batch.at(row, 2).real(),
                     batch.at(row, 3).integer());
    }
  }
  static void read_any(const Batch& batch, StreamDigest& digest) {
    digest.rows += batch.row_count();
    for (std::size_t row = 0; row < batch.row_count(); ++row) {
      for (std::size_t column = 0; column < 4; ++column) digest.add(batch.at(row, column));
    }
  }

  const BenchSetup& setup_;
  StreamTable table_;
  StreamDigest expected_;
};

class InProcessScan final : public Contestant {
 public:
  InProcessScan(const BenchSetup& setup, const StreamTable& table) : setup_(setup), table_(table) {}

  std::string_view name() const override { return kSqliteInProcessName; }
  Status prepare() override {
    expected_ = table_.digest();
    SKUA_ASSIGN(path_, table_.fill_file(setup_.folder));
    return {};
  }

  Result<Operation> make_operation(std::size_t) override {
    SKUA_ASSIGN(SqliteFile opened, SqliteFile::open(path_));
    auto file = std::make_shared<SqliteFile>(std::move(opened));
    SKUA_ASSIGN(SqliteFile::Statement prepared, file->prepare(table_.select()));
    const std::shared_ptr<sqlite3_stmt> statement(std::move(prepared));
    return Operation([file, statement, table = table_, expected = expected_]() -> Result<std::uint64_t> {
      StreamDigest digest;
      const int stepped = table.kind() == StreamKind::kPlain ? read_plain(statement.get(), digest)
                                                             : read_any(statement.get(), digest);
      sqlite3_reset(statement.get());
      if (stepped != SQLITE_DONE) return file->error();
      return table.judge(expected, digest);
    });
  }

 private:
  // The code of the last step.
  static int read_plain(sqlite3_stmt* statement, StreamDigest& digest) {
    int stepped = sqlite3_step(statement);
    for (; stepped == SQLITE_ROW; stepped = sqlite3_step(statement)) {
      digest.add_row(sqlite3_column_int64(statement, 0), text_of(statement, 1), sqlite3_column_double(statement, 2),
                     sqlite3_column_int64(statement, 3));
    }
    return stepped;
  }
  static int read_any(sqlite3_stmt* statement, StreamDigest& digest) {
    int stepped = sqlite3_step(statement);
    for (; stepped == SQLITE_ROW; stepped = sqlite3_step(statement)) {
      ++digest.rows;
      for (int column = 0; column < 4; ++column) {
        switch (sqlite3_column_type(statement, column)) {
          case SQLITE_INTEGER: digest.add_integer(sqlite3_column_int64(statement, column)); break;
          case SQLITE_FLOAT: digest.add_real(sqlite3_column_double(statement, column)); break;
          case SQLITE_NULL: ++digest.nulls; break;
          default: digest.add_text(text_of(statement, column));
        }
      }
    }
    return stepped;
  }
  static std::string_view text_of(sqlite3_stmt* statement, int column) {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
    return {text, static_cast<std::size_t>(sqlite3_column_bytes(statement, column))};
  }

  const BenchSetup& setup_;
  StreamTable table_;
  StreamDigest expected_;
  std::string path_;
};

// Of the plain table.
class PostgresStream final : public Contestant {
 public:
  PostgresStream(const BenchSetup& setup, const StreamTable& table) : setup_(setup), table_(table) {}

  std::string_view name() const override { return kPostgresName; }
  pid_t server_pid() const override { return setup_.postgres.pid(); }
  Status prepare() override {
    expected_ = table_.digest();
    return table_.fill(setup_.postgres);
  }

  Result<Operation> make_operation(std::size_t) override {
    SKUA_ASSIGN(PostgresConnection opened, PostgresConnection::open(setup_.postgres));
    SKUA_TRY(opened.prepare("stream", table_.select()));
    auto connection = std::make_shared<PostgresConnection>(std::move(opened));
    return Operation([connection, table = table_, expected = expected_]() -> Result<std::uint64_t> {
      StreamDigest digest;
      SKUA_TRY(connection->stream("stream", [&digest](const PostgresRows& row) {
        digest.add_row(row.integer(0, 0), row.text(0, 1), row.real(0, 2), row.integer(0, 3));
      }));
      return table.judge(expected, digest);
    });
  }

 private:
  const BenchSetup& setup_;
  StreamTable table_;
  StreamDigest expected_;
};

// Of the plain table.
class AiosqliteStream final : public Contestant {
 public:
  AiosqliteStream(const BenchSetup& setup, const StreamTable& table) : setup_(setup), table_(table) {}

  std::string_view name() const override { return kAiosqliteName; }
  bool has_windows() const override { return true; }
  Status prepare() override {
    SKUA_TRY(require_aiosqlite(setup_.python));
    SKUA_ASSIGN(path_, table_.fill_file(setup_.folder));
    return {};
  }

  Result<Operation> make_operation(std::size_t) override {
    return make_error(ErrorCode::kUsage, "aiosqlite's program times its operations itself");
  }

  Result<Window> make_window(std::size_t) override {
    SKUA_ASSIGN(AiosqliteProgram started,
                AiosqliteProgram::start(setup_.python, {"stream", path_, table_.select()}));
    auto program = std::make_shared<AiosqliteProgram>(std::move(started));
    return Window([program, rows = static_cast<std::uint64_t>(table_.rows())](Tally& tally) -> Result<std::uint64_t> {
      SKUA_ASSIGN(const std::vector<std::uint64_t> answer, program->ask(1, tally));
      const bool right = answer.size() == 3 && answer[1] == rows && answer[2] == rows * (rows + 1) / 2;
      if (!right) return make_error(ErrorCode::kInternal, "aiosqlite's rows are not the right ones");
      tally.latencies.add(std::chrono::nanoseconds(answer[0]));
      return std::uint64_t{rows};
    });
  }

 private:
  const BenchSetup& setup_;
  StreamTable table_;
  std::string path_;
};

Workload stream_of(const BenchSetup& setup, const char* name, StreamKind kind, std::string_view what) {
  const StreamTable table(kind, setup.records.value_or(kStreamRows));
  Workload workload{name, fmt::format("all {} rows of 4 columns{}, every value read", table.rows(), what), "rows", {}};
  workload.contestants.push_back(std::make_unique<SkuaStream>(setup, table));
  workload.contestants.push_back(std::make_unique<InProcessScan>(setup, table));
  if (kind != StreamKind::kPlain) return workload;
  workload.contestants.push_back(std::make_unique<PostgresStream>(setup, table));
  workload.contestants.push_back(std::make_unique<AiosqliteStream>(setup, table));
  return workload;
}

}  // namespace

Workload stream_workload(const BenchSetup& setup) { return stream_of(setup, "stream", StreamKind::kPlain, ""); }

Workload stream_mixed_workload(const BenchSetup& setup) {
  return stream_of(setup, "stream-mixed", StreamKind::kMixed, ", one with integers, reals and texts");
}

Workload stream_nulls_workload(const BenchSetup& setup) {
  return stream_of(setup, "stream-nulls", StreamKind::kNulls, ", NULLs in three of them");
}

}  // namespace skua::bench
