// Owning libuv handles: closing one is asynchronous, so the deleter frees it in the close callback. Loop thread.
// docs.libuv.org/en/v1.x/handle.html#c.uv_close
#pragma once

#include <uv.h>

#include <memory>

namespace skua {

template <class Handle>
struct UvClose {
  void operator()(Handle* handle) const {
    uv_close(reinterpret_cast<uv_handle_t*>(handle),
             [](uv_handle_t* closed) { delete reinterpret_cast<Handle*>(closed); });
  }
};

template <class Handle>
using UvHandle = std::unique_ptr<Handle, UvClose<Handle>>;

}  // namespace skua
