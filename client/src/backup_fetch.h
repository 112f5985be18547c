// BackupFetch: one backup: asks for it, tells how far it is, and writes what comes into a file. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "client/src/channel.h"
#include "client/src/part_file.h"
#include "skua/backup.h"

namespace skua {

// kUsage if a log lies beside where the copy is to be: whoever opens the copy would take it for the copy's own.
// It means that a database of that name is in use, maybe the very one that is copied, or that its last user was
// killed.
Status check_backup_target(const std::string& file);

class BackupFetch {
 public:
  BackupFetch(std::shared_ptr<Channel> channel, const BackupOptions& options)
      : channel_(std::move(channel)), options_(options) {}
  // Gives the daemon its resources back if the backup is not complete.
  ~BackupFetch();
  BackupFetch(const BackupFetch&) = delete;
  BackupFetch& operator=(const BackupFetch&) = delete;

  // All of it. The file has its name when this has succeeded.
  Result<BackupSummary> run(Request request, PartFile file);

 private:
  Status receive(PartFile& file);
  Status take(const RowsReply& rows, std::size_t byte_count, PartFile& file);
  void tell(const BackupProgress& progress);

  std::shared_ptr<Channel> channel_;
  const BackupOptions& options_;
  std::uint64_t id_ = 0;
  bool is_under_way_ = false;
  std::uint64_t page_count_ = 0;
  std::uint64_t page_bytes_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t taken_bytes_ = 0;  // since the last grant
};

}  // namespace skua
