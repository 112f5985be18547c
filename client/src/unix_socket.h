// Connecting to a Unix socket by path, with errors that say what to do about them; and receiving a descriptor there. Any thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string>

#include "client/src/file_descriptor.h"
#include "protocol/result.h"

namespace skua {

// A blocking socket, closed on exec. kUsage for a path that does not fit, kConnect for everything else.
Result<FileDescriptor> connect_unix(const std::string& path, std::uint32_t timeout_ms);
// The same without waiting, and the socket does not block; kUnavailable if others wait to be accepted already.
Result<FileDescriptor> connect_unix_at_once(const std::string& path);
// As recv(2) without flags. Keeps a descriptor that comes beside the bytes (unix(7), SCM_RIGHTS).
ssize_t receive_with_descriptor(int socket, std::span<char> space, FileDescriptor& descriptor);

}  // namespace skua
