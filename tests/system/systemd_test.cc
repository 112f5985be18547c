// The units of systemd/, and the daemon's side of systemd's protocol: inherited socket, readiness, watchdog,
// stopping.
#include <criterion/criterion.h>

#include <csignal>
#include <filesystem>

#include "tests/support/build_paths.h"
#include "tests/system/real_client.h"

using namespace skua;
using namespace skua::test;

namespace {

std::string unit(std::string_view name) { return read_file(source_path("systemd/") + std::string(name)); }

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  const std::size_t at = text.find(what);
  require(at != std::string::npos, "no " + std::string(what));
  return text.replace(at, what.size(), with);
}

}  // namespace

Test(systemd, units_pass_verification_in_silence) {
  const TemporaryDirectory directory;
  // Verification wants the program to be there.
  const std::string service =
      directory.write("skua.service", replaced(unit("skua.service"), "/usr/bin/skuad", program_path("skuad")));
  const std::string socket = directory.write("skua.socket", unit("skua.socket"));
  const ProcessEnd outcome = run({"systemd-analyze", "verify", "--man=no", service, socket});
  cr_assert_eq(outcome.exit_status, 0, "%s", outcome.error.c_str());
  cr_assert(outcome.output.empty() && outcome.error.empty(), "%s%s", outcome.output.c_str(),
            outcome.error.c_str());
}

Test(systemd, the_user_can_be_created) {
  const TemporaryDirectory directory;
  const std::string file = directory.write("skua.conf", unit("skua.sysusers"));
  const ProcessEnd outcome = run({"systemd-sysusers", "--dry-run", "--root=" + directory.path(), file});
  cr_assert_eq(outcome.exit_status, 0, "%s", outcome.error.c_str());
  cr_assert(contains(outcome.error, "Creating user 'skua'"), "%s", outcome.error.c_str());
}

Test(systemd, the_example_configuration_passes_the_check) {
  const ProcessEnd outcome =
      run({program_path("skuad"), "--config", source_path("systemd/skua.toml"), "--check-config"});
  cr_assert_eq(outcome.exit_status, 0, "%s", outcome.error.c_str());
}

Test(systemd, an_inherited_socket_is_served_and_every_state_is_told) {
  const TemporaryDirectory directory;
  NotifySocket notify(directory / "n");
  const std::string socket = directory / "s";
  // The configuration's own socket gives way to the inherited one.
  const std::string config =
      directory.write("skua.toml", "socket = \"" + (directory / "unused") + "\"\n[databases.main]\nfile = \"" +
                                       (directory / "main.db") + "\"\n");
  const std::map<std::string, std::string> environment{
      {"NOTIFY_SOCKET", notify.path()}, {"WATCHDOG_USEC", "200000"}, {"ASAN_OPTIONS", "detect_leaks=1"}};
  Process activate({"systemd-socket-activate", "-l", socket, "-E", "NOTIFY_SOCKET", "-E", "WATCHDOG_USEC", "-E",
                    "ASAN_OPTIONS", program_path("skuad"), "--config", config},
                   {.environment = environment, .unset = {"WATCHDOG_PID"}});
  // It starts the daemon at the first connection. Until it listens there is nothing to connect to.
  activate.read_error_until("Listening on");
  ConnectOptions options;
  options.socket_path = socket;
  Connection connection = must(Connection::connect(options));
  notify.wait_for("READY=1", activate);
  notify.wait_for("STATUS=", activate);
  cr_assert(ask(connection, "SELECT 1 + 1") == "2");
  cr_assert(!std::filesystem::exists(directory / "unused"));
  for (int i = 0; i < 3; ++i) {
    notify.forget();
    notify.wait_for("WATCHDOG=1", activate);
  }
  activate.send_signal(SIGTERM);
  notify.wait_for("STOPPING=1", activate);
  const ProcessEnd outcome = activate.wait();
  cr_assert_eq(outcome.exit_status, 0, "%d %d %s", outcome.exit_status, outcome.signal, outcome.error.c_str());
  cr_assert(!has_sanitizer_report(outcome.error), "%s", outcome.error.c_str());
  cr_assert(std::filesystem::exists(socket), "an inherited socket is systemd's to remove");
}

Test(systemd, the_watchdog_is_silent_when_nobody_asked_for_it) {
  RealDaemon daemon;
  Connection connection = connect(daemon);
  for (int i = 0; i < 100; ++i) ask(connection, "SELECT 1");
  daemon.process().send_signal(SIGTERM);
  daemon.notify().wait_for("STOPPING=1", daemon.process());
  cr_assert(!contains(daemon.notify().received(), "WATCHDOG=1"));
  daemon.wait_for_end();
}
