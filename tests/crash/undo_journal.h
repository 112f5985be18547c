// UndoJournal: what a file must be given back so that the writes since its last sync never happened.
//
// It lies beside its file, as FILE-undo. A daemon under test records each change before it makes it, and
// forgets them all when the file is synced. Journal and file are in the kernel's page cache, which a SIGKILL of
// the daemon does not touch; apply_power_loss() reads what is left. Only one connection writes to a file, so it
// needs no lock.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace skua::test {

enum class ChangeKind : std::uint32_t { kWrite = 1, kTruncate = 2 };

struct UndoRecord {
  ChangeKind kind = ChangeKind::kWrite;
  std::uint64_t offset = 0;       // a truncation's: the new size
  std::uint64_t byte_count = 0;   // that are written, or cut off
  std::uint64_t size_before = 0;  // of the file
  std::string bytes_before;       // those of the range that were in the file

  // How much of the range was in the file.
  std::uint64_t bytes_before_count() const;
};

class UndoJournal {
 public:
  // Makes no file before the first add().
  explicit UndoJournal(const std::string& file);
  UndoJournal(const UndoJournal&) = delete;
  UndoJournal& operator=(const UndoJournal&) = delete;
  ~UndoJournal();

  // False if it could not be written; the change must not be made then.
  bool add(const UndoRecord& record);
  // The file was synced: everything in it stays.
  void forget();

  static std::string path_of(const std::string& file) { return file + "-undo"; }
  // Oldest first; empty without a journal. A last record that was not written whole is left out: its change was
  // not made.
  static std::vector<UndoRecord> read(const std::string& file);
  // With its file.
  static void remove(const std::string& file);

 private:
  std::string path_;
  int fd_ = -1;
};

}  // namespace skua::test
