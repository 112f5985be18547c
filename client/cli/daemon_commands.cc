#include "client/cli/daemon_commands.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "client/cli/interrupt.h"
#include "client/cli/json_printer.h"
#include "client/cli/run_statement.h"

namespace skua::cli {

namespace {

// One object with a member for each counter.
void print_stats_object(const ResultSet& stats, OutputFile& out) {
  std::string text;
  for (const Row row : stats) {
    text += text.empty() ? "{\n  " : ",\n  ";
    append_json_string(text, row[0].bytes());
    text += ": ";
    append_json_value(text, row[1]);
  }
  out.write(text.empty() ? "{" : text);
  out.write("\n}\n");
}

}  // namespace

Status run_ping(const PingArguments& arguments, Connection& connection, OutputFile& out) {
  using Milliseconds = std::chrono::duration<double, std::milli>;
  const CancelOnInterrupt cancel_on_interrupt(connection);
  const ServerInfo& server = connection.server();
  double least_ms = 0;
  double most_ms = 0;
  double sum_ms = 0;
  for (std::uint32_t i = 0; i < arguments.count && out.is_open() && !Interrupt::requested(); ++i) {
    const auto start = std::chrono::steady_clock::now();
    SKUA_TRY(connection.ping());
    const double ms = Milliseconds(std::chrono::steady_clock::now() - start).count();
    least_ms = i == 0 ? ms : std::min(least_ms, ms);
    most_ms = std::max(most_ms, ms);
    sum_ms += ms;
    out.write(
        fmt::format("skuad {}, SQLite {}: {:.3f} ms\n", server.server_version, server.sqlite_version, ms));
  }
  if (Interrupt::requested()) return make_error(ErrorCode::kCancelled, "interrupted");
  if (arguments.count > 1) {
    out.write(fmt::format("{} round trips: {:.3f} ms least, {:.3f} ms on average, {:.3f} ms most\n",
                          arguments.count, least_ms, sum_ms / arguments.count, most_ms));
  }
  return {};
}

Status run_stats(const StatsArguments& arguments, Connection& connection, OutputFile& out) {
  SKUA_ASSIGN(const ResultSet stats, connection.stats());
  if (arguments.json) {
    print_stats_object(stats, out);
    return {};
  }
  print_rows(stats, arguments.output.print_options(STDOUT_FILENO), out);
  return {};
}

}  // namespace skua::cli
