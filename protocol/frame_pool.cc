#include "protocol/frame_pool.h"

#include <cstdlib>
#include <cstring>

namespace skua {

FramePool::~FramePool() {
  for (capnp::word* block : idle_) std::free(block);
}

Frame FramePool::uninitialised(std::size_t words) {
  if (!fits(words)) return Frame::uninitialised(words);
  capnp::word* block = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      block = idle_.back();
      idle_.pop_back();
    }
  }
  void* memory = block != nullptr ? block : std::malloc(block_words_ * sizeof(capnp::word));
  return Frame(memory, words, {FrameMemory::Source::kPool, shared_from_this()});
}

Frame FramePool::zeroed(std::size_t words) {
  if (!fits(words)) return Frame::zeroed(words);
  Frame frame = uninitialised(words);
  std::memset(static_cast<void*>(frame.words()), 0, frame.byte_count());
  return frame;
}

std::size_t FramePool::idle_blocks() {
  const std::lock_guard lock(mutex_);
  return idle_.size();
}

void FramePool::give_back(capnp::word* block) {
  {
    const std::lock_guard lock(mutex_);
    if (idle_.size() < blocks_max_) {
      idle_.push_back(block);
      return;
    }
  }
  std::free(block);
}

}  // namespace skua
