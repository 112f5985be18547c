// StreamFile: the rows of a stream that wait for its client: finished responses, one behind the other, in a file without a
// name beside the database. Any thread, one at a time.
//
// Beside the database, because its disk is one that the operator has sized for data, and the system's temporary folder may be
// memory. So that writes do not find the disk full because of it, some of it is always left to them.
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <span>
#include <string>

#include "daemon/core/executor.h"
#include "daemon/engine/cursor.h"
#include "daemon/engine/unlinked_file.h"
#include "protocol/limits.h"
#include "protocol/result.h"

namespace skua {

// How long a slice takes, about. Who waits for a thread waits for it.
inline constexpr std::chrono::microseconds kSpoolSliceTime{5'000};
// What is left of the disk for the database's own files.
inline constexpr std::uint64_t kSpoolDiskReserveBytes = 256 * kMiB;

class StreamFile final : public SpoolFile {
 public:
  // A kSpool: the cursor's next responses, until the slice is over, the job's room is used or the cursor has ended: false.
  // Makes the file, beside the database's, if the job has none.
  static Result<bool> fill(Cursor& cursor, const std::string& database_file, Job& job);
  // A kSpoolRead: the next response. The last of all ends the request.
  static void read(Job& job);

 private:
  explicit StreamFile(std::shared_ptr<UnlinkedFile> file) : file_(std::move(file)) {}

  Result<bool> fill(Cursor& cursor, std::uint64_t room_bytes);
  Status append(Frame frame);
  Result<Frame> take();
  bool has_rows() const { return !sizes_.empty() || !pending_.empty(); }
  void report(Job& job) const;

  const std::shared_ptr<UnlinkedFile> file_;
  std::uint64_t write_offset_ = 0;
  std::uint64_t read_offset_ = 0;
  // Bytes of the responses in the file that are to be read, in order.
  std::deque<std::uint32_t> sizes_;
  // The one behind them, if there was no room for it.
  Frame pending_;
  bool complete_ = false;
};

}  // namespace skua
