#include "protocol/locks.h"

#include <fmt/format.h>

namespace skua {

namespace {

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }

bool is_white_space(char byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }

}  // namespace

std::string_view cut_text(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  // No character has more than four bytes; what has more continuations is no UTF-8, and cut anywhere.
  while (end > 0 && bytes_max - end < 3 && is_continuation(text[end])) --end;
  return text.substr(0, is_continuation(text[end]) ? bytes_max : end);
}

std::string one_line(std::string_view sql, std::size_t bytes_max) {
  std::string line;
  bool in_space = true;
  for (const char byte : sql) {
    if (!is_white_space(byte)) line += byte;
    if (is_white_space(byte) && !in_space) line += ' ';
    in_space = is_white_space(byte);
  }
  if (!line.empty() && line.back() == ' ') line.pop_back();
  if (line.size() <= bytes_max) return line;
  return std::string(cut_text(line, bytes_max)) + "…";
}

std::string duration_text(std::uint64_t us) {
  constexpr std::uint64_t kSecondUs = 1'000'000;
  const std::uint64_t seconds = us / kSecondUs;
  if (us < 10'000) return fmt::format("{:.1f} ms", static_cast<double>(us) / 1e3);
  if (us < kSecondUs) return fmt::format("{} ms", us / 1000);
  // Whole tenths, so that nothing is rounded up to a second that has not passed.
  if (seconds < 120) return fmt::format("{}.{} s", seconds, us / 100'000 % 10);
  if (seconds < 3600) return fmt::format("{} min {} s", seconds / 60, seconds % 60);
  return fmt::format("{} h {} min", seconds / 3600, seconds / 60 % 60);
}

std::string peer_text(const std::optional<LockPeer>& peer) {
  if (!peer) return "a session that is gone";
  return fmt::format("session {} ({}{}pid {}, uid {})", peer->session, peer->command,
                     peer->command.empty() ? "" : ", ", peer->pid, peer->uid);
}

}  // namespace skua
