// ImportStart: takes off the start of a file what is no data: a byte order mark, and the lines to skip.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace skua::cli {

class ImportStart {
 public:
  explicit ImportStart(std::uint64_t skip_lines) : lines_left_(skip_lines) {}

  // What of this piece is data. Lives as long as the piece, and until the next call.
  std::string_view take(std::string_view piece);
  // At the end of a file that is shorter than a byte order mark.
  std::string_view rest();

 private:
  std::string_view after_lines(std::string_view text);

  std::uint64_t lines_left_;
  bool mark_is_settled_ = false;
  std::string first_bytes_;  // until there are enough to tell
};

}  // namespace skua::cli
