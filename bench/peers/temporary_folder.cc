#include "bench/peers/temporary_folder.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

namespace skua::bench {

Result<TemporaryFolder> TemporaryFolder::create(const std::string& parent) {
  const char* from_environment = std::getenv("TMPDIR");
  std::string path = !parent.empty() ? parent : from_environment != nullptr ? from_environment : "/tmp";
  // Absolute: servers are started in folders of their own.
  path = (std::filesystem::absolute(path) / "skua-bench-XXXXXX").string();
  if (::mkdtemp(path.data()) == nullptr) {
    return make_error(ErrorCode::kIo, fmt::format("cannot make {}: {}", path, std::strerror(errno)));
  }
  return TemporaryFolder(path);
}

TemporaryFolder::TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

}  // namespace skua::bench
