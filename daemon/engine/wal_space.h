// WalSpace: keeps the file of the write-ahead log longer than the log in it.
//
// A commit that overwrites blocks the file already has is cheaper to sync than one that makes the file grow: fdatasync(2)
// then has no metadata to make durable beside the data. SQLite itself overwrites a log that starts anew, but a new log
// grows with every commit. What stands behind the log's end is never read: a frame counts only with the log's own salts
// and checksums (sqlite.org/fileformat2.html#the_write_ahead_log). Writer thread.
#pragma once

#include <cstdint>
#include <string>

#include "daemon/engine/connection.h"

namespace skua {

class WalSpace {
 public:
  explicit WalSpace(std::string database_file) : wal_file_(std::move(database_file) + "-wal") {}
  ~WalSpace();
  WalSpace(const WalSpace&) = delete;
  WalSpace& operator=(const WalSpace&) = delete;

  // Between jobs. Does nothing while there is room for some commits more, nor if the file would be longer than `bytes_max`,
  // nor when it cannot be made longer: the commit that really needs the room will say so.
  void reserve(Connection& writer, std::uint64_t bytes_max);

 private:
  bool open_file(Connection& writer);

  const std::string wal_file_;
  int fd_ = -1;
  std::uint64_t frame_bytes_ = 0;
};

}  // namespace skua
