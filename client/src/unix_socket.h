// Connecting to a Unix socket by path, with errors that say what to do about them. Any thread.
#pragma once

#include <cstdint>
#include <string>

#include "client/src/file_descriptor.h"
#include "protocol/result.h"

namespace skua {

// A blocking socket, closed on exec. kUsage for a path that does not fit, kConnect for everything else.
Result<FileDescriptor> connect_unix(const std::string& path, std::uint32_t timeout_ms);

}  // namespace skua
