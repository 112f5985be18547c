#include "daemon/engine/wal_space.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "protocol/limits.h"

namespace skua {

namespace {

constexpr std::uint64_t kStepBytes = kMiB;
// The file is made longer when there is less room than this: at 4 KiB a page, some sixty small commits.
constexpr std::uint64_t kRoomBytesMin = 256 * kKiB;

}  // namespace

WalSpace::~WalSpace() {
  if (fd_ >= 0) ::close(fd_);
}

bool WalSpace::look_at_file() {
  // Not there before the first read or write of the database.
  if (fd_ < 0) fd_ = ::open(wal_file_.c_str(), O_WRONLY | O_CLOEXEC);
  struct stat status = {};
  if (fd_ < 0 || ::fstat(fd_, &status) != 0) return false;
  file_bytes_ = static_cast<std::uint64_t>(status.st_size);
  return true;
}

bool WalSpace::has_room(std::uint64_t log_bytes) const {
  return fd_ >= 0 && log_bytes >= log_bytes_ && log_bytes + kRoomBytesMin <= file_bytes_;
}

void WalSpace::reserve(std::uint64_t log_bytes, std::uint64_t bytes_max) {
  const bool started_anew = log_bytes < log_bytes_;
  log_bytes_ = log_bytes;
  if ((fd_ < 0 || started_anew) && !look_at_file()) return;
  if (has_room(log_bytes) || file_bytes_ + kStepBytes > bytes_max) return;
  // SQLite may have made it longer.
  if (look_at_file() && !has_room(log_bytes)) lengthen();
}

void WalSpace::lengthen() {
  const std::vector<char> zeros(kStepBytes);
  // Behind everything that is there.
  const ssize_t written = ::pwrite(fd_, zeros.data(), zeros.size(), static_cast<off_t>(file_bytes_));
  if (written < 0) {
    spdlog::debug("cannot make {} longer: {}", wal_file_, std::strerror(errno));
  } else {
    file_bytes_ += static_cast<std::uint64_t>(written);
  }
}

}  // namespace skua
