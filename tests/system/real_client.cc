#include "tests/system/real_client.h"

#include <fmt/format.h>

namespace skua::test {
namespace {

std::string text_of(const ValueView& value) {
  switch (value.kind()) {
    case ValueKind::kNull:
      return "~";
    case ValueKind::kInteger:
      return std::to_string(value.integer());
    case ValueKind::kReal:
      return fmt::format("{}", value.real());
    case ValueKind::kText:
      return std::string(value.bytes());
    case ValueKind::kBlob:
      break;
  }
  std::string hex = "x'";
  for (const char byte : value.bytes()) hex += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return hex + "'";
}

}  // namespace

std::string numbers_up_to(std::uint64_t count) {
  return "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " + std::to_string(count) +
         ") SELECT i FROM n";
}

Connection connect(const RealDaemon& daemon, std::string database) {
  ConnectOptions options;
  options.socket_path = daemon.socket_path();
  options.database = std::move(database);
  options.client_name = "system test";
  return must(Connection::connect(options), "connecting");
}

std::string text_of(const ResultSet& rows) {
  std::string text;
  for (const Row row : rows) {
    if (!text.empty()) text += ' ';
    for (std::size_t column = 0; column < row.size(); ++column) {
      if (column > 0) text += '|';
      text += text_of(row[column]);
    }
  }
  return text;
}

std::vector<std::string> skua_command(const RealDaemon& daemon, std::initializer_list<std::string> arguments) {
  std::vector<std::string> command{program_path("skua"), "-s", daemon.socket_path()};
  command.insert(command.end(), arguments);
  return command;
}

ProcessEnd run_skua(const RealDaemon& daemon, std::initializer_list<std::string> arguments, std::string input) {
  return run(skua_command(daemon, arguments),
             {.input = std::move(input), .unset = {"SKUA_SOCKET", "SKUA_DATABASE"}});
}

std::string skua_output(const RealDaemon& daemon, std::initializer_list<std::string> arguments,
                        std::string input) {
  ProcessEnd outcome = run_skua(daemon, arguments, std::move(input));
  require(outcome.exit_status == 0, fmt::format("skua ended with {}: {}", outcome.exit_status, outcome.error));
  return std::move(outcome.output);
}

std::string refused_daemon(const std::vector<std::string>& arguments) {
  const TemporaryDirectory directory;
  NotifySocket notify(directory / "n");
  std::vector<std::string> command{program_path("skuad")};
  command.insert(command.end(), arguments.begin(), arguments.end());
  Process process(command, {.environment = {{"NOTIFY_SOCKET", notify.path()}}});
  try {
    notify.wait_for("READY=1", process);
  } catch (const Failure&) {
    ProcessEnd outcome = process.wait();
    require(outcome.signal == 0 && outcome.exit_status > 0, "it did not refuse but die: " + outcome.error);
    require(!has_sanitizer_report(outcome.error), outcome.error);
    return std::move(outcome.error);
  }
  throw Failure("a daemon started that should have been refused");
}

}  // namespace skua::test
