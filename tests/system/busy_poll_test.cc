// Busy polling by the real daemon and the real client: who sleeps, and who does not.
#include <criterion/criterion.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/resource.h>

#include <chrono>
#include <string_view>
#include <thread>
#include <vector>

#include "protocol/busy_poll.h"
#include "tests/support/temporary_directory.h"
#include "tests/system/real_client.h"

using namespace skua;
using namespace skua::test;

namespace {

constexpr std::size_t kPings = 2'000;
constexpr std::size_t kWaits = 500;
constexpr std::string_view kMoment =  // some 100 us
    "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 1000) SELECT max(x) FROM c";

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

// The daemon and this thread each on a core of its own, whatever else runs there: on one core they would take turns, and who
// does not poll would not sleep either. Only once they are connected, for who may use but one core does not poll.
class Parted {
 public:
  explicit Parted(const RealDaemon& daemon) {
    cr_assert_eq(::sched_getaffinity(0, sizeof(before_), &before_), 0);
    std::vector<std::size_t> cores;
    for (std::size_t core = 0; core < CPU_SETSIZE; ++core) {
      if (CPU_ISSET(core, &before_)) cores.push_back(core);
    }
    pin(0, cores.at(0));
    pin(daemon.pid(), cores.at(1));
  }
  Parted(const Parted&) = delete;
  Parted& operator=(const Parted&) = delete;
  ~Parted() { ::sched_setaffinity(0, sizeof(before_), &before_); }

 private:
  static void pin(pid_t thread, std::size_t core) {
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(core, &cores);
    cr_assert_eq(::sched_setaffinity(thread, sizeof(cores), &cores), 0);
  }

  cpu_set_t before_;
};

// How often the daemon slept while requests came that were near, but never there at once.
std::size_t daemon_sleeps(std::uint32_t busy_poll_us) {
  RealDaemon daemon(options_of(busy_poll_us));
  Connection connection = connect_polling(daemon, 0);
  ping(connection, 10);
  const Parted parted(daemon);
  const std::size_t before = daemon.sleep_count();
  for (std::size_t i = 0; i < kWaits; ++i) {
    must(connection.ping());
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  return daemon.sleep_count() - before;
}

std::size_t own_sleeps() {
  rusage usage{};
  ::getrusage(RUSAGE_THREAD, &usage);
  return static_cast<std::size_t>(usage.ru_nvcsw);
}

// How often the client slept while it waited for answers that took a moment.
std::size_t client_sleeps(std::uint32_t busy_poll_us) {
  RealDaemon daemon(options_of(0));
  Connection connection = connect_polling(daemon, busy_poll_us);
  ping(connection, 10);
  const Parted parted(daemon);
  const std::size_t before = own_sleeps();
  for (std::size_t i = 0; i < kWaits; ++i) {
    must(connection.execute(kMoment));
  }
  return own_sleeps() - before;
}

// Beside other work somebody may lose the core at any time, so one of a few tries must show it. Without busy polling none
// could: with and without would be the same.
template <class Sleeps>
void expect_to_spare_sleeps(Sleeps sleeps) {
  if (busy_poll_us_here(1) == 0) return;
  std::size_t without = 0;
  std::size_t with = 0;
  for (int tries = 0; tries < 10; ++tries) {
    without = sleeps(0);
    with = sleeps(10'000);
    if (without > kWaits / 2 && with < kWaits / 4) return;
  }
  cr_assert_fail("%zu sleeps with busy polling, %zu without, in %zu waits", with, without, kWaits);
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
