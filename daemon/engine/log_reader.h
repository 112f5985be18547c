// LogReader: reads the write-ahead log of a database as SQLite has written it.
// sqlite.org/fileformat2.html#walformat
//
// Through the writer connection's own file handles, because closing any other descriptor of a database's file
// would drop this process's locks on it. Only what is committed is there to be read: the connection's commits
// say how far that is. Whoever uses the writer connection.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <optional>

#include "daemon/engine/connection.h"
#include "protocol/result.h"

namespace skua {

class LogReader {
 public:
  explicit LogReader(Connection& writer) : writer_(writer) {}

  struct Frame {
    std::uint32_t page = 0;  // the first is 1
    std::uint32_t database_pages =
        0;  // the database's size after a commit; 0 if it is not the commit's last frame
  };

  // Tells one log in the file from the next, which starts at its first frame again. Changes with the next's
  // first commit.
  Result<std::uint64_t> salts() const;
  // Frames are numbered from 1. Without a value if it is not one of the log with these salts. The page goes to
  // `page`, which has room for one.
  Result<std::optional<Frame>> read(std::uint32_t number, std::uint64_t salts, char* page) const;

 private:
  Status read_file(std::int64_t offset, void* to, std::size_t bytes) const;

  Connection& writer_;
};

}  // namespace skua
