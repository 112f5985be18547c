// Says in the code which thread or lock protects what, in words that clang checks (-Wthread-safety).
// clang.llvm.org/docs/ThreadSafetyAnalysis.html. Other compilers see nothing.
#pragma once

#include "protocol/result.h"

#if defined(__clang__)
#define SKUA_ANNOTATE(x) __attribute__((x))
#else
#define SKUA_ANNOTATE(x)
#endif

#define SKUA_CAPABILITY(name) SKUA_ANNOTATE(capability(name))
#define SKUA_SCOPED_CAPABILITY SKUA_ANNOTATE(scoped_lockable)
#define SKUA_GUARDED_BY(x) SKUA_ANNOTATE(guarded_by(x))
#define SKUA_REQUIRES(...) SKUA_ANNOTATE(requires_capability(__VA_ARGS__))
#define SKUA_EXCLUDES(...) SKUA_ANNOTATE(locks_excluded(__VA_ARGS__))
#define SKUA_ACQUIRE(...) SKUA_ANNOTATE(acquire_capability(__VA_ARGS__))
#define SKUA_TRY_ACQUIRE(...) SKUA_ANNOTATE(try_acquire_capability(__VA_ARGS__))
#define SKUA_RELEASE(...) SKUA_ANNOTATE(release_capability(__VA_ARGS__))
#define SKUA_ASSERT_CAPABILITY(x) SKUA_ANNOTATE(assert_capability(x))

namespace skua {

// A thread as a capability. The loop thread adopts its role once; a callback that the compiler cannot follow into
// (libuv's, a std::function) starts with assert_here(), which also checks at run time.
class SKUA_CAPABILITY("thread") ThreadRole {
 public:
  void adopt() SKUA_ASSERT_CAPABILITY(this) { is_here() = true; }
  void assert_here() const SKUA_ASSERT_CAPABILITY(this) { SKUA_CHECK(is_here()); }

 private:
  static bool& is_here() {
    static thread_local bool here = false;
    return here;
  }
};

// The thread that runs the libuv loop, and with it all of net/ and core/.
inline ThreadRole loop_thread;

}  // namespace skua
