// skuad: reads the configuration, puts the parts together in the order they depend on each other, and runs.
#include <spdlog/spdlog.h>
#include <systemd/sd-daemon.h>

#include <CLI/CLI.hpp>

#include "daemon/base/clock.h"
#include "daemon/base/descriptor_limit.h"
#include "daemon/base/thread_schedule.h"
#include "daemon/config.h"
#include "daemon/core/access.h"
#include "daemon/core/completion_queue.h"
#include "daemon/core/dispatcher.h"
#include "daemon/engine/sqlite_executor.h"
#include "daemon/net/server.h"

namespace skua {
namespace {

constexpr int kExitFailure = 1;
constexpr int kExitUsage = 2;

struct Arguments {
  std::string config_file;
  std::string socket_path;
  std::vector<std::string> databases;
  std::string log_level;
  bool check_config = false;
};

int fail(const Error& error, int exit_code) {
  spdlog::error("{}", error.message);
  return exit_code;
}

Status configure(const Arguments& arguments, Config& config) {
  if (!arguments.config_file.empty()) SKUA_TRY(read_config_file(arguments.config_file, config));
  for (const std::string& database : arguments.databases) SKUA_TRY(add_database(database, config));
  if (!arguments.socket_path.empty()) config.socket_path = arguments.socket_path;
  if (config.socket_path.empty()) config.socket_path = default_socket_path();
  if (!arguments.log_level.empty()) config.log_level = arguments.log_level;
  SKUA_TRY(set_up_log(config.log_level, config.log_target));
  for (DatabaseOptions& database : config.databases) {
    database.statement_cache_entries = config.limits.statement_cache_entries;
    database.statement_cache_bytes_max = config.limits.statement_cache_bytes_max;
  }
  return check_config(config);
}

// The one socket that systemd hands over, or -1.
Result<int> inherited_socket() {
  const int count = sd_listen_fds(1);
  if (count <= 0) return -1;
  if (count == 1) return SD_LISTEN_FDS_START;
  return make_error(ErrorCode::kUsage, fmt::format("{} sockets were inherited, the daemon takes one", count));
}

Status serve(const Config& config, AccessRules access) {
  loop_thread.adopt();
  SKUA_ASSIGN(const int inherited_fd, inherited_socket());
  SqliteExecutor::configure_process();
  CompletionQueue completions;
  SKUA_ASSIGN(const std::unique_ptr<SqliteExecutor> executor,
              SqliteExecutor::open(config.databases, config.limits, completions));
  DispatcherOptions options;
  options.limits = config.limits;
  for (const DatabaseOptions& database : config.databases) {
    options.database_names.push_back(database.name);
    spdlog::info("database '{}' is {}", database.name, database.file);
  }
  options.server_version = SKUA_VERSION;
  options.sqlite_version = SqliteExecutor::sqlite_version();
  Dispatcher dispatcher(std::move(options), *executor, monotonic_us());
  const bool allow_others = access.allows_others();
  Server server(dispatcher, completions, std::move(access), config.limits);
  SKUA_TRY(server.bind({config.socket_path, allow_others, inherited_fd}));
  schedule_promptly();
  SKUA_TRY(server.run());
  executor->stop();
  return {};
}

int run(const Arguments& arguments) {
  Config config;
  if (const Status status = configure(arguments, config); !status) return fail(status.error(), kExitUsage);
  auto access = AccessRules::of(config.access_users, config.access_groups);
  if (!access) return fail(access.error(), kExitUsage);
  if (arguments.check_config) {
    fmt::print("the configuration is good: {} database{}, socket {}\n", config.databases.size(),
               config.databases.size() == 1 ? "" : "s", config.socket_path);
    return 0;
  }
  spdlog::info("skuad {} starts, SQLite {}", SKUA_VERSION, SqliteExecutor::sqlite_version());
  const std::uint64_t descriptors = raise_descriptor_limit();
  if (descriptors <= config.limits.sessions_max) {
    spdlog::warn("this process may have {} descriptors, too few for sessions_max = {}: raise its limit (LimitNOFILE)",
                 descriptors, config.limits.sessions_max);
  }
  if (const Status status = serve(config, std::move(*access)); !status) return fail(status.error(), kExitFailure);
  spdlog::info("skuad stopped");
  return 0;
}

}  // namespace
}  // namespace skua

int main(int argc, char** argv) {
  skua::Arguments arguments;
  CLI::App app("skuad owns SQLite databases and serves every local process over a Unix socket.");
  app.add_option("--config", arguments.config_file, "The configuration, a TOML file")->type_name("FILE");
  app.add_option("--socket", arguments.socket_path,
                 "Where to listen (default: $SKUA_SOCKET, else $XDG_RUNTIME_DIR/skua/skua.sock, else "
                 "/run/skua/skua.sock)")
      ->type_name("PATH");
  app.add_option("--database", arguments.databases, "A database and its file, which is created if missing; repeatable")
      ->type_name("NAME=FILE");
  app.add_option("--log-level", arguments.log_level, "trace, debug, info (default), warn, error or off")
      ->type_name("LEVEL");
  app.add_flag("--check-config", arguments.check_config, "Check the configuration and exit");
  app.set_version_flag("--version", "skuad " SKUA_VERSION);
  app.footer("Example:\n  skuad --socket /tmp/skua.sock --database shop=/var/lib/shop.db");
  (void)skua::set_up_log("info", skua::LogTarget::kAuto);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return skua::run(arguments);
}
