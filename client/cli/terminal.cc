#include "client/cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

namespace skua::cli {

bool is_terminal(int descriptor) { return ::isatty(descriptor) == 1; }

std::size_t screen_width(int descriptor) {
  if (!is_terminal(descriptor)) return 0;
  constexpr std::size_t kUsualWidth = 80;
  winsize size = {};
  if (::ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kUsualWidth;
  return size.ws_col;
}

}  // namespace skua::cli
