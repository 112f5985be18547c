// PartFile: a file that gets its name when it is complete.
//
// Until then it has none, so that nothing is left of it if the process is killed; where the file system cannot do that it is
// named FILE.part-XXXXXXXX, and removed with this. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "client/src/file_descriptor.h"
#include "protocol/result.h"

namespace skua {

class PartFile {
 public:
  // kUsage if there is such a file and it may not be replaced.
  static Result<PartFile> create(const std::string& file, bool replace);
  PartFile(PartFile&& other) noexcept;
  PartFile& operator=(PartFile&&) = delete;
  ~PartFile();

  Status write(std::string_view bytes);
  // Syncs the file, names it, and syncs its folder.
  Status finish();

 private:
  PartFile(std::string file, bool replace) : file_(std::move(file)), replace_(replace) {}
  Error failed(const char* doing) const;
  Status write_back();
  // A name of its own for the time being.
  Status open_named();
  Status name_part();
  Status sync_folder() const;

  std::string file_;
  bool replace_;
  FileDescriptor descriptor_;
  std::int64_t written_bytes_ = 0;
  std::int64_t begun_bytes_ = 0;  // so many are on their way to the disk
  std::int64_t done_bytes_ = 0;   // so many are there
  std::string part_;  // the temporary name; empty if it has none
};

}  // namespace skua
