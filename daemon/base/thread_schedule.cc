#include "daemon/base/thread_schedule.h"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

namespace skua {

namespace {

constexpr std::uint64_t kSliceNs = 100'000;  // the shortest there is
constexpr std::int32_t kNicerBy = 5;
constexpr std::int32_t kNiceMax = 19;

// struct sched_attr of sched_setattr(2), which this glibc does not declare; linux/sched/types.h cannot stand beside sched.h.
struct SchedulingAttributes {
  std::uint32_t size = sizeof(SchedulingAttributes);
  std::uint32_t policy = 0;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime_ns = 0;
  std::uint64_t deadline_ns = 0;
  std::uint64_t period_ns = 0;
};

void schedule(std::int32_t nicer_by) {
  SchedulingAttributes attributes;
  if (::syscall(SYS_sched_getattr, 0, &attributes, sizeof(attributes), 0) != 0) return;
  // Whoever started the daemon with another policy knows why.
  if (attributes.policy != SCHED_OTHER) return;
  attributes.size = sizeof(attributes);
  attributes.nice = std::min(attributes.nice + nicer_by, kNiceMax);
  attributes.runtime_ns = kSliceNs;
  ::syscall(SYS_sched_setattr, 0, &attributes, 0);
}

}  // namespace

void schedule_promptly() { schedule(0); }
void schedule_behind_others() { schedule(kNicerBy); }

}  // namespace skua
