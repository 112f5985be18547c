// Frame: one Cap'n Proto message in stream framing, in memory of its own, as it is or will be on the wire.
//
// Owns its words. FrameView borrows them. Both are aligned to 8 bytes, as Cap'n Proto wants. Any thread, one at a time.
// capnproto.org/encoding.html#serialization-over-a-stream
#pragma once

#include <capnp/common.h>
#include <capnp/message.h>
#include <capnp/serialize.h>
#include <kj/array.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <vector>

namespace skua {

class FramePool;

using FrameView = kj::ArrayPtr<const capnp::word>;

// Where a frame's memory came from, and so goes back to; for Frame's own use. Small frames are recycled by the thread that lets go
// of them: most are made, sent and forgotten within one turn of a loop.
struct FrameMemory {
  enum class Source : std::uint8_t { kAllocator, kSmallest, kSmall, kPool };

  void operator()(capnp::word* words) const;

  Source source = Source::kAllocator;
  std::shared_ptr<FramePool> pool{};  // with kPool
};

class Frame {
 public:
  Frame() = default;
  // Uninitialised words, for reading into.
  static Frame uninitialised(std::size_t words);
  // Words of zero, for building in.
  static Frame zeroed(std::size_t words);
  static Frame copy_of(FrameView view);

  capnp::word* words() { return words_.get(); }
  FrameView view() const { return FrameView(words_.get(), word_count_); }
  std::size_t byte_count() const { return word_count_ * sizeof(capnp::word); }
  std::string_view bytes() const { return {reinterpret_cast<const char*>(words_.get()), byte_count()}; }
  bool empty() const { return word_count_ == 0; }
  // Room for more words, uninitialised, behind those that are there. A large frame is not copied: the kernel moves its pages.
  void grow(std::size_t words);
  // Gives up the words behind the first `words`; the memory stays until the frame goes.
  void truncate(std::size_t words) { word_count_ = words < word_count_ ? words : word_count_; }

 private:
  friend class FramePool;

  Frame(void* memory, std::size_t words, FrameMemory from);

  std::unique_ptr<capnp::word, FrameMemory> words_;
  std::size_t word_count_ = 0;
};

// FrameBuilder builds one message in one segment with room for the frame header before it, so that what it hands
// out needs no copy. A message that outgrows the hint is still built, in more memory and with a copy at the end.
class FrameBuilder final : public capnp::MessageBuilder {
 public:
  // A frame of about the size of the pool's blocks is built in one of them.
  explicit FrameBuilder(std::size_t words_hint = 128, FramePool* pool = nullptr);
  ~FrameBuilder() noexcept(false) override;

  kj::ArrayPtr<capnp::word> allocateSegment(kj::uint minimum_words) override;
  // Once, after the message is complete.
  Frame finish();

 private:
  static constexpr std::size_t kHeaderWords = 1;

  Frame first_;
  bool first_taken_ = false;
  std::vector<Frame> more_;
};

// MessageView reads a message in place. The frame it was made of must outlive it.
class MessageView {
 public:
  explicit MessageView(FrameView frame);

  template <class Root>
  typename Root::Reader root() {
    return reader_.getRoot<Root>();
  }

 private:
  capnp::FlatArrayMessageReader reader_;
};

}  // namespace skua
