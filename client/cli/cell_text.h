// Text made safe and measurable for a terminal: what the table formats put into their cells, and what error
// messages quote.
//
// Nothing that is printed this way can move the cursor, change colours or reverse the reading direction:
// control characters become ^X, other characters without a shape <U+202E>, bytes that are not UTF-8 <FF>, as
// `less` shows them. Any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace skua::cli {

enum class LineEnds {
  kKeep,    // a line feed starts a new line of the cell
  kEscape,  // everything stays on one line
};

// Tabs become spaces up to the next multiple of eight columns.
std::string printable(std::string_view text, LineEnds line_ends);

// In columns of a terminal: wide East Asian characters and emoji take two, combining marks none.
std::size_t display_width(std::string_view printable_line);

// The lines of a printable text, each no wider than the limit unless a single character is; broken at spaces
// where that does not waste half a line. No limit: width 0.
std::vector<std::string_view> lines_of(std::string_view printable_text, std::size_t width);

// The width of the widest line.
std::size_t widest_line(std::string_view printable_text);

}  // namespace skua::cli
