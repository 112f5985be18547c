#include "bench/process_usage.h"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace skua::bench {

namespace {

struct ProcessTimes {
  pid_t parent = 0;
  std::uint64_t own_ticks = 0;
  std::uint64_t waited_for_ticks = 0;  // of children that have ended
};

std::optional<ProcessTimes> times_of(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  // The second field is the command in parentheses, and may hold anything.
  const std::size_t command_end = line.rfind(')');
  if (command_end == std::string::npos) return std::nullopt;
  std::istringstream rest(line.substr(command_end + 1));
  ProcessTimes times;
  std::string skipped;
  rest >> skipped >> times.parent;
  for (int field = 5; field <= 13; ++field) rest >> skipped;
  std::uint64_t user = 0;
  std::uint64_t system = 0;
  std::uint64_t children_user = 0;
  std::uint64_t children_system = 0;
  rest >> user >> system >> children_user >> children_system;
  if (!rest) return std::nullopt;
  times.own_ticks = user + system;
  times.waited_for_ticks = children_user + children_system;
  return times;
}

std::vector<ProcessTimes> children_of(pid_t parent) {
  std::vector<ProcessTimes> children;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    const std::string name = entry.path().filename().string();
    pid_t pid = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), pid).ec != std::errc()) continue;
    const std::optional<ProcessTimes> times = times_of(pid);
    if (times && times->parent == parent) children.push_back(*times);
  }
  return children;
}

// A line of proc(5)'s status that is a size, such as "VmRSS:".
std::optional<std::uint64_t> status_bytes(pid_t pid, std::string_view field) {
  std::ifstream file(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(field)) return std::stoull(line.substr(field.size())) * 1024;
  }
  return std::nullopt;
}

}  // namespace

double cpu_seconds(pid_t server) {
  const ProcessTimes root = times_of(server).value_or(ProcessTimes{});
  std::uint64_t ticks = root.own_ticks + root.waited_for_ticks;
  for (const ProcessTimes& child : children_of(server)) ticks += child.own_ticks;
  return static_cast<double>(ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

std::optional<std::uint64_t> peak_memory_bytes(pid_t server) {
  if (!children_of(server).empty()) return std::nullopt;
  return status_bytes(server, "VmHWM:");
}

std::uint64_t resident_bytes(pid_t server) { return status_bytes(server, "VmRSS:").value_or(0); }

void forget_peak_memory(pid_t server) { std::ofstream(fmt::format("/proc/{}/clear_refs", server)) << "5\n"; }

}  // namespace skua::bench
