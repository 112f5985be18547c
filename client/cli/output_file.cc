#include "client/cli/output_file.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "client/cli/interrupt.h"

namespace skua::cli {

void OutputFile::repeat(std::size_t count, char byte) {
  constexpr std::size_t kPiece = 1024;
  while (count > 0) {
    const std::size_t size = std::min(count, kPiece);
    buffer_.append(size, byte);
    if (buffer_.size() >= kFlushBytes) flush();
    count -= size;
  }
}

void OutputFile::flush() {
  std::string_view rest = buffer_;
  while (!rest.empty() && state_ == State::kOpen) {
    const ssize_t written = ::write(descriptor_, rest.data(), rest.size());
    if (written >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      // Someone else made the descriptor non-blocking: it may be shared with another program.
      pollfd ready{descriptor_, POLLOUT, 0};
      ::poll(&ready, 1, -1);
      if (Interrupt::requested()) state_ = State::kInterrupted;
    } else if (errno == EINTR) {
      if (Interrupt::requested()) state_ = State::kInterrupted;
    } else {
      error_number_ = errno;
      state_ = errno == EPIPE ? State::kReaderGone : State::kFailed;
    }
  }
  buffer_.clear();
  // One huge value must not keep its memory for the rest of the run.
  if (buffer_.capacity() > 16 * kFlushBytes) {
    buffer_.shrink_to_fit();
    buffer_.reserve(kFlushBytes + 4096);
  }
}

void OutputFile::resume() {
  if (state_ != State::kInterrupted) return;
  buffer_.clear();
  state_ = State::kOpen;
}

}  // namespace skua::cli
