// Connecting to a Unix socket by path, with errors that say what to do about them. Any thread.
#pragma once

#include <cstdint>
#include <string>

#include "client/src/file_descriptor.h"
#include "protocol/result.h"

namespace skua {

// A blocking socket, closed on exec. kUsage for a path that does not fit, kConnect for everything else.
Result<FileDescriptor> connect_unix(const std::string& path, std::uint32_t timeout_ms);
// The same without waiting, and the socket does not block; kUnavailable if others wait to be accepted already.
Result<FileDescriptor> connect_unix_at_once(const std::string& path);

}  // namespace skua
