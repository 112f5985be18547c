#include "daemon/engine/unlinked_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace skua {

namespace {

bool is_full(int error) { return error == ENOSPC || error == EDQUOT || error == EFBIG; }

int open_without_name(const std::string& beside) {
  const std::string folder = std::filesystem::absolute(beside).parent_path();
  const int fd = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (fd >= 0) return fd;
  // Not every file system has files without names.
  std::string path = beside + "-unlinked-XXXXXX";
  const int named = ::mkostemp(path.data(), O_CLOEXEC);
  if (named >= 0) ::unlink(path.c_str());
  return named;
}

}  // namespace

Error UnlinkedFile::failed(const char* doing) const {
  return make_error(is_full(errno) ? ErrorCode::kDiskFull : ErrorCode::kIo,
                    fmt::format("cannot {} {} beside {}: {}", doing, what_, beside_, std::strerror(errno)));
}

Result<std::shared_ptr<UnlinkedFile>> UnlinkedFile::create(const std::string& beside,
                                                                  const std::string& what) {
  const int fd = open_without_name(beside);
  std::shared_ptr<UnlinkedFile> file(new UnlinkedFile(fd, beside, what));
  if (fd < 0) return file->failed("make");
  return file;
}

UnlinkedFile::~UnlinkedFile() {
  if (fd_ >= 0) ::close(fd_);
}

Result<std::uint64_t> UnlinkedFile::byte_count() const {
  struct stat status = {};
  if (::fstat(fd_, &status) != 0) return failed("look at");
  return static_cast<std::uint64_t>(status.st_size);
}

Result<std::string> UnlinkedFile::read(std::uint64_t offset, std::size_t count) const {
  std::string bytes(count, '\0');
  SKUA_TRY(read(offset, bytes));
  return bytes;
}

Status UnlinkedFile::read(std::uint64_t offset, std::span<char> to) const {
  while (!to.empty()) {
    const ssize_t got = ::pread(fd_, to.data(), to.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed("read");
    if (got == 0) return make_error(ErrorCode::kIo, fmt::format("{} beside {} is shorter than it was", what_, beside_));
    to = to.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
  return {};
}

Status UnlinkedFile::write(std::uint64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failed("write");
    bytes.remove_prefix(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
  return {};
}

Status UnlinkedFile::check_room(std::uint64_t bytes) const {
  struct statvfs status = {};
  if (::fstatvfs(fd_, &status) != 0) return failed("look at");
  const std::uint64_t room_bytes = std::uint64_t{status.f_bavail} * status.f_frsize;
  if (bytes <= room_bytes) return {};
  return make_error(
      ErrorCode::kDiskFull,
      fmt::format("{} beside {} takes {} bytes, and the disk has room for {}", what_, beside_, bytes, room_bytes));
}

Status UnlinkedFile::resize(std::uint64_t byte_count) {
  if (::ftruncate(fd_, static_cast<off_t>(byte_count)) != 0) return failed("write");
  return {};
}

}  // namespace skua
