// PowerLoss: makes a database's files what they could be after the power failed, from the undo journals that
// the daemon left when it was killed.
//
// What was synced stays. Of the writes since then a disk may have kept any part: sectors of 512 bytes, in any
// order. Only for files that no process has open. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/crash/undo_journal.h"
#include "tests/support/random.h"

namespace skua::test {

enum class PowerLossKind {
  kEverything,  // nothing unsynced was kept
  kSuffix,      // the first of the writes were kept, and a part of the one after them
  kSectors,     // any sectors of any writes were kept
};

class PowerLoss {
 public:
  static constexpr std::uint64_t kSectorBytes = 512;

  PowerLoss(PowerLossKind kind, Random& random) : kind_(kind), random_(random) {}

  // The database, its log and its rollback journal, as far as they exist. Removes the undo journals.
  void strike_database(const std::string& file);
  void strike(const std::string& file);

  // Of all files so far.
  std::uint64_t unsynced_writes() const { return unsynced_writes_; }

 private:
  void undo(const UndoRecord& record);
  // Undoes each sector with this chance out of eight.
  void tear(const UndoRecord& record, std::uint32_t eighths);
  void tear_all(const std::vector<UndoRecord>& records);

  const PowerLossKind kind_;
  Random& random_;
  std::string image_;           // the file under work
  std::uint64_t kept_end_ = 0;  // of it: behind the last byte that was kept
  std::uint64_t unsynced_writes_ = 0;
};

}  // namespace skua::test
