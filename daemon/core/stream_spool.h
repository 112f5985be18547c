// StreamSpool: the part of a stream's rows that was put into a file, so that its cursor could be closed, or can be soon.
//
// Belongs to its request; the diagram is in request.h. Loop thread.
#pragma once

#include <cstdint>
#include <memory>

namespace skua {

class SpoolFile;

struct StreamSpool {
  enum class State : std::uint8_t {
    kFilling,   // the cursor's rows go into the file, slice by slice
    kFull,      // the cursor waits until the client has read the file
    kComplete,  // the cursor is closed, and the last row is in the file
  };

  State state = State::kFilling;
  std::shared_ptr<SpoolFile> file;  // null before the first slice is done
  std::uint64_t bytes = 0;          // in the file
  std::uint64_t pending_bytes = 0;  // of a batch beside it, for which there was no room
  bool has_rows = false;            // that are not read back yet
  // While filling: batches that may be read back before the next slice.
  std::uint32_t reads_left = 0;
  // In kFull: the cap is that of all files, and when the stream is ended if its client has not read the file.
  bool total_is_full = false;
  std::uint64_t full_until_us = 0;
};

}  // namespace skua
