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

// sqlite.org/fileformat2.html#walformat
constexpr std::uint64_t kWalHeaderBytes = 32;
constexpr std::uint64_t kFrameHeaderBytes = 24;
constexpr std::uint64_t kStepBytes = kMiB;
// The file is made longer when there is less room than this: at 4 KiB a page, some sixty small commits.
constexpr std::uint64_t kRoomBytesMin = 256 * kKiB;

}  // namespace

WalSpace::~WalSpace() {
  if (fd_ >= 0) ::close(fd_);
}

bool WalSpace::open_file(Connection& writer) {
  if (fd_ >= 0) return true;
  frame_bytes_ = writer.page_bytes() + kFrameHeaderBytes;
  // Not there before the first read or write of the database.
  fd_ = ::open(wal_file_.c_str(), O_WRONLY | O_CLOEXEC);
  return fd_ >= 0;
}

void WalSpace::reserve(Connection& writer, std::uint64_t bytes_max) {
  struct stat status = {};
  if (writer.in_transaction() || !open_file(writer) || ::fstat(fd_, &status) != 0) return;
  const std::uint64_t log_end = kWalHeaderBytes + static_cast<std::uint64_t>(writer.wal_pages()) * frame_bytes_;
  const auto file_end = static_cast<std::uint64_t>(status.st_size);
  if (log_end + kRoomBytesMin <= file_end || file_end + kStepBytes > bytes_max) return;
  const std::vector<char> zeros(kStepBytes);
  // Behind everything that is there; only this thread writes to the file.
  if (::pwrite(fd_, zeros.data(), zeros.size(), status.st_size) < 0) {
    spdlog::debug("cannot make {} longer: {}", wal_file_, std::strerror(errno));
  }
}

}  // namespace skua
