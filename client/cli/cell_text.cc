#include "client/cli/cell_text.h"

#include <fmt/format.h>
#include <utf8proc.h>

#include <algorithm>

namespace skua::cli {

namespace {

constexpr std::size_t kTabColumns = 8;

struct Character {
  utf8proc_int32_t code_point = -1;  // -1: the byte is not UTF-8
  std::size_t size = 1;              // in bytes
};

// The text must not be empty.
Character first_character(std::string_view text) {
  if (static_cast<unsigned char>(text[0]) < 0x80) return {text[0], 1};
  utf8proc_int32_t code_point = -1;
  // No character has more than four bytes.
  const utf8proc_ssize_t size =
      utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                       static_cast<utf8proc_ssize_t>(std::min<std::size_t>(text.size(), 4)), &code_point);
  if (size <= 0) return {};
  return {code_point, static_cast<std::size_t>(size)};
}

bool is_ascii_graphic(char byte) { return byte >= 0x20 && byte < 0x7f; }

// C1 controls, line and paragraph separators, and the marks that reverse the order of what follows.
bool is_harmful(utf8proc_int32_t c) {
  return (c >= 0x80 && c <= 0x9f) || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

std::size_t width_of(const Character& character) {
  if (character.code_point < 0) return 1;
  return static_cast<std::size_t>(std::max(0, utf8proc_charwidth(character.code_point)));
}

// What is shown in place of a character that would not be harmless; empty if it is harmless.
std::string stand_in_for(const Character& character, std::string_view bytes) {
  if (character.code_point < 0) return fmt::format("<{:02X}>", static_cast<unsigned char>(bytes[0]));
  if (character.code_point < 0x20 || character.code_point == 0x7f) {
    return {'^', static_cast<char>(character.code_point ^ 0x40)};
  }
  if (is_harmful(character.code_point)) return fmt::format("<U+{:04X}>", character.code_point);
  return {};
}

// The size in bytes of the first part of a line that is to be broken at the width; the whole line if it fits.
std::size_t break_point(std::string_view line, std::size_t width) {
  std::size_t columns = 0;
  std::size_t end = 0;
  std::size_t after_space = 0;
  std::size_t columns_after_space = 0;
  while (end < line.size()) {
    const Character character = first_character(line.substr(end));
    const std::size_t more = width_of(character);
    if (columns + more > width && end > 0) {
      const bool at_space = after_space > 0 && 2 * columns_after_space >= width;
      return at_space ? after_space : end;
    }
    columns += more;
    end += character.size;
    if (character.code_point == ' ') {
      after_space = end;
      columns_after_space = columns;
    }
  }
  return end;
}

}  // namespace

std::string printable(std::string_view text, LineEnds line_ends) {
  std::string out;
  out.reserve(text.size());
  std::size_t column = 0;
  const auto put = [&](std::string_view bytes, std::size_t width) {
    out.append(bytes);
    column += width;
  };
  while (!text.empty()) {
    const std::size_t plain =
        static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_ascii_graphic) - text.begin());
    put(text.substr(0, plain), plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    const Character character = first_character(text);
    const std::string_view bytes = text.substr(0, character.size);
    if (line_ends == LineEnds::kKeep && bytes == "\n") {
      out += '\n';
      column = 0;
    } else if (line_ends == LineEnds::kKeep && text.substr(0, 2) == "\r\n") {
      // The line feed that follows is the line end.
    } else if (bytes == "\t") {
      const std::size_t spaces = kTabColumns - column % kTabColumns;
      put(std::string(spaces, ' '), spaces);
    } else if (const std::string stand_in = stand_in_for(character, bytes); !stand_in.empty()) {
      put(stand_in, stand_in.size());
    } else {
      put(bytes, width_of(character));
    }
    text.remove_prefix(character.size);
  }
  return out;
}

std::size_t display_width(std::string_view printable_line) {
  std::size_t width = 0;
  while (!printable_line.empty()) {
    if (is_ascii_graphic(printable_line[0])) {
      ++width;
      printable_line.remove_prefix(1);
      continue;
    }
    const Character character = first_character(printable_line);
    width += width_of(character);
    printable_line.remove_prefix(character.size);
  }
  return width;
}

std::vector<std::string_view> lines_of(std::string_view printable_text, std::size_t width) {
  std::vector<std::string_view> lines;
  while (true) {
    const std::size_t end = std::min(printable_text.find('\n'), printable_text.size());
    std::string_view line = printable_text.substr(0, end);
    do {
      const std::size_t part = width == 0 ? line.size() : break_point(line, width);
      lines.push_back(line.substr(0, part));
      line.remove_prefix(part);
    } while (!line.empty());
    if (end == printable_text.size()) return lines;
    printable_text.remove_prefix(end + 1);
  }
}

std::size_t widest_line(std::string_view printable_text) {
  std::size_t width = 0;
  for (const std::string_view line : lines_of(printable_text, 0)) width = std::max(width, display_width(line));
  return width;
}

}  // namespace skua::cli
