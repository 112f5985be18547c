// RingPair: one side's view of the memory that a session shares: which way the frames go, in each direction.
//
// A direction is with the socket at first. Where it changes, a RingControl stands between two frames, so that the order of the
// frames is one whatever way they took. The owner has the socket; what it must read and write there, the functions say. One
// thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "protocol/frame.h"
#include "protocol/frame_reader.h"
#include "protocol/limits.h"
#include "protocol/shared_rings.h"

namespace skua {

class RingPair {
 public:
  // `buffer` as FrameReader's.
  RingPair(std::shared_ptr<SharedRings> memory, Ring in, Ring out, SharedReadBuffer* buffer)
      : memory_(std::move(memory)), in_(in), out_(out), frames_(kFrameBytesMax, buffer) {
    frames_.allow_controls();
  }

  const std::shared_ptr<SharedRings>& memory() const { return memory_; }
  RingReader& in() { return in_; }
  RingWriter& out() { return out_; }

  // ---- what comes

  // The peer's next frame is in the ring.
  bool is_read() const { return is_read_; }
  // A control that stood before the next frame where that was looked for. False: it cannot stand there.
  bool take_control(std::uint64_t word) {
    if (word == ring_control(is_read_ ? RingControl::kToSocket : RingControl::kToRing)) {
      is_read_ = !is_read_;
      return true;
    }
    return !is_read_ && word == ring_control(RingControl::kDoorbell);
  }
  // Of the ring.
  FrameReader& frames() { return frames_; }
  // Copies out what is in the ring now; nothing if the peer has broken it.
  std::optional<std::size_t> take() {
    const std::optional<std::size_t> available = in_.available();
    if (!available) return std::nullopt;
    for (std::size_t left = *available; left > 0;) {
      const std::span<char> space = frames_.space();
      const std::size_t taken = std::min(left, space.size());
      in_.take(space.data(), taken);
      frames_.commit(taken);
      left -= taken;
    }
    return available;
  }

  // ---- what goes

  // The next frame is to go through the ring. Before it is so, the owner sends kToRing on the socket.
  bool is_written() const { return is_written_; }
  void begin_to_write() { is_written_ = true; }
  // Whether it is time to begin, before a frame of `bytes` that goes by the socket otherwise.
  bool wants_to_begin(std::size_t bytes) {
    small_in_a_row_ = bytes <= kSmallBytes ? small_in_a_row_ + 1 : 0;
    return small_in_a_row_ >= kSmallWanted && fits(bytes);
  }
  // So many bytes can be put there; not if the peer has broken it. One control can be put at any time.
  bool fits(std::size_t bytes) const {
    const std::optional<std::size_t> room = out_.room();
    return room && bytes + kWordBytes <= *room;
  }
  bool is_broken() const { return !out_.room(); }
  void put(const Frame& frame) { out_.put(frame.bytes()); }
  // What comes next is too large.
  void end_to_write() {
    out_.put(RingControl::kToSocket);
    is_written_ = false;
    small_in_a_row_ = 0;
  }
  // Shows the peer what was put. Not 0: it sleeps, and this caller has to wake it, in that way.
  std::uint32_t publish() { return out_.publish(); }

 private:
  // After so many writes in a row on the socket that began with a small frame the ring is used again.
  static constexpr std::uint32_t kSmallWanted = 8;
  static constexpr std::size_t kSmallBytes = 4 * kKiB;

  std::shared_ptr<SharedRings> memory_;
  RingReader in_;
  RingWriter out_;
  FrameReader frames_;
  bool is_read_ = false;
  bool is_written_ = false;
  std::uint32_t small_in_a_row_ = kSmallWanted;  // the first use comes at once
};

}  // namespace skua
