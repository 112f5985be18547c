// What a server process has used so far, from proc(5). Any thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

namespace skua::bench {

// User and system time of the process, of its children, and of the children it has waited for. Counted in ticks
// of 10 ms.
double cpu_seconds(pid_t server);
// The most memory that was resident since forget_peak_memory(). Nothing for a server of several processes: they
// share most of it, and a sum would count that several times.
std::optional<std::uint64_t> peak_memory_bytes(pid_t server);
void forget_peak_memory(pid_t server);
// What is resident now, of this process alone; 0 if it is gone.
std::uint64_t resident_bytes(pid_t server);

}  // namespace skua::bench
