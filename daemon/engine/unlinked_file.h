// UnlinkedFile: a file that has no name, and is gone when the last who has it lets it go. Any thread, one at a
// time.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "daemon/core/executor.h"
#include "protocol/result.h"

namespace skua {

class UnlinkedFile final : public BackupFile {
 public:
  // A new file in the folder of `beside`, which its errors name, together with what the file is: "a copy". Not in the system's
  // temporary folder, which may well be memory, or on a disk that nobody expects to be filled.
  static Result<std::shared_ptr<UnlinkedFile>> create(const std::string& beside, const std::string& what);
  ~UnlinkedFile() override;
  UnlinkedFile(const UnlinkedFile&) = delete;
  UnlinkedFile& operator=(const UnlinkedFile&) = delete;

  Result<std::uint64_t> byte_count() const;
  // Exactly that many bytes.
  Result<std::string> read(std::uint64_t offset, std::size_t count) const;
  Status read(std::uint64_t offset, std::span<char> to) const;
  // kDiskFull if there is no room for them, whatever sets the bound.
  Status write(std::uint64_t offset, std::string_view bytes);
  // kDiskFull if the disk has not so much room left.
  Status check_room(std::uint64_t bytes) const;
  // Cuts it, or fills it up with zeros.
  Status resize(std::uint64_t byte_count);

 private:
  UnlinkedFile(int fd, std::string beside, std::string what)
      : fd_(fd), beside_(std::move(beside)), what_(std::move(what)) {}
  Error failed(const char* doing) const;

  const int fd_;
  const std::string beside_;
  const std::string what_;
};

}  // namespace skua
