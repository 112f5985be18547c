// SharedRings: the memory that a session's two sides share, with one ring of bytes each way. RingWriter and RingReader: the
// sides of one ring.
//
// What goes through a ring is the same stream of frames as through the socket, without a system call for each, and without
// waking anybody who is awake. docs/PROTOCOL.md#rings tells how a session begins to use them, and how each direction
// changes between the ring and the socket.
//
// Neither side trusts the other: a position that cannot be is told from one that can, and what is read was copied out first, so
// that it cannot change while it is looked at. The daemon makes the memory, and seals its size, so that no access to it
// can fail (memfd_create(2), F_SEAL_SHRINK). Each side of a ring belongs to one thread; wake_reader() may run on any, and in a
// signal handler.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "protocol/limits.h"
#include "protocol/result.h"

namespace skua {

// Words that stand between frames where a session has rings. No frame begins like one: it would have 2^32 segments.
enum class RingControl : std::uint32_t {
  kDoorbell = 1,  // on the socket: look into the ring
  kToRing = 2,    // on the socket: the next frame is in the ring
  kToSocket = 3,  // in the ring: the next frame is on the socket
};
inline constexpr std::uint32_t kRingControlMark = 0xffff'ffff;
inline constexpr std::uint64_t ring_control(RingControl control) {
  return std::uint64_t{kRingControlMark} | static_cast<std::uint64_t>(control) << 32;
}

// How a reader that does not look wants to be woken: what `asleep` is then. 0: it looks.
inline constexpr std::uint32_t kWakeAtRing = 1;    // a client: by futex(2); the daemon: as below
inline constexpr std::uint32_t kWakeAtSocket = 2;  // by a bell

// What both sides of a ring share beside its bytes. Positions count bytes since the beginning.
struct RingState {
  alignas(64) std::atomic<std::uint64_t> written;
  alignas(64) std::atomic<std::uint64_t> read;
  alignas(64) std::atomic<std::uint32_t> asleep;
  // What a reader that sleeps by futex(2) waits at.
  std::atomic<std::uint32_t> wakes;
  // Of the ring of responses: where the daemon's loop was when it last wrote, as core_here() has it.
  std::atomic<std::uint32_t> core;
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free && std::atomic<std::uint32_t>::is_always_lock_free);

// The core that the calling thread runs on now, counted from 1; 0: cannot be told.
std::uint32_t core_here();

struct Ring {
  RingState* state = nullptr;
  char* bytes = nullptr;
};

class RingWriter {
 public:
  explicit RingWriter(Ring ring) : ring_(ring) {}

  // Bytes that can be put there; nothing if the reader claims to have read what was not written.
  std::optional<std::size_t> room() const {
    const std::uint64_t used = written_ - ring_.state->read.load(std::memory_order_acquire);
    if (used > kRingBytes) return std::nullopt;
    return kRingBytes - static_cast<std::size_t>(used);
  }
  // There must be room. The reader does not see it yet.
  void put(std::string_view bytes);
  void put(RingControl control) {
    const std::uint64_t word = ring_control(control);
    put(std::string_view(reinterpret_cast<const char*>(&word), sizeof(word)));
  }
  // Now it does. Not 0: it sleeps and has to be woken, in that way, by this caller and by nobody else.
  std::uint32_t publish() {
    ring_.state->written.store(written_, std::memory_order_seq_cst);
    return ring_.state->asleep.load(std::memory_order_seq_cst) == 0 ? 0 : ring_.state->asleep.exchange(0);
  }
  void wake_reader() { wake_reader(*ring_.state); }
  static void wake_reader(RingState& state) noexcept;
  // Of two rings at once: a thread that is woken often takes the core of its waker, who then has half as many to come back from.
  static void wake_readers(RingState& one, RingState& other) noexcept;
  RingState& state() { return *ring_.state; }
  void tell_core() {
    const std::uint32_t core = core_here();
    if (ring_.state->core.load(std::memory_order_relaxed) != core) ring_.state->core.store(core, std::memory_order_relaxed);
  }

 private:
  Ring ring_;
  // Not what the reader could have made of it.
  std::uint64_t written_ = 0;
};

class RingReader {
 public:
  explicit RingReader(Ring ring) : ring_(ring) {}

  // Bytes that can be taken; nothing if the writer claims to have written more than there is room for.
  std::optional<std::size_t> available() const {
    const std::uint64_t unread = ring_.state->written.load(std::memory_order_seq_cst) - read_;
    if (unread > kRingBytes) return std::nullopt;
    return static_cast<std::size_t>(unread);
  }
  // There must be so many.
  void take(char* to, std::size_t bytes);
  // The word that comes next; there must be one.
  std::uint64_t next_word() const;

  // Asks to be woken in that way, unless there is something to be taken: then it is false.
  bool doze(std::uint32_t wake = kWakeAtRing);
  // It looks again, whether or not it was woken.
  void stay_awake() { ring_.state->asleep.store(0, std::memory_order_relaxed); }
  // Dozes at the ring until it is woken or `time` is over.
  void sleep(std::chrono::nanoseconds time);
  // Of tell_core(); whatever the peer says.
  std::uint32_t writer_core() const { return ring_.state->core.load(std::memory_order_relaxed); }

 private:
  Ring ring_;
  std::uint64_t read_ = 0;
};

class SharedRings {
 public:
  // The daemon's.
  static Result<std::shared_ptr<SharedRings>> create();
  // The client's, of what it was sent. Does not keep the descriptor.
  static Result<std::shared_ptr<SharedRings>> map(int descriptor);
  SharedRings(const SharedRings&) = delete;
  SharedRings& operator=(const SharedRings&) = delete;
  ~SharedRings();

  Ring requests() const;
  Ring responses() const;
  // Of create(), until close_descriptor().
  int descriptor() const { return descriptor_; }
  void close_descriptor();

 private:
  SharedRings(void* memory, int descriptor) : memory_(memory), descriptor_(descriptor) {}

  void* const memory_;
  int descriptor_;
};

}  // namespace skua
