// Stream: 200,000 rows in the memory of a few batches: by row, by batch, in partitions; and how to stop early.
//
// The daemon sends no more than a window (256 KiB unless RequestOptions::with_window_bytes says otherwise) ahead of what
// was taken. On the sample shop of `./dev run`.
#include <skua/engine.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <tuple>

namespace {

// The price of each item on each of 50,000 days.
const char* const kPrices =
    "WITH RECURSIVE day(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM day WHERE number < 50000) "
    "SELECT day.number AS day, item.name AS name, item.price * 1.0 AS price FROM day JOIN item";

skua::Task<skua::Status> by_row(skua::Engine& engine) {
  SKUA_CO_ASSIGN(skua::AsyncRowStream rows, co_await engine.stream(kPrices));
  double sum = 0;
  while (true) {
    // Waits only where a batch ends.
    SKUA_CO_ASSIGN(const bool has_row, co_await rows.next());
    if (!has_row) break;
    SKUA_CO_ASSIGN(const auto row, (rows.row().as<std::tuple<std::int64_t, std::string, double>>()));
    sum += std::get<double>(row);
  }
  std::printf("by row: %.0f, %d rows\n", sum, static_cast<int>(rows.summary().row_count));
  co_return {};
}

// The fastest way: a batch has each column as one list in memory.
skua::Task<skua::Status> by_batch(skua::Engine& engine) {
  SKUA_CO_ASSIGN(skua::AsyncBatches batches, co_await engine.stream_batches(kPrices));
  double sum = 0;
  while (true) {
    SKUA_CO_ASSIGN(const skua::Batch batch, co_await batches.next());
    if (batch.row_count() == 0) break;
    const skua::ColumnView prices = batch.column(2);
    // True of every batch here: each price is a real. A column with values of several kinds is read with at(row).
    if (prices.layout() != skua::ColumnView::Layout::kReals) continue;
    for (const double price : prices.reals()) sum += price;
  }
  std::printf("by batch: %.0f\n", sum);
  co_return {};
}

// For work that is done in groups, such as writing a file of so many rows.
skua::Task<skua::Status> by_partition(skua::Engine& engine) {
  SKUA_CO_ASSIGN(skua::AsyncPartitions partitions, co_await engine.partitions(30'000, kPrices));
  while (true) {
    SKUA_CO_ASSIGN(const skua::ResultSet rows, co_await partitions.next());
    if (rows.empty()) break;
    SKUA_CO_ASSIGN(const auto day, rows.row(0).get<int>("day"));
    std::printf("from day %d: %d rows\n", day, static_cast<int>(rows.row_count()));
  }
  co_return {};
}

skua::Task<skua::Status> stop_early(skua::Engine& engine) {
  SKUA_CO_ASSIGN(skua::AsyncRowStream rows, co_await engine.stream(kPrices));
  while (true) {
    SKUA_CO_ASSIGN(const bool has_row, co_await rows.next());
    if (!has_row) break;
    SKUA_CO_ASSIGN(const auto price, rows.row().get<double>("price"));
    if (price < 2) {
      SKUA_CO_ASSIGN(const auto name, rows.row().get<std::string>("name"));
      std::printf("the first for less than 2: %s\n", name.c_str());
      // The destructor of `rows` cancels the statement in the daemon.
      break;
    }
  }
  co_return {};
}

skua::Task<skua::Status> run(skua::Engine& engine) {
  SKUA_CO_TRY(co_await by_row(engine));
  SKUA_CO_TRY(co_await by_batch(engine));
  SKUA_CO_TRY(co_await by_partition(engine));
  co_return co_await stop_early(engine);
}

}  // namespace

int main() {
  skua::Engine engine;  // $SKUA_SOCKET, and a loop of its own
  const skua::Status done = engine.run_task(run(engine));
  if (!done) std::fprintf(stderr, "%s\n", done.error().message.c_str());
  return done ? 0 : 1;
}
