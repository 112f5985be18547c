// RespReader cuts a byte stream into the replies of Redis's protocol, RESP2 (redis.io/docs/reference/protocol-spec), as
// far as GET, SET and PING need it: no arrays. One thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/result.h"

namespace skua::bench {

struct RespReply {
  enum class Kind { kSimple, kError, kInteger, kBulk, kNull };
  Kind kind = Kind::kNull;
  std::string_view text;  // empty if kNull
};

// One command, as a client sends it.
std::string resp_command(const std::vector<std::string_view>& words);

class RespReader {
 public:
  // Ends the life of every reply handed out.
  void add(std::string_view bytes);
  // The next whole reply; nothing if more bytes are needed; kProtocol if the stream cannot be read on.
  Result<std::optional<RespReply>> next();

 private:
  std::string buffer_;
  std::size_t begin_ = 0;  // of what was not handed out
};

}  // namespace skua::bench
