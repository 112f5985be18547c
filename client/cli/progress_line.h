// ProgressLine: one line on standard error that is written over and over while an import or a backup runs. Only on a
// terminal. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

namespace skua::cli {

class ProgressLine {
 public:
  // `total_bytes` is 0 if unknown.
  ProgressLine(bool enabled, std::uint64_t total_bytes);
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ~ProgressLine() { clear(); }

  void show(std::uint64_t rows, std::uint64_t bytes);
  // Instead: any text.
  void show(std::string_view text);
  // Leaves the line empty for what is to be printed next.
  void clear();

 private:
  // True a few times a second.
  bool is_due();
  using Clock = std::chrono::steady_clock;

  const bool enabled_;
  const std::uint64_t total_bytes_;
  const Clock::time_point start_ = Clock::now();
  Clock::time_point last_shown_ = start_;
  bool visible_ = false;
};

}  // namespace skua::cli
