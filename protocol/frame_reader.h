// FrameReader cuts a byte stream into frames.
//
// Has the read buffer for as long as there are bytes in it. Checks a frame's header before it makes room for its body, and makes room only as the bytes
// come in, so that a peer cannot make it allocate by claiming. One thread. Is not a parser of messages: MessageView is.
//
// SharedReadBuffer: what many readers on one thread use in turn, so that those to whom nothing comes have no buffer.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>

#include "protocol/frame.h"
#include "protocol/frame_pool.h"
#include "protocol/result.h"

namespace skua {

class SharedReadBuffer {
 public:
  // A new one if some reader has kept it for a frame that is not complete.
  Frame take();
  void put_back(Frame buffer);

 private:
  Frame spare_;
};

class FrameReader {
 public:
  // `shared`, if given, outlives the reader; its users call rest() when they have taken the frames of a read.
  explicit FrameReader(std::size_t frame_bytes_max, SharedReadBuffer* shared = nullptr);
  // Reads into the blocks of a pool and hands them over with the frames in them.
  FrameReader(std::size_t frame_bytes_max, std::shared_ptr<FramePool> pool);

  void set_frame_bytes_max(std::size_t bytes) { frame_bytes_max_ = bytes; }
  // From now on words that stand between frames (RingControl) are handed out, too: they are all that has a single word.
  void allow_controls() { allows_controls_ = true; }

  // Where the next bytes of the stream go; never empty. Ends the life of every FrameView handed out.
  std::span<char> space();
  // `bytes` have been written at the start of what space() returned.
  void commit(std::size_t bytes);

  // The next whole frame; nothing if more bytes are needed; an error (kProtocol) if the stream cannot be read on.
  Result<std::optional<FrameView>> next();

  // The frame last returned by next(), in memory of its own. A large frame is handed over without a copy.
  Frame detach(FrameView view);

  // Gives the buffer back to those that share it, unless there are bytes in it that no frame was made of. Ends the life of every
  // FrameView handed out.
  void rest();

  // The memory that it has.
  std::size_t buffer_bytes() const { return capacity(); }
  // Bytes that came in and belong to no frame handed out.
  std::size_t buffered_bytes() const { return end_ - begin_; }

 private:
  std::size_t capacity() const { return buffer_.byte_count(); }
  const char* data() const { return reinterpret_cast<const char*>(buffer_.view().begin()); }
  // The whole size of the frame at begin_ if its header is complete.
  Result<std::optional<std::size_t>> frame_bytes() const;

  Frame new_buffer(std::size_t bytes_min) const;

  SharedReadBuffer* shared_ = nullptr;
  std::shared_ptr<FramePool> pool_;  // may be null
  std::size_t buffer_bytes_;
  Frame buffer_;  // empty before the first read, and at rest
  std::size_t begin_ = 0;  // always a multiple of 8
  std::size_t end_ = 0;
  std::size_t wanted_ = 0;  // the size of the frame at begin_, once known
  std::size_t frame_bytes_max_;
  bool allows_controls_ = false;
};

}  // namespace skua
