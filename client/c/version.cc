#include <string_view>

#include "skua.h"

#define SKUA_TEXT_OF_INNER(a, b, c) #a "." #b "." #c
#define SKUA_TEXT_OF(a, b, c) SKUA_TEXT_OF_INNER(a, b, c)

namespace {

constexpr const char* kVersion = SKUA_TEXT_OF(SKUA_VERSION_MAJOR, SKUA_VERSION_MINOR, SKUA_VERSION_PATCH);
static_assert(std::string_view(kVersion) == SKUA_PROJECT_VERSION, "skua.h and CMakeLists.txt say the same version");

}  // namespace

const char* skua_version() { return kVersion; }
