// Echo and hooks: the same for the engine and the blocking client.
#include <string>
#include <vector>

#include "tests/engine_client/co_test.h"
#include "tests/engine_client/engine_world.h"

using namespace skua;
using namespace skua::test;

namespace {

// Without the time, which is another each time.
std::string untimed(std::string_view line) { return std::string(line.substr(0, line.rfind(", "))); }

EngineOptions echoing(std::vector<std::string>& lines, bool mask) {
  EngineOptions options;
  options.connect.echo.enabled = true;
  options.connect.echo.mask_parameters = mask;
  options.connect.echo.value_bytes_max = 8;
  options.connect.echo.sql_bytes_max = 60;
  options.connect.echo.write = [&lines](std::string_view line) { lines.push_back(untimed(line)); };
  return options;
}

}  // namespace

CoTest(engine_echo, prints_what_is_executed) {
  std::vector<std::string> lines;
  EngineWorld world({}, echoing(lines, false));
  Engine& engine = world.engine;
  world.run([&]() -> Task<Status> {
    SKUA_CO_TRY(co_await engine.execute("SELECT *\nFROM item WHERE id = ? AND name <> ?", Parameters::of(1, "a name that is long")));
    const auto failed = co_await engine.execute("SELECT nothing");
    CO_REQUIRE(!failed);
    SKUA_CO_ASSIGN(AsyncTransaction transaction, co_await engine.begin());
    SKUA_CO_TRY(co_await transaction.execute("DELETE FROM item", Parameters()));
    SKUA_CO_TRY(co_await transaction.rollback());
    SKUA_CO_TRY(co_await engine.execute("SELECT 'a text that is longer than what is printed of it, and is cut'"));
    co_return Status();
  });
  const std::vector<std::string> expected = {
      "skua: SELECT * FROM item WHERE id = ? AND name <> ? [1, 'a name t...'] -> 1 rows, 0 changed",
      "skua: SELECT nothing -> sql: near \"nothing\": syntax error",
      "skua: (1) BEGIN",
      "skua: (1) DELETE FROM item -> 0 rows, 3 changed",
      "skua: (1) ROLLBACK",
      "skua: SELECT 'a text that is longer than what is printed of it, an... -> 1 rows, 0 changed"};
  cr_assert_eq(lines.size(), expected.size());
  for (std::size_t i = 0; i < lines.size(); ++i) cr_assert(lines[i] == expected[i], "%s", lines[i].c_str());
}

CoTest(engine_echo, masks_parameters) {
  std::vector<std::string> lines;
  EngineWorld world({}, echoing(lines, true));
  Engine& engine = world.engine;
  must(engine.run_task(engine.execute("SELECT :secret", Parameters().set("secret", "geheim"))));
  cr_assert_eq(lines.size(), 1);
  cr_assert(lines[0] == "skua: SELECT :secret [secret=?] -> 1 rows, 0 changed", "%s", lines[0].c_str());
}

CoTest(engine_echo, hooks_are_told_before_and_after) {
  std::vector<std::string> told;
  EngineOptions options;
  options.connect.hooks.before = [&](const Execution& execution) {
    told.push_back("before " + std::to_string(execution.transaction) + " " + std::string(execution.sql));
  };
  options.connect.hooks.after = [&](const Execution& execution, const ExecutionEnd& end) {
    told.push_back("after " + std::string(execution.sql) + " " +
                   (end.error != nullptr ? std::string(to_string(end.error->code)) : std::to_string(end.summary->row_count)));
  };
  const ConnectOptions hooks = options.connect;
  EngineWorld world({}, options);
  Engine& engine = world.engine;
  world.run([&]() -> Task<Status> {
    SKUA_CO_ASSIGN(AsyncRowStream rows, co_await engine.stream("SELECT id FROM item"));
    SKUA_CO_TRY(co_await rows.collect());
    {
      SKUA_CO_ASSIGN(AsyncRowStream left, co_await engine.stream(kEndlessRows));
    }
    const auto failed = co_await engine.execute("SELECT nothing");
    CO_REQUIRE(!failed);
    co_return Status();
  });
  const std::vector<std::string> expected = {"before 0 SELECT id FROM item",
                                             "after SELECT id FROM item 3",
                                             "before 0 " + std::string(kEndlessRows),
                                             "after " + std::string(kEndlessRows) + " cancelled",
                                             "before 0 SELECT nothing",
                                             "after SELECT nothing sql"};
  cr_assert_eq(told.size(), expected.size());
  for (std::size_t i = 0; i < told.size(); ++i) cr_assert(told[i] == expected[i], "%s", told[i].c_str());

  told.clear();
  ConnectOptions blocking = hooks;
  blocking.socket_path = world.daemon.socket_path();
  Connection connection = must(Connection::connect(blocking));
  must(connection.execute("SELECT id FROM item"));
  cr_assert(told == std::vector<std::string>({"before 0 SELECT id FROM item", "after SELECT id FROM item 3"}));
}
