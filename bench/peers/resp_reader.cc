#include "bench/peers/resp_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace skua::bench {

namespace {

constexpr std::string_view kLineEnd = "\r\n";

}  // namespace

std::string resp_command(const std::vector<std::string_view>& words) {
  std::string out = fmt::format("*{}\r\n", words.size());
  for (const std::string_view word : words) out += fmt::format("${}\r\n{}\r\n", word.size(), word);
  return out;
}

void RespReader::add(std::string_view bytes) {
  buffer_.erase(0, begin_);
  begin_ = 0;
  buffer_ += bytes;
}

Result<std::optional<RespReply>> RespReader::next() {
  using Kind = RespReply::Kind;
  const std::string_view left = std::string_view(buffer_).substr(begin_);
  const std::size_t line_bytes = left.find(kLineEnd);
  if (line_bytes == std::string_view::npos) return std::optional<RespReply>();
  const std::string_view line = left.substr(0, line_bytes);
  const std::string_view rest = line.substr(std::min<std::size_t>(1, line.size()));
  const char kind = line.empty() ? '\0' : line.front();
  std::size_t reply_bytes = line_bytes + kLineEnd.size();
  RespReply reply;
  reply.text = rest;
  if (kind == '+' || kind == '-' || kind == ':') {
    reply.kind = kind == '+' ? Kind::kSimple : kind == '-' ? Kind::kError : Kind::kInteger;
  } else if (line == "$-1") {
    reply = {};
  } else if (kind == '$') {
    std::size_t size = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), size);
    if (error != std::errc() || end != rest.data() + rest.size()) {
      return make_error(ErrorCode::kProtocol, fmt::format("a RESP length that is none: {}", rest));
    }
    // Without a sum that could overflow.
    const std::size_t there = left.size() - reply_bytes;
    if (there < kLineEnd.size() || there - kLineEnd.size() < size) return std::optional<RespReply>();
    if (left.substr(reply_bytes + size, kLineEnd.size()) != kLineEnd) {
      return make_error(ErrorCode::kProtocol, "a RESP text that does not end where it must");
    }
    reply = {Kind::kBulk, left.substr(reply_bytes, size)};
    reply_bytes += size + kLineEnd.size();
  } else {
    return make_error(ErrorCode::kProtocol, fmt::format("a RESP reply of an unknown kind: {}", line));
  }
  begin_ += reply_bytes;
  return std::optional<RespReply>(reply);
}

}  // namespace skua::bench
