// Environment: where the figures come from. Without it they mean nothing.
//
// Plain data; look_around() takes a fraction of a second. Any thread.
#pragma once

#include <string>

namespace skua::bench {

struct LoadAverage {
  double minutes_1 = 0;
  double minutes_5 = 0;
  double minutes_15 = 0;
};
LoadAverage load_average();

// fdatasync(2) after 8 KiB of a file were written, median; 0 if it failed.
struct SyncCosts {
  double in_place_us = 0;    // over bytes that were there
  double after_stat_us = 0;  // the same, with an fstat(2) before the write, which may make the sync cover the inode
  double growing_us = 0;     // behind the file's end
};

struct Environment {
  std::string cpu;
  unsigned cores = 0;
  double memory_gib = 0;
  std::string kernel;
  std::string file_system;  // of the folder that holds the databases
  std::string compiler;
  std::string build_type;
  std::string peer_sqlite;  // the library that the in-process peers use
  double syscall_ns = 0;    // getppid(2), median
  double wake_up_us = 0;    // from one thread to another that has slept for some 200 us, median
  SyncCosts sync;           // in that folder
  LoadAverage load;
};
Environment look_around(const std::string& directory);

}  // namespace skua::bench
