// OutputFile: buffered writing to a descriptor, for results. Never used for status lines.
//
// Writing never fails at once: after the first failure everything is dropped, and state() tells. Holds at most
// kFlushBytes and the largest single piece written. One thread. Does not own the descriptor.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace skua::cli {

class OutputFile {
 public:
  enum class State {
    kOpen,
    kReaderGone,   // EPIPE: whoever read the output has left, as `head` does
    kInterrupted,  // Ctrl-C while the reader was slow
    kFailed,       // error_number() says why
  };

  static constexpr std::size_t kFlushBytes = 64 * 1024;

  explicit OutputFile(int descriptor) : descriptor_(descriptor) { buffer_.reserve(kFlushBytes + 4096); }
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  // Drops what was not flushed.
  ~OutputFile() = default;

  void write(std::string_view bytes) {
    buffer_.append(bytes);
    if (buffer_.size() >= kFlushBytes) flush();
  }
  void write(char byte) { write(std::string_view(&byte, 1)); }
  void repeat(std::size_t count, char byte);
  void flush();
  // After kInterrupted: drops what was to be written and goes on.
  void resume();

  State state() const { return state_; }
  bool is_open() const { return state_ == State::kOpen; }
  int error_number() const { return error_number_; }

 private:
  int descriptor_;
  std::string buffer_;
  State state_ = State::kOpen;
  int error_number_ = 0;
};

}  // namespace skua::cli
