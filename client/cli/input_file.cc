#include "client/cli/input_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "client/cli/interrupt.h"

namespace skua::cli {

namespace {

Error file_error(ErrorCode code, std::string_view what, const std::string& name, int number) {
  return make_error(code, fmt::format("cannot {} {}: {}", what, name, std::generic_category().message(number)));
}

}  // namespace

Result<InputFile> InputFile::open(const std::string& name) {
  if (name == "-") return InputFile(STDIN_FILENO, "stdin");
  const int descriptor = ::open(name.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return file_error(ErrorCode::kUsage, "open", name, errno);
  InputFile file(descriptor, name);
  struct stat status = {};
  if (::fstat(descriptor, &status) == 0 && S_ISDIR(status.st_mode)) {
    return file_error(ErrorCode::kUsage, "read", name, EISDIR);
  }
  if (S_ISREG(status.st_mode)) file.size_bytes_ = static_cast<std::uint64_t>(status.st_size);
  return file;
}

InputFile::InputFile(int descriptor, std::string name) : descriptor_(descriptor), name_(std::move(name)) {}

InputFile::InputFile(InputFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      name_(std::move(other.name_)),
      size_bytes_(other.size_bytes_),
      buffer_(std::move(other.buffer_)) {}

InputFile::~InputFile() {
  if (descriptor_ > STDERR_FILENO) ::close(descriptor_);
}

Result<std::string_view> InputFile::read() {
  buffer_.resize(kPieceBytes);
  while (true) {
    if (Interrupt::requested()) return make_error(ErrorCode::kCancelled, "interrupted");
    const ssize_t size = ::read(descriptor_, buffer_.data(), buffer_.size());
    if (size >= 0) return std::string_view(buffer_.data(), static_cast<std::size_t>(size));
    if (errno != EINTR) return file_error(ErrorCode::kIo, "read", name_, errno);
  }
}

}  // namespace skua::cli
