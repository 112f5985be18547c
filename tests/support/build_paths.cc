#include "tests/support/build_paths.h"

namespace skua::test {

std::string source_path(std::string_view name) { return std::string(SKUA_SOURCE_DIR "/").append(name); }

std::string build_path(std::string_view name) { return std::string(SKUA_BUILD_DIR "/").append(name); }

}  // namespace skua::test
