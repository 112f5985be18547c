#include "client/cli/run_statement.h"

#include <chrono>
#include <vector>

#include "client/cli/interrupt.h"

namespace skua::cli {

namespace {

using Clock = std::chrono::steady_clock;

// Rows of a slow statement are shown at least this often. Those of a fast one go out in large pieces.
constexpr auto kFlushInterval = std::chrono::milliseconds(50);

void print_batch(const Batch& batch, std::vector<ValueView>& values, RowPrinter& printer) {
  for (std::size_t row = 0; row < batch.row_count(); ++row) {
    for (std::size_t column = 0; column < values.size(); ++column) values[column] = batch.at(row, column);
    printer.row(values);
  }
}

}  // namespace

Result<Summary> run_statement(Connection& connection, std::string_view sql, const Parameters& parameters,
                              const RunOptions& options, OutputFile& out) {
  const CancelOnInterrupt cancel_on_interrupt(connection);
  SKUA_ASSIGN(RowStream stream, connection.stream(sql, parameters, options.request));
  const bool has_rows = stream.columns().size() > 0;
  std::vector<ValueView> values(stream.columns().size());
  const std::unique_ptr<RowPrinter> printer = make_row_printer(options.print, out);
  if (has_rows) printer->begin(stream.columns());
  // The first rows are shown at once.
  Clock::time_point last_flush;
  while (true) {
    SKUA_ASSIGN(const Batch batch, stream.next_batch());
    if (batch.row_count() == 0) break;
    print_batch(batch, values, *printer);
    if (const Clock::time_point now = Clock::now(); now - last_flush >= kFlushInterval) {
      out.flush();
      last_flush = now;
    }
    if (!out.is_open()) return make_error(ErrorCode::kCancelled, "the output cannot be written");
  }
  if (has_rows) printer->end();
  out.flush();
  return stream.summary();
}

void print_rows(const ResultSet& rows, const PrintOptions& options, OutputFile& out) {
  const std::unique_ptr<RowPrinter> printer = make_row_printer(options, out);
  std::vector<ValueView> values(rows.columns().size());
  printer->begin(rows.columns());
  for (const Row row : rows) {
    for (std::size_t column = 0; column < values.size(); ++column) values[column] = row[column];
    printer->row(values);
  }
  printer->end();
}

}  // namespace skua::cli
