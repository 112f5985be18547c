// FaultyDisk: makes the disk under the databases of this process fail when a test says so: SQLite's "unix-excl" with faults.
//
// Takes its place in SQLite for as long as it lives; databases must be opened after it and closed before it goes. One
// disk at a time.
#pragma once

#include <sqlite3.h>

#include <atomic>

namespace skua::test {

class FaultyDisk {
 public:
  FaultyDisk();
  ~FaultyDisk();
  FaultyDisk(const FaultyDisk&) = delete;
  FaultyDisk& operator=(const FaultyDisk&) = delete;

  // The result of the next calls, of as many as `times` says.
  struct Fault {
    std::atomic<int> code{SQLITE_OK};
    std::atomic<int> left{0};

    void set(int result, int times) {
      left = times;
      code = result;
    }
    // The fault of this call, or SQLITE_OK.
    int take();
  };
  Fault write;
  Fault sync;
  // Calls that went well.
  std::atomic<int> syncs{0};

 private:
  sqlite3_vfs vfs_ = {};
};

}  // namespace skua::test
