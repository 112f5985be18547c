#include "bench/environment.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <semaphore>
#include <thread>
#include <vector>

#include "bench/statistics.h"

namespace skua::bench {

namespace {

using Clock = std::chrono::steady_clock;

// statfs(2) lists the numbers.
std::string file_system_of(const std::string& directory) {
  struct statfs info {};
  if (::statfs(directory.c_str(), &info) != 0) return "unknown";
  switch (static_cast<unsigned long>(info.f_type)) {
    case 0x01021994:
      return "tmpfs";
    case 0xef53:
      return "ext4";
    case 0x58465342:
      return "xfs";
    case 0x9123683e:
      return "btrfs";
    case 0x794c7630:
      return "overlayfs";
    case 0x2fc12fc1:
      return "zfs";
    case 0x65735546:
      return "fuse";
    default:
      return fmt::format("type {:#x}", static_cast<unsigned long>(info.f_type));
  }
}

std::string cpu_model() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) return line.substr(std::min(line.find(':') + 2, line.size()));
  }
  return "unknown";
}

double syscall_ns() {
  constexpr int kCalls = 2'000;
  std::vector<double> costs_ns;
  for (int batch = 0; batch < 21; ++batch) {
    const Clock::time_point begin = Clock::now();
    for (int i = 0; i < kCalls; ++i) ::syscall(SYS_getppid);
    costs_ns.push_back(std::chrono::duration<double, std::nano>(Clock::now() - begin).count() / kCalls);
  }
  return spread_of(costs_ns).median;
}

// The other thread is asleep, and so is its core if nothing else runs there: what a hand-over costs a machine with
// little to do.
double wake_up_us() {
  constexpr int kWakes = 51;
  std::vector<double> costs_us;
  std::binary_semaphore wake(0);
  std::binary_semaphore awake(0);
  Clock::time_point begin;
  std::thread sleeper([&] {
    for (int i = 0; i < kWakes; ++i) {
      wake.acquire();
      costs_us.push_back(std::chrono::duration<double, std::micro>(Clock::now() - begin).count());
      awake.release();
    }
  });
  for (int i = 0; i < kWakes; ++i) {
    std::this_thread::sleep_for(std::chrono::microseconds(200));
    begin = Clock::now();
    wake.release();
    awake.acquire();
  }
  sleeper.join();
  return spread_of(costs_us).median;
}

// In turns, so that a disk that changes its mind changes it for all of them.
SyncCosts sync_costs(const std::string& directory) {
  constexpr std::size_t kFileBytes = 1 << 20;
  constexpr std::size_t kWriteBytes = 8 << 10;
  constexpr int kRounds = 51;
  const std::string path = directory + "/fdatasync";
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return {};
  const std::vector<char> zeros(kFileBytes);
  bool good = ::pwrite(fd, zeros.data(), kFileBytes, 0) == static_cast<ssize_t>(kFileBytes) && ::fsync(fd) == 0;
  const auto cost_at = [&](off_t offset) {
    good = good && ::pwrite(fd, zeros.data(), kWriteBytes, offset) == static_cast<ssize_t>(kWriteBytes);
    const Clock::time_point begin = Clock::now();
    good = good && ::fdatasync(fd) == 0;
    return std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
  };
  std::vector<double> in_place;
  std::vector<double> after_stat;
  std::vector<double> growing;
  for (int i = 0; good && i < kRounds; ++i) {
    growing.push_back(cost_at(static_cast<off_t>(kFileBytes + static_cast<std::size_t>(i) * kWriteBytes)));
    cost_at(0);  // what the turn before left to be synced is not this one's
    in_place.push_back(cost_at(0));
    struct stat status {};
    good = good && ::fstat(fd, &status) == 0;
    after_stat.push_back(cost_at(0));
  }
  ::close(fd);
  ::unlink(path.c_str());
  if (!good) return {};
  return {spread_of(in_place).median, spread_of(after_stat).median, spread_of(growing).median};
}

}  // namespace

LoadAverage load_average() {
  LoadAverage load;
  std::ifstream("/proc/loadavg") >> load.minutes_1 >> load.minutes_5 >> load.minutes_15;
  return load;
}

Environment look_around(const std::string& directory) {
  Environment environment;
  environment.cpu = cpu_model();
  environment.cores = static_cast<unsigned>(::sysconf(_SC_NPROCESSORS_ONLN));
  environment.memory_gib = static_cast<double>(::sysconf(_SC_PHYS_PAGES)) *
                           static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1024.0 * 1024.0 * 1024.0);
  utsname name{};
  if (::uname(&name) == 0) environment.kernel = fmt::format("{} {}", name.sysname, name.release);
  environment.file_system = file_system_of(directory);
  environment.compiler = __VERSION__;
  environment.build_type = SKUA_BENCH_BUILD_TYPE;
  environment.peer_sqlite = sqlite3_libversion();
  environment.syscall_ns = syscall_ns();
  environment.wake_up_us = wake_up_us();
  environment.sync = sync_costs(directory);
  environment.load = load_average();
  return environment;
}

}  // namespace skua::bench
