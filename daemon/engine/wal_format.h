// What the engine needs to know of the format of the write-ahead log: sqlite.org/fileformat2.html#walformat.
#pragma once

#include <cstddef>
#include <cstdint>

namespace skua {

constexpr std::int64_t kLogHeaderBytes = 32;
constexpr std::size_t kFrameHeaderBytes = 24;

}  // namespace skua
