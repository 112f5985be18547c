#include "client/cli/progress_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include "client/cli/terminal.h"

namespace skua::cli {

namespace {

constexpr auto kInterval = std::chrono::milliseconds(200);

// Returns to the start of the line and clears it (ECMA-48, EL).
constexpr std::string_view kClearLine = "\r\033[K";

void write_to_terminal(std::string_view text) {
  // Progress that cannot be shown is not worth an error.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace

ProgressLine::ProgressLine(bool enabled, std::uint64_t total_bytes)
    : enabled_(enabled && is_terminal(STDERR_FILENO)), total_bytes_(total_bytes) {}

bool ProgressLine::is_due() {
  const Clock::time_point now = Clock::now();
  if (!enabled_ || now - last_shown_ < kInterval) return false;
  last_shown_ = now;
  visible_ = true;
  return true;
}

void ProgressLine::show(std::string_view text) {
  if (is_due()) write_to_terminal(fmt::format("{}{}", kClearLine, text));
}

void ProgressLine::show(std::uint64_t rows, std::uint64_t bytes) {
  if (!is_due()) return;
  const double seconds = std::chrono::duration<double>(last_shown_ - start_).count();
  const double megabytes = static_cast<double>(bytes) / 1e6;
  std::string line =
      fmt::format("{}{} rows, {:.1f} MB, {:.1f} MB/s", kClearLine, rows, megabytes, megabytes / seconds);
  if (total_bytes_ > 0) {
    fmt::format_to(std::back_inserter(line), ", {:.0f}%",
                   100 * static_cast<double>(bytes) / static_cast<double>(total_bytes_));
  }
  write_to_terminal(line);
}

void ProgressLine::clear() {
  if (visible_) write_to_terminal(kClearLine);
  visible_ = false;
}

}  // namespace skua::cli
