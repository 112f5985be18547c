#include "client/cli/import_start.h"

namespace skua::cli {

namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

std::string_view ImportStart::take(std::string_view piece) {
  if (mark_is_settled_) return after_lines(piece);
  first_bytes_.append(piece);
  std::string_view text = first_bytes_;
  if (text.size() < kByteOrderMark.size() && text == kByteOrderMark.substr(0, text.size())) return {};
  mark_is_settled_ = true;
  if (text.substr(0, kByteOrderMark.size()) == kByteOrderMark) text.remove_prefix(kByteOrderMark.size());
  return after_lines(text);
}

std::string_view ImportStart::rest() {
  return mark_is_settled_ ? std::string_view() : after_lines(first_bytes_);
}

std::string_view ImportStart::after_lines(std::string_view text) {
  while (lines_left_ > 0) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
    --lines_left_;
  }
  return text;
}

}  // namespace skua::cli
