#include <fmt/format.h>
#include <sqlite3.h>

#include "bench/peers/peer_names.h"
#include "bench/peers/sqlite_file.h"
#include "bench/workloads/workloads.h"

namespace skua::bench {

namespace {

constexpr std::int64_t kRows = 1'000'000;
constexpr const char* kCreate =
    "CREATE TABLE stream(id INTEGER PRIMARY KEY, name TEXT, value REAL, quantity INTEGER)";
constexpr const char* kSelect = "SELECT id, name, value, quantity FROM stream";

std::string fill_sql() {
  return fmt::format(
      "INSERT INTO stream WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) "
      "SELECT i, 'measurement ' || i, i * 0.5, i % 1000 FROM n",
      kRows);
}

// What every contestant makes of the rows it reads: proof that it read them all, and the same.
struct Digest {
  std::uint64_t rows = 0;
  std::int64_t integers = 0;
  double reals = 0;
  std::uint64_t text_bytes = 0;
  std::uint64_t text_ends = 0;  // the sum of the texts' last bytes

  void add(std::int64_t id, std::string_view name, double value, std::int64_t quantity) {
    ++rows;
    integers += id + quantity;
    reals += value;
    text_bytes += name.size();
    text_ends += name.empty() ? 0 : static_cast<unsigned char>(name.back());
  }
  friend bool operator==(const Digest&, const Digest&) = default;
};

Digest expected_digest() {
  Digest digest;
  for (std::int64_t i = 1; i <= kRows; ++i) {
    digest.add(i, fmt::format("measurement {}", i), static_cast<double>(i) * 0.5, i % 1000);
  }
  return digest;
}

Result<std::uint64_t> judge(const Digest& digest) {
  static const Digest expected = expected_digest();
  if (digest == expected) return digest.rows;
  return make_error(ErrorCode::kInternal, fmt::format("{} rows came, or not the right ones", digest.rows));
}

class SkuaStream final : public Contestant {
 public:
  explicit SkuaStream(const BenchSetup& setup) : setup_(setup) {}

  std::string_view name() const override { return "skua"; }
  pid_t server_pid() const override { return setup_.server.pid(); }

  Status prepare() override {
    SKUA_ASSIGN(Connection connection, setup_.server.connect());
    SKUA_TRY(connection.execute(kCreate));
    SKUA_TRY(connection.execute(fill_sql()));
    return {};
  }

  Result<Operation> make_operation(std::size_t) override {
    SKUA_ASSIGN(Connection opened, setup_.server.connect());
    auto connection = std::make_shared<Connection>(std::move(opened));
    return Operation([connection]() -> Result<std::uint64_t> {
      SKUA_ASSIGN(RowStream stream, connection->stream(kSelect));
      Digest digest;
      while (true) {
        SKUA_ASSIGN(const Batch batch, stream.next_batch());
        if (batch.row_count() == 0) break;
        for (std::size_t row = 0; row < batch.row_count(); ++row) {
          digest.add(batch.at(row, 0).integer(), batch.at(row, 1).bytes(), batch.at(row, 2).real(),
                     batch.at(row, 3).integer());
        }
      }
      return judge(digest);
    });
  }

 private:
  const BenchSetup& setup_;
};

class InProcessScan final : public Contestant {
 public:
  explicit InProcessScan(const BenchSetup& setup) : path_(setup.folder + "/in_process_stream.db") {}

  std::string_view name() const override { return kSqliteInProcessName; }

  Status prepare() override {
    SKUA_ASSIGN(SqliteFile file, SqliteFile::open(path_));
    SKUA_TRY(file.execute(kCreate));
    return file.execute(fill_sql());
  }

  Result<Operation> make_operation(std::size_t) override {
    SKUA_ASSIGN(SqliteFile opened, SqliteFile::open(path_));
    auto file = std::make_shared<SqliteFile>(std::move(opened));
    SKUA_ASSIGN(SqliteFile::Statement prepared, file->prepare(kSelect));
    const std::shared_ptr<sqlite3_stmt> statement(std::move(prepared));
    return Operation([file, statement]() -> Result<std::uint64_t> {
      Digest digest;
      int stepped = sqlite3_step(statement.get());
      for (; stepped == SQLITE_ROW; stepped = sqlite3_step(statement.get())) {
        const auto* name = reinterpret_cast<const char*>(sqlite3_column_text(statement.get(), 1));
        const auto name_bytes = static_cast<std::size_t>(sqlite3_column_bytes(statement.get(), 1));
        digest.add(sqlite3_column_int64(statement.get(), 0), {name, name_bytes},
                   sqlite3_column_double(statement.get(), 2), sqlite3_column_int64(statement.get(), 3));
      }
      sqlite3_reset(statement.get());
      if (stepped != SQLITE_DONE) return file->error();
      return judge(digest);
    });
  }

 private:
  std::string path_;
};

}  // namespace

Workload stream_workload(const BenchSetup& setup) {
  Workload workload{"stream", fmt::format("all {} rows of 4 columns, every value read", kRows), "rows", {}};
  workload.contestants.push_back(std::make_unique<SkuaStream>(setup));
  workload.contestants.push_back(std::make_unique<InProcessScan>(setup));
  return workload;
}

}  // namespace skua::bench
