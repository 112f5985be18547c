// TemporaryFolder: a new folder for a run's databases and socket, removed with all it holds by the destructor.
#pragma once

#include <string>
#include <string_view>

#include "protocol/result.h"

namespace skua::bench {

class TemporaryFolder {
 public:
  // In `parent`, or in $TMPDIR or /tmp if that is empty.
  static Result<TemporaryFolder> create(const std::string& parent);
  TemporaryFolder(TemporaryFolder&& other) noexcept;
  TemporaryFolder& operator=(TemporaryFolder&&) = delete;
  ~TemporaryFolder();

  const std::string& path() const { return path_; }
  std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  explicit TemporaryFolder(std::string path) : path_(std::move(path)) {}

  std::string path_;  // empty once moved from
};

}  // namespace skua::bench
