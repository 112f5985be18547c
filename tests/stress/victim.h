// Victim: a forked client process that gets itself into some state, says so, and is then killed with SIGKILL.
//
// It dies with the process that made it, which must have one thread when it forks. One thread.
#pragma once

#include <sys/types.h>

#include <functional>

namespace skua::stress {

class Victim {
 public:
  // Runs in the child. It calls say_ready() when it may be killed, and goes on; when it returns, the child
  // waits.
  using Body = std::function<void(const std::function<void()>& say_ready)>;

  explicit Victim(const Body& body);
  Victim(Victim&& other) noexcept;
  Victim& operator=(Victim&&) = delete;
  ~Victim();

  // Fails if the child ends before it is ready.
  void wait_until_ready() const;
  void kill();

 private:
  pid_t pid_ = -1;
  int ready_fd_ = -1;
};

}  // namespace skua::stress
