#include "client/src/apart_from_daemon.h"

#include <sched.h>
#include <sys/sysinfo.h>

#include <algorithm>

#include "protocol/shared_rings.h"

namespace skua {

namespace {

constexpr std::uint64_t kRestMaxUs = 4'000'000;
constexpr std::uint64_t kRestTimes = 8;
// Once may be by chance: the kernel moves the other one, too.
constexpr std::uint32_t kPollsBeside = 2;

// Whether it is somewhere else now.
bool leave(std::size_t core) {
  static const int cores = ::get_nprocs();
  cpu_set_t before;
  if (cores < 2 || ::sched_getaffinity(0, sizeof(before), &before) != 0 || CPU_COUNT(&before) < cores) return false;
  cpu_set_t others = before;
  CPU_CLR(core, &others);
  if (::sched_setaffinity(0, sizeof(others), &others) != 0) return false;
  ::sched_setaffinity(0, sizeof(before), &before);
  return true;
}

}  // namespace

bool ApartFromDaemon::is_beside(std::uint32_t daemon_core, std::uint64_t now_us) {
  if (daemon_core == 0 || core_here() != daemon_core) {
    polls_beside_ = 0;
    return false;
  }
  if (++polls_beside_ < kPollsBeside || now_us < next_move_us_) return true;
  next_move_us_ = now_us + rest_us_;
  rest_us_ = std::max(rest_us_ / 2, kRestMinUs);
  return !leave(daemon_core - 1);
}

void ApartFromDaemon::on_core_lost(std::uint64_t now_us) {
  rest_us_ = std::min(rest_us_ * kRestTimes, kRestMaxUs);
  next_move_us_ = now_us + rest_us_;
}

}  // namespace skua
