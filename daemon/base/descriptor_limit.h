// How many descriptors this process may have: sockets, files, pipes. Before there are threads.
#pragma once

#include <cstdint>

namespace skua {

// Raises the soft limit to the hard one, and returns what the limit is then. The soft one is 1,024 nearly everywhere, for the
// sake of programs that use select(2).
std::uint64_t raise_descriptor_limit();

}  // namespace skua
