// Where this build and its sources are. In one source file alone, so that a compiler's cache serves every other
// file in whatever folder the tree was checked out. Any thread.
#pragma once

#include <string>
#include <string_view>

namespace skua::test {

// The path of something in the source tree or in the folder of the build, named from its root.
std::string source_path(std::string_view name);
std::string build_path(std::string_view name);

}  // namespace skua::test
