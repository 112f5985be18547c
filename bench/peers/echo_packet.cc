#include "bench/peers/echo_packet.h"

#include <unistd.h>

namespace skua::bench {

bool write_packet(int fd, const EchoPacket& packet) {
  for (std::size_t done = 0; done < packet.size();) {
    const ssize_t count = ::write(fd, packet.data() + done, packet.size() - done);
    if (count <= 0) return false;
    done += static_cast<std::size_t>(count);
  }
  return true;
}

bool read_packet(int fd, EchoPacket& packet) {
  for (std::size_t done = 0; done < packet.size();) {
    const ssize_t count = ::read(fd, packet.data() + done, packet.size() - done);
    if (count <= 0) return false;
    done += static_cast<std::size_t>(count);
  }
  return true;
}

Operation echo_operation(int fd) {
  return [fd, packet = EchoPacket{}]() mutable -> Result<std::uint64_t> {
    if (write_packet(fd, packet) && read_packet(fd, packet)) return std::uint64_t{1};
    return make_error(ErrorCode::kLost, "the echo is gone");
  };
}

}  // namespace skua::bench
