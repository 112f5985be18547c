// WalSpace: keeps the file of the write-ahead log longer than the log in it.
//
// A commit that overwrites blocks the file already has is cheaper to sync than one that makes the file grow: fdatasync(2)
// then has no metadata to make durable beside the data. SQLite itself overwrites a log that starts anew, but a new log
// grows with every commit. What stands behind the log's end is never read: a frame counts only with the log's own salts
// and checksums (sqlite.org/fileformat2.html#the_write_ahead_log). Writer thread.
#pragma once

#include <cstdint>
#include <string>

namespace skua {

class WalSpace {
 public:
  explicit WalSpace(std::string database_file) : wal_file_(std::move(database_file) + "-wal") {}
  ~WalSpace();
  WalSpace(const WalSpace&) = delete;
  WalSpace& operator=(const WalSpace&) = delete;

  // Whether there is room for some commits behind the log's `log_bytes`, as far as known.
  bool has_room(std::uint64_t log_bytes) const;
  // Between transactions. Does nothing while there is room for some commits behind the log's `log_bytes`, nor if the file
  // would be longer than `bytes_max`, nor when it cannot be made longer: the commit that really needs the room will say so.
  void reserve(std::uint64_t log_bytes, std::uint64_t bytes_max);

 private:
  bool look_at_file();
  void lengthen();

  const std::string wal_file_;
  int fd_ = -1;
  std::uint64_t log_bytes_ = 0;
  // As far as known: only this thread makes the file longer, and SQLite cuts it only when the log starts anew. Asked for as
  // rarely as can be, because stat(2) has its price at the next sync: Linux then stamps the next write with a time of its
  // own (multigrain timestamps, since 6.13), and syncs the inode for it.
  std::uint64_t file_bytes_ = 0;
};

}  // namespace skua
