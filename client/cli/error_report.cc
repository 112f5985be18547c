#include "client/cli/error_report.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "client/cli/cell_text.h"

namespace skua::cli {

namespace {

// Of a long line only this many bytes on either side of the place are shown.
constexpr std::size_t kExcerptBytes = 56;

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }

// Two lines: the SQL and the caret.
std::string caret_excerpt(std::string_view sql, std::size_t offset) {
  const std::size_t before = sql.substr(0, offset).rfind('\n');
  std::size_t start = before == std::string_view::npos ? 0 : before + 1;
  std::size_t end = std::min(sql.find('\n', offset), sql.size());
  const bool cut_start = offset - start > kExcerptBytes;
  const bool cut_end = end - offset > kExcerptBytes;
  if (cut_start) start = offset - kExcerptBytes;
  if (cut_end) end = offset + kExcerptBytes;
  while (start < offset && is_continuation(sql[start])) ++start;
  while (end < sql.size() && is_continuation(sql[end])) ++end;
  const std::string left =
      (cut_start ? "..." : "") + printable(sql.substr(start, offset - start), LineEnds::kEscape);
  const std::string whole = (cut_start ? "..." : "") +
                            printable(sql.substr(start, end - start), LineEnds::kEscape) +
                            (cut_end ? "..." : "");
  return fmt::format("\n  {}\n  {}^", whole, std::string(display_width(left), ' '));
}

}  // namespace

std::string error_report(const Error& error, const StatementPlace& place) {
  const bool knows_offset = error.sql_offset >= 0 &&
                            static_cast<std::size_t>(error.sql_offset) <= place.sql.size() &&
                            !place.sql.empty();
  const std::size_t offset = knows_offset ? static_cast<std::size_t>(error.sql_offset) : 0;
  std::string message;
  if (!place.source.empty()) {
    const std::string_view before = place.sql.substr(0, offset);
    const auto lines = static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
    message = fmt::format("{}:{}: ", place.source, place.line + lines);
  }
  message += error.message;
  if (knows_offset) message += caret_excerpt(place.sql, offset);
  return error_report(message);
}

std::string error_report(std::string_view message) { return fmt::format("skua: error: {}", message); }

void print_status(std::string_view text) {
  std::string line = printable(text, LineEnds::kKeep);
  line += '\n';
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, rest.data(), rest.size());
    // There is nobody left to tell.
    if (written < 0) return;
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace skua::cli
