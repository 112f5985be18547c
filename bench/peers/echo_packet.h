// The packet of the echo peers, and the client's side of an echo. Any thread.
#pragma once

#include <array>

#include "bench/workload.h"

namespace skua::bench {

using EchoPacket = std::array<char, 64>;

// Whole packets; false once the other side is gone.
bool write_packet(int fd, const EchoPacket& packet);
bool read_packet(int fd, EchoPacket& packet);

// Sends a packet and waits until it is back.
Operation echo_operation(int fd);

}  // namespace skua::bench
