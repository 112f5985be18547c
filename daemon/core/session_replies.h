// The responses that core/ makes by itself, without a lane: hello, stats and locks. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/frame.h"
#include "protocol/limits.h"
#include "protocol/locks.h"

namespace skua {

struct HelloAnswer {
  std::uint16_t version = 0;
  std::uint64_t session_id = 0;
  std::string server_version;
  std::string sqlite_version;
};

Frame hello_response(std::uint64_t request, const HelloAnswer& answer, const Limits& limits,
                     const std::vector<std::string>& databases);

Frame progress_response(std::uint64_t request, std::uint64_t done, std::uint64_t total);

// Rows of (name, value).
Frame stats_response(std::uint64_t request, const std::vector<std::pair<std::string_view, std::uint64_t>>& rows);

Frame locks_response(std::uint64_t request, const std::vector<DatabaseLock>& locks);

}  // namespace skua
