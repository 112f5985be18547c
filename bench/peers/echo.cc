#include "bench/peers/echo.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>

namespace skua::bench {

namespace {

using Clock = std::chrono::steady_clock;

Error echo_is_gone() { return make_error(ErrorCode::kLost, "the echo is gone"); }

bool read_whole_filler(int fd, std::size_t size) {
  while (size > 0) {
    const std::size_t count = read_filler(fd, size);
    if (count == 0) return false;
    size -= count;
  }
  return true;
}

}  // namespace

bool write_filler(int fd, std::size_t size) {
  static const std::array<char, 64 << 10> filler{};
  while (size > 0) {
    const ssize_t count = ::send(fd, filler.data(), std::min(size, filler.size()), MSG_NOSIGNAL);
    if (count <= 0) return false;
    size -= static_cast<std::size_t>(count);
  }
  return true;
}

std::size_t read_filler(int fd, std::size_t size_max) {
  static std::array<char, 64 << 10> space;
  const ssize_t count = ::read(fd, space.data(), std::min(size_max, space.size()));
  return count > 0 ? static_cast<std::size_t>(count) : 0;
}

Status Echo::prepare() {
  SKUA_ASSIGN(sizes_, measure_());
  return start();
}

Result<Operation> Echo::make_operation(std::size_t) {
  SKUA_ASSIGN(FileDescriptor connected, connect());
  auto socket = std::make_shared<FileDescriptor>(std::move(connected));
  return Operation([socket, sizes = sizes_]() -> Result<std::uint64_t> {
    const bool good =
        write_filler(socket->get(), sizes.request_bytes) && read_whole_filler(socket->get(), sizes.answer_bytes);
    if (!good) return echo_is_gone();
    return std::uint64_t{1};
  });
}

Result<Window> Echo::make_window(std::size_t) {
  SKUA_ASSIGN(FileDescriptor connected, connect());
  auto socket = std::make_shared<FileDescriptor>(std::move(connected));
  return Window([socket, sizes = sizes_, depth = depth_](Tally& tally) -> Result<std::uint64_t> {
    const Clock::time_point begin = Clock::now();
    if (!write_filler(socket->get(), depth * sizes.request_bytes)) return echo_is_gone();
    EchoCounter answers(sizes.answer_bytes);
    for (std::size_t left = depth * sizes.answer_bytes; left > 0;) {
      const std::size_t count = read_filler(socket->get(), left);
      if (count == 0) return echo_is_gone();
      left -= count;
      const Clock::duration taken = Clock::now() - begin;
      for (std::size_t i = answers.take(count); i > 0; --i) tally.latencies.add(taken);
    }
    return std::uint64_t{depth};
  });
}

}  // namespace skua::bench
