// What a descriptor is connected to. Any thread.
#pragma once

#include <cstddef>

namespace skua::cli {

bool is_terminal(int descriptor);
// In columns; 0 if it is not a terminal.
std::size_t screen_width(int descriptor);

}  // namespace skua::cli
