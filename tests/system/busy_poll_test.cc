// Busy polling by the real daemon and the real client: who sleeps, and who does not.
#include <criterion/criterion.h>
#include <fmt/format.h>
#include <sys/resource.h>

#include <chrono>
#include <thread>

#include "protocol/busy_poll.h"
#include "tests/support/temporary_directory.h"
#include "tests/system/real_client.h"

using namespace skua;
using namespace skua::test;

namespace {

constexpr std::size_t kPings = 2'000;

RealDaemon::Options options_of(std::uint32_t busy_poll_us) {
  return {.config = fmt::format("[databases.main]\nfile = \"main.db\"\n[limits]\nbusy_poll_us = {}\n", busy_poll_us)};
}

Connection connect_polling(const RealDaemon& daemon, std::uint32_t busy_poll_us) {
  ConnectOptions options;
  options.socket_path = daemon.socket_path();
  options.busy_poll_us = busy_poll_us;
  return must(Connection::connect(options));
}

void ping(Connection& connection, std::size_t times) {
  for (std::size_t i = 0; i < times; ++i) must(connection.ping());
}

// How often the daemon slept while it was pinged.
std::size_t daemon_sleeps(std::uint32_t busy_poll_us) {
  RealDaemon daemon(options_of(busy_poll_us));
  Connection connection = connect_polling(daemon, 0);
  ping(connection, 10);
  const std::size_t before = daemon.sleep_count();
  ping(connection, kPings);
  return daemon.sleep_count() - before;
}

std::size_t own_sleeps() {
  rusage usage{};
  ::getrusage(RUSAGE_THREAD, &usage);
  return static_cast<std::size_t>(usage.ru_nvcsw);
}

// How often the client slept while it waited for its pings.
std::size_t client_sleeps(std::uint32_t busy_poll_us) {
  RealDaemon daemon(options_of(0));
  Connection connection = connect_polling(daemon, busy_poll_us);
  ping(connection, 10);
  const std::size_t before = own_sleeps();
  ping(connection, kPings);
  return own_sleeps() - before;
}

// Who does not poll need not sleep either, where the other side shares its core: then both take turns. So it is looked for
// until it is seen.
template <class Sleeps>
void expect_to_spare_sleeps(Sleeps sleeps) {
  if (busy_poll_us_here(1) == 0) return;
  std::size_t without = 0;
  for (int tries = 0; tries < 20 && without < kPings / 4; ++tries) without = sleeps(0);
  cr_assert_geq(without, kPings / 4, "it hardly ever sleeps: this test shows nothing here");
  const std::size_t with = sleeps(10'000);
  cr_assert_lt(with, kPings / 8, "%zu sleeps with busy polling, %zu without", with, without);
}

}  // namespace

Test(busy_poll, the_daemon_does_not_sleep_between_requests_that_are_near) { expect_to_spare_sleeps(daemon_sleeps); }

Test(busy_poll, the_client_does_not_sleep_for_answers_that_are_near) { expect_to_spare_sleeps(client_sleeps); }

Test(busy_poll, the_daemon_sleeps_when_nothing_comes) {
  RealDaemon daemon(options_of(10'000));
  Connection connection = connect_polling(daemon, 10'000);
  ping(connection, kPings);
  // Until it has given up to poll, and what it does once it is idle is done.
  std::this_thread::sleep_for(std::chrono::milliseconds(1'500));
  const auto used_ms = [&] { return std::stoull(read_file(fmt::format("/proc/{}/schedstat", daemon.pid()))) / 1'000'000; };
  const auto before = used_ms();
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  cr_assert_lt(used_ms() - before, 50u);
}

Test(busy_poll, what_is_stopped_while_it_polls_ends) {
  RealDaemon daemon(options_of(10'000));
  Connection connection = connect_polling(daemon, 10'000);
  ping(connection, kPings);
  daemon.stop();
  expect_error(connection.ping(), ErrorCode::kLost);
}
