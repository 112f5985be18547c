// What a client and a daemon of the same protocol version may have or lack: the bits of Hello.features and HelloReply.features.
#pragma once

#include <cstdint>

namespace skua {

// Read transactions that share one snapshot: Begin.siblings.
inline constexpr std::uint64_t kFeatureSiblings = 0x1;
// Memory that is shared with the client: Request.rings.
inline constexpr std::uint64_t kFeatureRings = 0x2;
// Of the daemon: such memory can be asked for while other requests are under way, and who sleeps at it can ask for a bell.
inline constexpr std::uint64_t kFeatureRingBells = 0x4;
// All that this source knows.
inline constexpr std::uint64_t kFeatures = kFeatureSiblings | kFeatureRings | kFeatureRingBells;

}  // namespace skua
