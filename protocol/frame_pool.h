// FramePool: memory of large frames that are gone, kept for those to come.
//
// A stream makes a frame of the same size again and again, on one thread, and lets go of it on another. What the allocator
// gave back to the system in between would cost a page fault for each 4 KiB of the next one.
//
// Any thread. Frames keep their pool alive.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "protocol/frame.h"

namespace skua {

class FramePool : public std::enable_shared_from_this<FramePool> {
 public:
  // Keeps at most `blocks_max` blocks of memory that are not in use, of `block_words` each. Own it by a shared_ptr.
  FramePool(std::size_t block_words, std::size_t blocks_max) : block_words_(block_words), blocks_max_(blocks_max) {}
  ~FramePool();
  FramePool(const FramePool&) = delete;
  FramePool& operator=(const FramePool&) = delete;

  std::size_t block_words() const { return block_words_; }

  // As Frame's own. A frame that is larger than a block, or so small that it would waste one, is not of the pool.
  Frame uninitialised(std::size_t words);
  Frame zeroed(std::size_t words);

  std::size_t idle_blocks();

 private:
  friend struct FrameMemory;

  bool fits(std::size_t words) const { return words <= block_words_ && words >= block_words_ / 4; }
  void give_back(capnp::word* block);

  const std::size_t block_words_;
  const std::size_t blocks_max_;
  std::mutex mutex_;
  // The one last used comes first: it is in the processor's cache.
  std::vector<capnp::word*> idle_;  // under mutex_
};

}  // namespace skua
