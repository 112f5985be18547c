// TemporaryDirectory: a new folder with a short path, removed with all it holds by the destructor.
//
// Short, so that a socket in it fits sun_path. A test that ends without unwinding leaves its folder behind. Any
// thread.
#pragma once

#include <string>
#include <string_view>

namespace skua::test {

class TemporaryDirectory {
 public:
  TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory();

  const std::string& path() const { return path_; }
  // The path of something in it.
  std::string operator/(std::string_view name) const;
  // Writes a file in it and returns its path.
  std::string write(std::string_view name, std::string_view content) const;

 private:
  std::string path_;
};

// A file's whole content.
std::string read_file(const std::string& path);

}  // namespace skua::test
