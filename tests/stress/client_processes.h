// ClientProcesses: forked processes that each run a body with a report in shared memory.
//
// All begin their work at the same moment, and die with the process that made them. That process must have one
// thread when it forks. One thread.
#pragma once

#include <sys/types.h>

#include <functional>
#include <vector>

#include "tests/stress/worker_report.h"

namespace skua::stress {

class ClientProcesses {
 public:
  // Gets ready, calls `wait_for_start`, works. An exception from it is reported as an error.
  using Body = std::function<void(std::size_t process, WorkerReport& report,
                                  const std::function<void()>& wait_for_start)>;

  ClientProcesses(std::size_t count, const Body& body);
  ClientProcesses(const ClientProcesses&) = delete;
  ClientProcesses& operator=(const ClientProcesses&) = delete;
  ~ClientProcesses();

  // Lets all of them go once all are ready, and waits for their ends.
  void run();
  // After run().
  const std::vector<WorkerReport*>& reports() const { return reports_; }

 private:
  void be_child(std::size_t process, const Body& body);

  void* memory_ = nullptr;
  std::size_t memory_bytes_ = 0;
  std::vector<WorkerReport*> reports_;
  std::vector<pid_t> pids_;
  int ready_pipe_[2] = {-1, -1};  // a byte from each child
  int start_pipe_[2] = {-1, -1};  // closed to start
};

}  // namespace skua::stress
