// The one place that turns libuv's error numbers and errno into Skua's errors. Any thread.
#pragma once

#include <fmt/format.h>
#include <uv.h>

#include <cerrno>
#include <cstring>

#include "protocol/result.h"

namespace skua {

inline Error uv_error(int code, std::string_view what) {
  return make_error(ErrorCode::kIo, fmt::format("{}: {}", what, uv_strerror(code)));
}

inline Error errno_error(std::string_view what) {
  return make_error(ErrorCode::kIo, fmt::format("{}: {}", what, std::strerror(errno)));
}

}  // namespace skua
