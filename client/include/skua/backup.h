// What a caller may say about a backup, and what it is told. Plain data.
#pragma once

#include <cstdint>
#include <functional>

namespace skua {

// How far it is.
struct BackupProgress {
  // First the daemon copies the database, then the copy is fetched.
  bool is_fetching = false;
  // Pages while the daemon copies, bytes while the copy is fetched. The total is not known before it begins to copy, and
  // may grow while it does.
  std::uint64_t done = 0;
  std::uint64_t total = 0;
};

// How it is to be made.
struct BackupOptions {
  // A file of that name is replaced; otherwise it is an error.
  bool replace = false;
  // Called now and then, on the caller's thread.
  std::function<void(const BackupProgress&)> on_progress = nullptr;
};

// What was made.
struct BackupSummary {
  std::uint64_t bytes = 0;  // of the file
};

}  // namespace skua
