// EngineWorld: a real daemon with a small table, and an engine on it. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "skua/client.h"
#include "skua/engine.h"
#include "tests/support/failure.h"
#include "tests/support/real_daemon.h"

namespace skua::test {

inline constexpr const char* kForever =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
inline constexpr const char* kEndlessRows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
inline constexpr const char* kMillion =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000) SELECT i, i * 2, 'text ' || i FROM n";

inline EngineOptions options_for(const RealDaemon& daemon) {
  EngineOptions options;
  options.connect.socket_path = daemon.socket_path();
  return options;
}

// A blocking connection, to look at things from outside.
inline Connection look(const RealDaemon& daemon) {
  ConnectOptions options;
  options.socket_path = daemon.socket_path();
  return must(Connection::connect(options), "connect");
}

inline std::int64_t stat(Connection& connection, std::string_view name) {
  const ResultSet rows = must(connection.stats(), "stats");
  for (const Row row : rows) {
    if (row[0].bytes() == name) return row[1].integer();
  }
  throw Failure("no counter " + std::string(name));
}

struct EngineWorld {
  EngineWorld() : EngineWorld(RealDaemon::Options{}) {}
  explicit EngineWorld(RealDaemon::Options daemon_options, EngineOptions engine_options = {})
      : daemon(std::move(daemon_options)), engine([&] {
          engine_options.connect.socket_path = daemon.socket_path();
          return std::move(engine_options);
        }()) {
    Connection connection = look(daemon);
    must(connection.execute("CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, price REAL)"));
    must(connection.execute("INSERT INTO item VALUES (1, 'milk', 5.5), (2, 'bread', NULL), (3, 'onion', 2)"));
  }

  // Runs a coroutine that returns a Status, which must succeed.
  template <class Body>
  void run(Body body) {
    must(engine.run_task(body()), "the task");
  }

  RealDaemon daemon;
  Engine engine;
};

}  // namespace skua::test

// In a coroutine: what a test needs.
#define CO_REQUIRE(condition) \
  if (!(condition)) co_return ::skua::make_error(::skua::ErrorCode::kUsage, std::string(__FILE__ ":") + std::to_string(__LINE__) + ": " #condition)
