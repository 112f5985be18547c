#include "daemon/engine/database.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace skua {

namespace {

// SQLite's lock bytes: sqlite.org/fileformat2.html#the_lock_byte_page. unix-excl holds them for as long as it is open.
constexpr off_t kLockBytesOffset = 0x4000'0000;
constexpr off_t kLockBytes = 512;

// The process that holds a lock on the file, 0 if none. fcntl(2), F_GETLK.
pid_t lock_owner(const std::string& file) {
  // Never for a file that this process has open: closing the descriptor would drop its locks.
  const int fd = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return 0;
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = kLockBytesOffset;
  lock.l_len = kLockBytes;
  const bool held = ::fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
  ::close(fd);
  return held ? lock.l_pid : 0;
}

std::string command_of(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/comm", pid));
  std::string command;
  std::getline(file, command);
  return command;
}

Error cannot_open(const DatabaseOptions& options, const Error& cause) {
  Error error = cause;
  const auto fail = [&](std::string why) {
    error.message = fmt::format("database '{}': {}", options.name, why);
    return error;
  };
  if ((cause.sqlite_code & 0xff) == SQLITE_BUSY) {
    const pid_t owner = lock_owner(options.file);
    error.code = ErrorCode::kUnavailable;
    if (owner == 0) return fail(fmt::format("{} is locked by another process", options.file));
    return fail(fmt::format("{} is in use by process {} ({}): stop that process, or talk to it if it is a skuad",
                            options.file, owner, command_of(owner)));
  }
  if ((cause.sqlite_code & 0xff) == SQLITE_NOTADB) {
    return fail(fmt::format("{} is not an SQLite database, or it is encrypted; it was left as it is", options.file));
  }
  if ((cause.sqlite_code & 0xff) == SQLITE_CORRUPT) {
    return fail(fmt::format("{} is damaged ({}): restore it from a backup, or try the sqlite3 shell's .recover",
                            options.file, cause.message));
  }
  return fail(fmt::format("cannot open {}: {}", options.file, cause.message));
}

// What can be said better before SQLite is asked.
Status check_file(const DatabaseOptions& options) {
  const auto fail = [&](ErrorCode code, std::string why) {
    return make_error(code, fmt::format("database '{}': {}", options.name, why));
  };
  struct stat status = {};
  if (::stat(options.file.c_str(), &status) == 0) {
    if (S_ISDIR(status.st_mode)) return fail(ErrorCode::kIo, options.file + " is a directory");
    if (!S_ISREG(status.st_mode)) return fail(ErrorCode::kIo, options.file + " is not a regular file");
    if (::access(options.file.c_str(), R_OK | W_OK) != 0) {
      return fail(ErrorCode::kIo, fmt::format("{} must be readable and writable by the daemon (uid {}): {}",
                                              options.file, geteuid(), std::strerror(errno)));
    }
    return {};
  }
  if (errno != ENOENT && errno != ENOTDIR) {
    return fail(ErrorCode::kIo, fmt::format("{}: {}", options.file, std::strerror(errno)));
  }
  const std::filesystem::path folder = std::filesystem::absolute(options.file).parent_path();
  std::error_code ignored;
  if (!std::filesystem::is_directory(folder, ignored)) {
    return fail(ErrorCode::kNotFound, fmt::format("the folder {} does not exist: create it first", folder.string()));
  }
  if (!options.create) {
    return fail(ErrorCode::kNotFound,
                fmt::format("{} does not exist, and create = false forbids to create it", options.file));
  }
  if (::access(folder.c_str(), W_OK | X_OK) != 0) {
    return fail(ErrorCode::kIo, fmt::format("the folder {} must be writable by the daemon (uid {}): {}",
                                            folder.string(), geteuid(), std::strerror(errno)));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Database>> Database::open(const DatabaseOptions& options, std::uint32_t reader_slots_max) {
  SKUA_TRY(check_file(options));
  std::unique_ptr<Database> database(new Database(options, reader_slots_max));
  auto writer = Connection::open(options, ConnectionRole::kWriter);
  if (!writer) return cannot_open(options, writer.error());
  if (sqlite3_db_readonly((*writer)->handle(), "main") != 0) {
    return make_error(ErrorCode::kIo, fmt::format("database '{}': {} cannot be written by the daemon (uid {})",
                                                  options.name, options.file, geteuid()));
  }
  database->writer_ = std::move(*writer);
  database->writer_->use_commit_gate(database->commit_gate_);
  return database;
}

Database::~Database() {
  readers_.clear();
  backup_copy_.reset();
  writer_.reset();
}

Result<Connection*> Database::reader(std::uint32_t slot) {
  std::unique_ptr<Connection>& reader = readers_[slot];
  if (reader == nullptr) {
    auto opened = Connection::open(options_, ConnectionRole::kReader, frames_);
    if (!opened) {
      // Not cannot_open(): looking for the owner of a file that is open here would drop this process's own locks.
      Error error = opened.error();
      error.message = fmt::format("database '{}': cannot open a connection for reading: {}", options_.name, error.message);
      return error;
    }
    reader = std::move(*opened);
  }
  return reader.get();
}

}  // namespace skua
