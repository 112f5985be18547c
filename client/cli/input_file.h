// InputFile: a file or standard input, read in large pieces. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/result.h"

namespace skua::cli {

class InputFile {
 public:
  static constexpr std::size_t kPieceBytes = 256 * 1024;

  // "-" is standard input. kUsage if the file cannot be opened or is a directory.
  static Result<InputFile> open(const std::string& name);
  InputFile(InputFile&& other) noexcept;
  InputFile& operator=(InputFile&&) = delete;
  ~InputFile();

  // The next piece, empty at the end. It lives until the next call. kCancelled after Ctrl-C, kIo if the file
  // cannot be read.
  Result<std::string_view> read();

  // For messages: the file's name, or "stdin".
  const std::string& name() const { return name_; }
  // 0 if unknown.
  std::uint64_t size_bytes() const { return size_bytes_; }

 private:
  InputFile(int descriptor, std::string name);

  int descriptor_;
  std::string name_;
  std::uint64_t size_bytes_ = 0;
  std::string buffer_;
};

}  // namespace skua::cli
