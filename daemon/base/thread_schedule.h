// How the scheduler treats the calling thread. On Linux what is called a process's is a thread's: sched(7). Neither needs a
// privilege; where the kernel refuses, or has no slices of a thread's own (before Linux 6.12), threads stay as they are.
#pragma once

namespace skua {

// For threads that run for microseconds and that others wait for: a short time slice, with which one that wakes up is let run at
// once, and takes no larger share for it. sched_setattr(2), sched_runtime.
void schedule_promptly();
// For threads whose work is long: the same, so that they are not kept waiting for their whole slice either, at a third of the
// weight: nice(2) 5 more than the thread has now.
void schedule_behind_others();

}  // namespace skua
