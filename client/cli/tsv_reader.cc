#include "client/cli/tsv_reader.h"

#include <fmt/format.h>

namespace skua::cli {

Status TsvReader::add(std::string_view piece) {
  while (true) {
    const std::size_t end = piece.find('\n');
    if (end == std::string_view::npos) break;
    if (unfinished_.empty()) {
      take_line(piece.substr(0, end));
    } else {
      unfinished_.append(piece.substr(0, end));
      take_line(unfinished_);
      unfinished_.clear();
    }
    piece.remove_prefix(end + 1);
  }
  unfinished_.append(piece);
  if (unfinished_.size() <= kRowBytesMax) return {};
  return make_error(ErrorCode::kLimit, fmt::format("a line of more than {} MiB", kRowBytesMax / kMiB));
}

Status TsvReader::finish() {
  if (!unfinished_.empty()) take_line(unfinished_);
  return {};
}

void TsvReader::take_line(std::string_view line) {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  while (true) {
    const std::size_t end = line.find('\t');
    const std::string_view field = line.substr(0, end);
    if (field.empty()) {
      sink_.on_empty_field();
    } else {
      sink_.on_field(field);
    }
    if (end == std::string_view::npos) break;
    line.remove_prefix(end + 1);
  }
  sink_.on_record_end(line_);
  ++line_;
}

}  // namespace skua::cli
