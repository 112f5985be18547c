#include "daemon/engine/unlinked_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace skua {

Result<std::shared_ptr<UnlinkedFile>> UnlinkedFile::create(const std::string& beside) {
  std::string path = beside + "-backup-XXXXXX";
  const int fd = ::mkostemp(path.data(), O_CLOEXEC);
  if (fd < 0) {
    return make_error(errno == ENOSPC ? ErrorCode::kDiskFull : ErrorCode::kIo,
                      fmt::format("cannot make a file for the backup beside {}: {}", beside, std::strerror(errno)));
  }
  return std::shared_ptr<UnlinkedFile>(new UnlinkedFile(fd, std::move(path)));
}

UnlinkedFile::~UnlinkedFile() {
  unlink();
  ::close(fd_);
}

void UnlinkedFile::unlink() {
  if (!path_.empty()) ::unlink(path_.c_str());
  path_.clear();
}

Result<std::uint64_t> UnlinkedFile::byte_count() const {
  struct stat status = {};
  if (::fstat(fd_, &status) != 0) {
    return make_error(ErrorCode::kIo, fmt::format("cannot read the backup's size: {}", std::strerror(errno)));
  }
  return static_cast<std::uint64_t>(status.st_size);
}

Result<std::string> UnlinkedFile::read(std::uint64_t offset, std::size_t count) const {
  std::string bytes(count, '\0');
  std::size_t done = 0;
  while (done < count) {
    const ssize_t got = ::pread(fd_, bytes.data() + done, count - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      return make_error(ErrorCode::kIo, fmt::format("cannot read the backup at {}: {}", offset + done,
                                                    got == 0 ? "it ends there" : std::strerror(errno)));
    }
    done += static_cast<std::size_t>(got);
  }
  return bytes;
}

}  // namespace skua
