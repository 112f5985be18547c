// UnlinkedFile: a file that has no name any more, and is gone when the last who has it lets it go. Any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "daemon/core/executor.h"
#include "protocol/result.h"

namespace skua {

class UnlinkedFile final : public BackupFile {
 public:
  // A new file beside `beside`; it still has the name path(), until unlink().
  static Result<std::shared_ptr<UnlinkedFile>> create(const std::string& beside);
  ~UnlinkedFile() override;
  UnlinkedFile(const UnlinkedFile&) = delete;
  UnlinkedFile& operator=(const UnlinkedFile&) = delete;

  const std::string& path() const { return path_; }
  void unlink();

  Result<std::uint64_t> byte_count() const;
  // Exactly that many bytes.
  Result<std::string> read(std::uint64_t offset, std::size_t count) const;

 private:
  UnlinkedFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}

  const int fd_;
  std::string path_;  // empty once it is unlinked
};

}  // namespace skua
