#include "tests/support/temporary_directory.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "tests/support/failure.h"

namespace skua::test {

TemporaryDirectory::TemporaryDirectory() {
  std::string path = "/tmp/skua-XXXXXX";
  require(::mkdtemp(path.data()) != nullptr, "cannot make a folder in /tmp");
  path_ = path;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TemporaryDirectory::operator/(std::string_view name) const {
  return path_ + "/" + std::string(name);
}

std::string TemporaryDirectory::write(std::string_view name, std::string_view content) const {
  const std::string path = *this / name;
  std::ofstream out(path, std::ios::binary);
  out.write(content.data(), static_cast<std::streamsize>(content.size()));
  out.close();
  require(!out.fail(), "cannot write " + path);
  return path;
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  require(in.is_open(), "cannot read " + path);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

}  // namespace skua::test
