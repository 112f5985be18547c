#include "protocol/frame_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "protocol/limits.h"
#include "protocol/shared_rings.h"

namespace skua {

namespace {

constexpr std::size_t kBufferBytes = 64 * kKiB;
// Below this a copy is cheaper than giving the buffer away and getting another.
constexpr std::size_t kHandOverBytesMin = 32 * kKiB;

std::uint32_t load_u32(const char* at) {
  std::uint32_t value;
  std::memcpy(&value, at, sizeof(value));
  return value;
}

}  // namespace

Frame SharedReadBuffer::take() {
  if (spare_.empty()) return Frame::uninitialised(kBufferBytes / kWordBytes);
  return std::exchange(spare_, {});
}

void SharedReadBuffer::put_back(Frame buffer) {
  if (buffer.byte_count() == kBufferBytes) spare_ = std::move(buffer);
}

FrameReader::FrameReader(std::size_t frame_bytes_max, SharedReadBuffer* shared)
    : shared_(shared), buffer_bytes_(kBufferBytes), frame_bytes_max_(frame_bytes_max) {}

void FrameReader::rest() {
  if (shared_ == nullptr || buffer_.empty() || begin_ != end_) return;
  begin_ = end_ = 0;
  shared_->put_back(std::exchange(buffer_, {}));
}

FrameReader::FrameReader(std::size_t frame_bytes_max, std::shared_ptr<FramePool> pool)
    : pool_(std::move(pool)), buffer_bytes_(pool_->block_words() * kWordBytes), frame_bytes_max_(frame_bytes_max) {}

Frame FrameReader::new_buffer(std::size_t bytes_min) const {
  const std::size_t words = (std::max(buffer_bytes_, bytes_min) + kWordBytes - 1) / kWordBytes;
  return pool_ == nullptr ? Frame::uninitialised(words) : pool_->uninitialised(words);
}

std::span<char> FrameReader::space() {
  if (buffer_.empty()) {
    buffer_ = shared_ != nullptr ? shared_->take() : new_buffer(0);
  }
  if (begin_ == end_) {
    begin_ = end_ = 0;
    if (capacity() > buffer_bytes_) buffer_ = new_buffer(0);
  }
  const bool fits = begin_ + wanted_ <= capacity();
  if (end_ == capacity() || !fits) {
    const std::size_t used = end_ - begin_;
    if (begin_ > 0 && (fits || used < capacity() / 2)) {
      std::memmove(buffer_.words(), data() + begin_, used);
    } else if (used == capacity()) {
      // Only as much as twice what has come in already, whatever the header claims.
      const std::size_t bytes = std::min(std::max(wanted_, capacity() + kWordBytes), 2 * capacity());
      buffer_.grow((bytes + kWordBytes - 1) / kWordBytes);
    } else if (begin_ > 0) {
      std::memmove(buffer_.words(), data() + begin_, used);
    }
    begin_ = 0;
    end_ = used;
  }
  return {reinterpret_cast<char*>(buffer_.words()) + end_, capacity() - end_};
}

void FrameReader::commit(std::size_t bytes) {
  SKUA_CHECK(bytes <= capacity() - end_);
  end_ += bytes;
}

Result<std::optional<std::size_t>> FrameReader::frame_bytes() const {
  const std::size_t available = end_ - begin_;
  if (available < 4) return std::optional<std::size_t>();
  const char* header = data() + begin_;
  const std::uint64_t segments = std::uint64_t{load_u32(header)} + 1;
  if (allows_controls_ && load_u32(header) == kRingControlMark) {
    if (available < kWordBytes) return std::optional<std::size_t>();
    return std::optional<std::size_t>(kWordBytes);
  }
  if (segments > kFrameSegmentsMax) {
    return make_error(ErrorCode::kProtocol,
                      fmt::format("a frame claims {} segments, the most is {}: this is not Cap'n Proto stream framing, "
                                  "or the stream lost its place",
                                  segments, kFrameSegmentsMax));
  }
  const std::size_t header_bytes = (4 * (1 + segments) + 7) / 8 * 8;
  if (available < header_bytes) return std::optional<std::size_t>();
  std::uint64_t words = 0;
  for (std::uint64_t i = 0; i < segments; ++i) words += load_u32(header + 4 * (1 + i));
  const std::uint64_t bytes = header_bytes + words * kWordBytes;
  if (bytes > frame_bytes_max_) {
    return make_error(ErrorCode::kProtocol,
                      fmt::format("a frame claims {} bytes, the most here is {} (frame_bytes_max{})", bytes,
                                  frame_bytes_max_, frame_bytes_max_ < kFrameBytesMax ? " before hello" : ""));
  }
  if (words == 0) return make_error(ErrorCode::kProtocol, "a frame has no words: it carries no message");
  return std::optional<std::size_t>(static_cast<std::size_t>(bytes));
}

Result<std::optional<FrameView>> FrameReader::next() {
  if (wanted_ == 0) {
    SKUA_ASSIGN(const auto bytes, frame_bytes());
    if (!bytes) return std::optional<FrameView>();
    wanted_ = *bytes;
  }
  if (end_ - begin_ < wanted_) return std::optional<FrameView>();
  const FrameView view(buffer_.view().begin() + begin_ / kWordBytes, wanted_ / kWordBytes);
  begin_ += wanted_;
  wanted_ = 0;
  return std::optional<FrameView>(view);
}

Frame FrameReader::detach(FrameView view) {
  const std::size_t bytes = view.size() * kWordBytes;
  if (view.begin() != buffer_.view().begin() || bytes < kHandOverBytesMin || bytes < capacity() / 2) {
    return Frame::copy_of(view);
  }
  SKUA_CHECK(begin_ == bytes);
  const std::size_t rest = end_ - begin_;
  Frame next = new_buffer(rest + 1);
  std::memcpy(next.words(), data() + begin_, rest);
  std::swap(next, buffer_);
  begin_ = 0;
  end_ = rest;
  next.truncate(view.size());
  return next;
}

}  // namespace skua
