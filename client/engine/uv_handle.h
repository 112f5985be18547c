// UvHandle owns a libuv handle, and closes it. Closing is asynchronous: the memory goes in the loop's turn after, and no
// callback but that comes once the owner is gone. Thread: the loop's.
// docs.libuv.org/en/v1.x/handle.html#c.uv_close
#pragma once

#include <uv.h>

#include <memory>

namespace skua {

struct UvClose {
  template <class Handle>
  void operator()(Handle* handle) const {
    uv_close(reinterpret_cast<uv_handle_t*>(handle),
             [](uv_handle_t* closed) { delete reinterpret_cast<Handle*>(closed); });
  }
};

template <class Handle>
using UvHandle = std::unique_ptr<Handle, UvClose>;

}  // namespace skua
