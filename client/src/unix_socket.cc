#include "client/src/unix_socket.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <system_error>

#include "skua/connection.h"

namespace skua {

namespace {

// One byte of sun_path is for the terminating NUL (unix(7)).
constexpr std::size_t kSocketPathBytesMax = sizeof(sockaddr_un::sun_path) - 1;

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

std::string describe(int error_number, const std::string& path, std::uint32_t timeout_ms) {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      return fmt::format(
          "there is no socket at {0}: is skuad running? Start it with `skuad --socket {0} --database "
          "NAME=FILE`, or "
          "set SKUA_SOCKET to the path of its socket",
          path);
    case ECONNREFUSED:
      return fmt::format(
          "nobody listens at {0}: skuad has ended. Start it with `skuad --socket {0} --database NAME=FILE`",
          path);
    case EACCES:
    case EPERM:
      return fmt::format("no permission to use {}: its owner has to let user {} reach and write to it", path,
                         ::geteuid());
    case EAGAIN: return fmt::format("skuad at {} did not accept the connection within {} ms", path, timeout_ms);
    default:
      return fmt::format("cannot connect to {}: {}", path, std::generic_category().message(error_number));
  }
}

Result<sockaddr_un> address_of(const std::string& path) {
  if (path.size() > kSocketPathBytesMax) {
    return make_error(ErrorCode::kUsage, fmt::format("the socket path has {} bytes, the most is {}: {}",
                                                     path.size(), kSocketPathBytesMax, path));
  }
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

// 0, or the errno of connect().
int connect_to(const FileDescriptor& socket, const sockaddr_un& address) {
  int result = 0;
  do {
    result = ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  } while (result != 0 && errno == EINTR);
  return result == 0 ? 0 : errno;
}

}  // namespace

std::string default_socket_path() {
  if (const std::string_view path = environment("SKUA_SOCKET"); !path.empty()) return std::string(path);
  if (const std::string_view folder = environment("XDG_RUNTIME_DIR"); !folder.empty()) {
    return std::string(folder) + "/skua/skua.sock";
  }
  return "/run/skua/skua.sock";
}

Result<FileDescriptor> connect_unix(const std::string& path, std::uint32_t timeout_ms) {
  SKUA_ASSIGN(const sockaddr_un address, address_of(path));
  FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return make_error(ErrorCode::kConnect, describe(errno, path, timeout_ms));

  // A full backlog blocks connect(), and the send timeout limits that too (socket(7)).
  const timeval timeout{static_cast<time_t>(timeout_ms / 1000),
                        static_cast<suseconds_t>(timeout_ms % 1000 * 1000)};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
  if (const int error_number = connect_to(socket, address); error_number != 0) {
    return make_error(ErrorCode::kConnect, describe(error_number, path, timeout_ms));
  }
  return socket;
}

Result<FileDescriptor> connect_unix_at_once(const std::string& path) {
  SKUA_ASSIGN(const sockaddr_un address, address_of(path));
  FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.is_open()) return make_error(ErrorCode::kConnect, describe(errno, path, 0));
  if (const int error_number = connect_to(socket, address); error_number != 0) {
    return make_error(error_number == EAGAIN ? ErrorCode::kUnavailable : ErrorCode::kConnect,
                      describe(error_number, path, 0));
  }
  return socket;
}

ssize_t receive_with_descriptor(int socket, std::span<char> space, FileDescriptor& descriptor) {
  iovec bytes = {space.data(), space.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t received = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  const cmsghdr* header = received > 0 ? CMSG_FIRSTHDR(&message) : nullptr;
  if (header != nullptr && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
    int number = -1;
    std::memcpy(&number, CMSG_DATA(header), sizeof(number));
    descriptor = FileDescriptor(number);
  }
  return received;
}

}  // namespace skua
