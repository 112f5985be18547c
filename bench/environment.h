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
  double fdatasync_us = 0;  // after 8 KiB of a file in that folder were overwritten, median; 0 if it failed
  LoadAverage load;
};
Environment look_around(const std::string& directory);

}  // namespace skua::bench
