// The C interface: each scenario of c_scenarios is a C program's life with a daemon of its own.
#include <criterion/criterion.h>

#include <sstream>
#include <string>

#include "tests/support/build_paths.h"
#include "tests/system/real_client.h"

using namespace skua::test;

namespace {

std::string scenarios_program() { return build_path("tests/c_scenarios"); }

ProcessEnd run_scenario(const std::string& name, const RealDaemon& daemon) {
  return run({scenarios_program(), name, daemon.socket_path(), std::to_string(daemon.pid())});
}

void expect_success(const std::string& name, const ProcessEnd& end) {
  cr_expect_eq(end.exit_status, 0, "%s ended with exit status %d, signal %d: %s%s", name.c_str(), end.exit_status, end.signal,
               end.error.c_str(), end.output.c_str());
}

}  // namespace

// The names come from the program, so that none can be forgotten here.
Test(c_interface, every_scenario_succeeds) {
  const ProcessEnd names = run({scenarios_program()});
  cr_assert_eq(names.exit_status, 0);
  std::istringstream lines(names.output);
  int count = 0;
  for (std::string name; std::getline(lines, name); ++count) {
    if (name == "the_daemon_is_killed") continue;
    RealDaemon daemon;
    expect_success(name, run_scenario(name, daemon));
  }
  cr_assert_gt(count, 20);
}

Test(c_interface, a_daemon_that_is_killed_is_a_lost_connection) {
  RealDaemon daemon;
  expect_success("the_daemon_is_killed", run_scenario("the_daemon_is_killed", daemon));
  daemon.kill();
}

// The tests above can fail: this is how.
Test(c_interface, a_scenario_without_a_daemon_fails) {
  const ProcessEnd end = run({scenarios_program(), "values_come_back_exactly", "/nowhere/s", "0"});
  cr_assert_eq(end.exit_status, 1);
  cr_assert(contains(end.error, "there is no socket at /nowhere/s"), "%s", end.error.c_str());
}
