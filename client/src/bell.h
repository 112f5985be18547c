// Canceller::Bell: what a Canceller rings and a Channel listens to.
//
// Counts its rings, and wakes a poll() through an eventfd, and who sleeps at a ring of shared memory. The count is what decides: a request remembers it at
// its start, so that a ring before the request does not concern it. ring() may run on any thread and in a
// signal handler.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>

#include "client/src/file_descriptor.h"
#include "protocol/shared_rings.h"
#include "skua/connection.h"

namespace skua {

struct Canceller::Bell {
  Bell() : event(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

  void ring() noexcept {
    const int saved_errno = errno;
    rings.fetch_add(1);
    const std::uint64_t one = 1;
    // It can only fail when the counter is full, and then the eventfd is readable already.
    [[maybe_unused]] const ssize_t written = ::write(event.get(), &one, sizeof(one));
    if (RingState* const ring = ring_.load()) RingWriter::wake_reader(*ring);
    errno = saved_errno;
  }

  // Makes the eventfd unreadable until the next ring.
  void quieten() noexcept {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t bytes = ::read(event.get(), &count, sizeof(count));
  }

  // Once: who waits may from now on sleep at this ring, too. Keeps the memory for as long as it can be rung.
  void attach(std::shared_ptr<SharedRings> memory) {
    memory_ = std::move(memory);
    ring_.store(memory_->responses().state);
  }

  FileDescriptor event;
  std::atomic<std::uint32_t> rings{0};
  static_assert(std::atomic<std::uint32_t>::is_always_lock_free && std::atomic<RingState*>::is_always_lock_free);

 private:
  std::shared_ptr<SharedRings> memory_;
  std::atomic<RingState*> ring_{nullptr};
};

}  // namespace skua
