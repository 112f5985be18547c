// How figures and names are written in text and HTML. Any thread.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/contest.h"
#include "bench/statistics.h"

namespace skua::bench {

inline double seconds_of(std::chrono::nanoseconds duration) { return std::chrono::duration<double>(duration).count(); }

// "5 rounds", "1 round".
inline std::string counted(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

// In the unit that leaves three digits or fewer before the point.
inline std::string latency_text(double us) {
  if (us < 1'000) return fmt::format("{:.0f} us", us);
  if (us < 1'000'000) return fmt::format("{:.{}f} ms", us / 1'000, us < 10'000 ? 1 : 0);
  return fmt::format("{:.1f} s", us / 1'000'000);
}

// A dash where nothing is known of single operations.
inline std::string quantile_text(const LatencyHistogram& latencies, double share) {
  return latencies.count() == 0 ? "-" : latency_text(latencies.quantile_us(share));
}

// Microseconds of the processor for each operation.
inline std::string cpu_text(std::optional<double> seconds, std::uint64_t operations) {
  if (!seconds || operations == 0) return "-";
  const double us = *seconds * 1e6 / static_cast<double>(operations);
  return fmt::format("{:.{}f}", us, us < 10 ? 1 : 0);
}

inline std::string mebibytes_text(std::optional<std::uint64_t> bytes) {
  return bytes ? fmt::format("{:.0f}", static_cast<double>(*bytes) / (1 << 20)) : "-";
}

inline std::string name_of(const ContestantResult& contestant) {
  return contestant.threads > 0 ? fmt::format("{} ({})", contestant.name, contestant.threads) : contestant.name;
}

// Calls `take` for each role of a contest once, whatever the number of scenes it is in.
template <class Take>
void for_each_role(const ContestResult& result, Take&& take) {
  std::vector<std::string_view> seen;
  for (const SceneResult& scene : result.contestants.front().scenes) {
    for (const RoleResult& role : scene.roles) {
      if (std::find(seen.begin(), seen.end(), role.role) != seen.end()) continue;
      seen.push_back(role.role);
      take(role);
    }
  }
}

// "32 clients", or "32 read, 8 write, 2 scan".
inline std::string clients_text(const ContestResult& result) {
  if (!result.has_roles()) return counted(result.clients, "client");
  std::string out;
  for_each_role(result, [&out](const RoleResult& role) {
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", role.clients, role.role);
  });
  return out;
}

// "read, mixed", or nothing.
inline std::string part_text(std::string_view role, std::string_view scene) {
  return fmt::format("{}{}{}", role, role.empty() || scene.empty() ? "" : ", ", scene);
}

// "1.83  (1.50 to 2.20 over 5 rounds)".
inline std::string ratios_text(const std::vector<double>& ratios) {
  const Spread spread = spread_of(ratios);
  return fmt::format("{:.2f}  ({:.2f} to {:.2f} over {})", spread.median, spread.min, spread.max,
                     counted(ratios.size(), "round"));
}

// "read p99, mixed / alone".
inline std::string goal_text(const GoalResult& goal) {
  return fmt::format("{} p99, {} / {}", goal.role, goal.scene, goal.base_scene);
}

}  // namespace skua::bench
