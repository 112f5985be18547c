#include "protocol/frame.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "protocol/frame_pool.h"
#include "protocol/limits.h"
#include "protocol/recycling_allocator.h"
#include "protocol/result.h"

namespace skua {

namespace {

// What an answer without rows needs, and one with a row of a few columns.
constexpr std::size_t kSmallestWords = 48;
constexpr std::size_t kSmallWords = 160;

template <std::size_t words>
struct Block {
  std::array<std::uint64_t, words> memory;
};
using SmallestBlocks = RecyclingAllocator<Block<kSmallestWords>>;
using SmallBlocks = RecyclingAllocator<Block<kSmallWords>>;

}  // namespace

void FrameMemory::operator()(capnp::word* words) const {
  void* memory = words;
  switch (source) {
    case Source::kAllocator: return std::free(memory);
    case Source::kSmallest: return SmallestBlocks().deallocate(static_cast<Block<kSmallestWords>*>(memory), 1);
    case Source::kSmall: return SmallBlocks().deallocate(static_cast<Block<kSmallWords>*>(memory), 1);
    case Source::kPool: return pool->give_back(words);
  }
}

Frame::Frame(void* memory, std::size_t words, FrameMemory from)
    : words_(static_cast<capnp::word*>(memory), std::move(from)), word_count_(words) {
  // Out of memory is not something a request can be answered with: let the supervisor restart the daemon.
  SKUA_CHECK(memory != nullptr || words == 0);
}

Frame Frame::uninitialised(std::size_t words) {
  if (words == 0) return {};
  if (words <= kSmallestWords) return Frame(SmallestBlocks().allocate(1), words, {FrameMemory::Source::kSmallest});
  if (words <= kSmallWords) return Frame(SmallBlocks().allocate(1), words, {FrameMemory::Source::kSmall});
  return Frame(std::malloc(words * sizeof(capnp::word)), words, {});
}

Frame Frame::zeroed(std::size_t words) {
  // The allocator may have it from the system, which gives nothing but zeros.
  if (words > kSmallWords) return Frame(std::calloc(words, sizeof(capnp::word)), words, {});
  Frame frame = uninitialised(words);
  if (!frame.empty()) std::memset(static_cast<void*>(frame.words()), 0, frame.byte_count());
  return frame;
}

void Frame::grow(std::size_t words) {
  if (words_.get_deleter().source != FrameMemory::Source::kAllocator) {
    Frame larger = uninitialised(words);
    std::memcpy(static_cast<void*>(larger.words()), words_.get(), byte_count());
    *this = std::move(larger);
    return;
  }
  void* memory = std::realloc(static_cast<void*>(words_.get()), words * sizeof(capnp::word));
  SKUA_CHECK(memory != nullptr);
  (void)words_.release();
  words_.reset(static_cast<capnp::word*>(memory));
  word_count_ = words;
}

Frame Frame::copy_of(FrameView view) {
  Frame frame = uninitialised(view.size());
  std::memcpy(frame.words(), view.begin(), frame.byte_count());
  return frame;
}

FrameBuilder::FrameBuilder(std::size_t words_hint, FramePool* pool) {
  const std::size_t words = kHeaderWords + std::max<std::size_t>(words_hint, 16);
  first_ = pool == nullptr ? Frame::zeroed(words) : pool->zeroed(words);
}

FrameBuilder::~FrameBuilder() noexcept(false) = default;

kj::ArrayPtr<capnp::word> FrameBuilder::allocateSegment(kj::uint minimum_words) {
  const std::size_t first_words = first_.view().size() - kHeaderWords;
  if (!first_taken_) {
    first_taken_ = true;
    if (minimum_words <= first_words) return {first_.words() + kHeaderWords, first_words};
    first_ = Frame::zeroed(kHeaderWords + minimum_words);
    return {first_.words() + kHeaderWords, minimum_words};
  }
  // Doubling keeps the number of segments small.
  std::size_t words = std::max<std::size_t>(minimum_words, first_words);
  for (const Frame& frame : more_) words = std::max(words, 2 * frame.view().size());
  more_.push_back(Frame::zeroed(words));
  return {more_.back().words(), words};
}

Frame FrameBuilder::finish() {
  const auto segments = getSegmentsForOutput();
  if (segments.size() == 1) {
    const std::uint32_t header[2] = {0, static_cast<std::uint32_t>(segments[0].size())};
    std::memcpy(first_.words(), header, sizeof(header));
    first_.truncate(kHeaderWords + segments[0].size());
    return std::move(first_);
  }
  const std::size_t words = capnp::computeSerializedSizeInWords(segments);
  const std::size_t header_words = segments.size() / 2 + 1;
  Frame whole = Frame::zeroed(words);
  auto* table = reinterpret_cast<std::uint32_t*>(whole.words());
  table[0] = static_cast<std::uint32_t>(segments.size() - 1);
  capnp::word* out = whole.words() + header_words;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    table[i + 1] = static_cast<std::uint32_t>(segments[i].size());
    std::memcpy(out, segments[i].begin(), segments[i].size() * sizeof(capnp::word));
    out += segments[i].size();
  }
  return whole;
}

namespace {

capnp::ReaderOptions reader_options(std::size_t frame_words) {
  capnp::ReaderOptions options;
  options.traversalLimitInWords = kTraversalFactor * frame_words + 1024;
  options.nestingLimit = kNestingLevelsMax;
  return options;
}

}  // namespace

MessageView::MessageView(FrameView frame) : reader_(frame, reader_options(frame.size())) {}

}  // namespace skua
