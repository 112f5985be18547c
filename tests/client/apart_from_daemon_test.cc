// ApartFromDaemon, on the real cores of this machine.
#include "client/src/apart_from_daemon.h"

#include <criterion/criterion.h>
#include <sched.h>

#include <cstdint>
#include <thread>

#include "protocol/shared_rings.h"

using namespace skua;

namespace {

cpu_set_t allowed_cores() {
  cpu_set_t cores;
  cr_assert_eq(::sched_getaffinity(0, sizeof(cores), &cores), 0);
  return cores;
}

// In a thread of its own, whose cores nobody else depends on. Not where there is one core only: nobody is to be moved there.
template <class Body>
void in_a_thread(Body body) {
  std::thread([&] {
    const cpu_set_t cores = allowed_cores();
    if (CPU_COUNT(&cores) > 1) body();
  }).join();
}

// The kernel may move a thread at any time. True if one of a few tries shows it.
template <class Try>
bool shows(Try attempt) {
  for (int tries = 0; tries < 20; ++tries) {
    if (attempt()) return true;
  }
  return false;
}

}  // namespace

Test(apart_from_daemon, leaves_the_core_of_the_daemon_and_may_run_where_it_might_before) {
  in_a_thread([] {
    const cpu_set_t before = allowed_cores();
    cr_assert(shows([] {
      ApartFromDaemon apart;
      const std::uint32_t core = core_here();
      apart.is_beside(core, 1'000'000);
      const bool was_beside = apart.is_beside(core, 1'000'000);
      return !was_beside && core_here() != core;
    }));
    const cpu_set_t after = allowed_cores();
    cr_assert(CPU_EQUAL(&before, &after));
  });
}

Test(apart_from_daemon, stays_where_somebody_has_put_it) {
  in_a_thread([] {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(core_here() - 1, &one);
    cr_assert_eq(::sched_setaffinity(0, sizeof(one), &one), 0);
    ApartFromDaemon apart;
    for (std::uint64_t now_us = 1'000'000; now_us < 10'000'000; now_us += 100'000) cr_assert(apart.is_beside(core_here(), now_us));
    const cpu_set_t after = allowed_cores();
    cr_assert(CPU_EQUAL(&one, &after));
  });
}

Test(apart_from_daemon, is_not_beside_a_daemon_that_is_elsewhere_or_does_not_tell) {
  in_a_thread([] {
    ApartFromDaemon apart;
    for (std::uint64_t now_us = 1'000'000; now_us < 2'000'000; now_us += 100'000) {
      cr_assert(!apart.is_beside(0, now_us));
      cr_assert(!apart.is_beside(100'000, now_us), "there is no such core");
    }
  });
}

Test(apart_from_daemon, hardly_tries_any_more_where_the_other_core_is_kept) {
  in_a_thread([] {
    ApartFromDaemon apart;
    std::uint64_t now_us = 1'000'000;
    for (int losses = 0; losses < 10; ++losses) apart.on_core_lost(now_us);
    for (; now_us < 4'900'000; now_us += 100'000) {
      const std::uint32_t core = core_here();
      // Not beside it only if the kernel has moved this thread in between.
      cr_assert(apart.is_beside(core, now_us) || core_here() != core);
    }
    now_us = 6'000'000;
    cr_assert(shows([&] {
      const std::uint32_t core = core_here();
      return !apart.is_beside(core, now_us += 10'000'000) && core_here() != core;
    }), "but it does");
  });
}
