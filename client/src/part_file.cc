#include "client/src/part_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <random>
#include <utility>

namespace skua {

namespace {

constexpr mode_t kMode = 0666;  // less the umask

// The disk is given so much at a time, and the next while the last is written. All at once, by the sync at the end, would keep
// the daemon's own syncs on that disk waiting behind it.
constexpr std::int64_t kWritebackBytes = 4 * 1024 * 1024;

std::string folder_of(const std::string& file) {
  const std::size_t slash = file.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : file.substr(0, slash);
}

std::string part_name(const std::string& file) { return fmt::format("{}.part-{:08x}", file, std::random_device()()); }

// How a file without a name is told apart from others: open(2), O_TMPFILE.
std::string descriptor_path(int descriptor) { return fmt::format("/proc/self/fd/{}", descriptor); }

}  // namespace

PartFile::PartFile(PartFile&& other) noexcept
    : file_(std::move(other.file_)),
      replace_(other.replace_),
      descriptor_(std::move(other.descriptor_)),
      written_bytes_(other.written_bytes_),
      begun_bytes_(other.begun_bytes_),
      done_bytes_(other.done_bytes_),
      part_(std::exchange(other.part_, std::string())) {}

PartFile::~PartFile() {
  if (!part_.empty()) ::unlink(part_.c_str());
}

Error PartFile::failed(const char* doing) const {
  const ErrorCode code =
      errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? ErrorCode::kDiskFull : ErrorCode::kIo;
  return make_error(code, fmt::format("cannot {} {}: {}", doing, file_, std::strerror(errno)));
}

Result<PartFile> PartFile::create(const std::string& file, bool replace) {
  PartFile part(file, replace);
  struct stat status = {};
  if (::lstat(file.c_str(), &status) == 0) {
    if (!replace) return make_error(ErrorCode::kUsage, fmt::format("{} exists already", file));
    if (!S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode)) {
      return make_error(ErrorCode::kUsage, fmt::format("{} is not a file", file));
    }
  }
  part.descriptor_ = FileDescriptor(::open(folder_of(file).c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, kMode));
  // Not every file system has files without names.
  if (!part.descriptor_.is_open()) SKUA_TRY(part.open_named());
  return part;
}

Status PartFile::open_named() {
  const std::string name = part_name(file_);
  descriptor_ = FileDescriptor(::open(name.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, kMode));
  if (!descriptor_.is_open()) return failed("create");
  part_ = name;
  return {};
}

Status PartFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failed("write to");
    bytes.remove_prefix(static_cast<std::size_t>(written));
    written_bytes_ += written;
  }
  if (written_bytes_ - begun_bytes_ < kWritebackBytes) return {};
  return write_back();
}

Status PartFile::write_back() {
  const int now = SYNC_FILE_RANGE_WRITE;
  const int wait = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
  const std::int64_t next = std::exchange(begun_bytes_, written_bytes_);
  const bool begun = ::sync_file_range(descriptor_.get(), next, written_bytes_ - next, now) == 0;
  const std::int64_t last = std::exchange(done_bytes_, next);
  const bool done = begun && (next == last || ::sync_file_range(descriptor_.get(), last, next - last, wait) == 0);
  // What is reported here is not reported once more by fsync(2). Anything else means that this is no such file.
  const bool failed_to_write = !done && (errno == EIO || errno == ENOSPC || errno == EDQUOT);
  if (failed_to_write) return failed("write to");
  return {};
}

Status PartFile::name_part() {
  if (!part_.empty()) return {};
  const std::string name = part_name(file_);
  if (::linkat(AT_FDCWD, descriptor_path(descriptor_.get()).c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) != 0) {
    return failed("create");
  }
  part_ = name;
  return {};
}

Status PartFile::finish() {
  if (::fsync(descriptor_.get()) != 0) return failed("sync");
  SKUA_TRY(name_part());
  if (replace_) {
    if (::rename(part_.c_str(), file_.c_str()) != 0) return failed("create");
    part_.clear();
    return sync_folder();
  }
  // A link, unlike a rename, never replaces what somebody else has put there meanwhile.
  if (::link(part_.c_str(), file_.c_str()) != 0) return failed("create");
  ::unlink(std::exchange(part_, std::string()).c_str());
  return sync_folder();
}

Status PartFile::sync_folder() const {
  const FileDescriptor folder(::open(folder_of(file_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.is_open() || ::fsync(folder.get()) != 0) return failed("sync the folder of");
  return {};
}

}  // namespace skua
