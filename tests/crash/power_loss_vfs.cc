// An SQLite VFS that keeps an undo journal of the files of databases, so that a test can make the power fail:
// link it into a program, and SQLite's "unix-excl" is this one from the program's start. See
// sqlite.org/c3ref/vfs.html.
//
// It wraps the VFS that had the name before. Databases, their logs and rollback journals have undo journals;
// temporary files do not. Files that are created or deleted are so at once and for good, as if SQLite had
// synced their folder. Memory mapping is off: what is stored through a mapping passes no VFS.
//
// With SKUA_TEST_IGNORE_SYNC in the environment a sync does nothing and succeeds: a disk that lies.
#include <sqlite3.h>

#include <cstdlib>
#include <string>

#include "tests/crash/undo_journal.h"

namespace skua::test {

namespace {

constexpr int kJournalled = SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL;

sqlite3_vfs* wrapped_vfs = nullptr;

// SQLite allocates szOsFile bytes for one: this, and behind it the file of the wrapped VFS.
struct PowerLossFile {
  sqlite3_file base;
  UndoJournal* journal;  // owned; null for files without

  static PowerLossFile* of(sqlite3_file* file) { return reinterpret_cast<PowerLossFile*>(file); }
  sqlite3_file* wrapped() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

sqlite3_file* wrapped(sqlite3_file* file) { return PowerLossFile::of(file)->wrapped(); }

// Records that the range is about to change.
int record(PowerLossFile* file, ChangeKind kind, sqlite3_int64 offset, sqlite3_int64 byte_count,
           sqlite3_int64 size_before) {
  UndoRecord change;
  change.kind = kind;
  change.offset = static_cast<std::uint64_t>(offset);
  change.byte_count = static_cast<std::uint64_t>(byte_count);
  change.size_before = static_cast<std::uint64_t>(size_before);
  change.bytes_before.resize(change.bytes_before_count());
  if (!change.bytes_before.empty()) {
    // Through SQLite's own descriptor: closing another one would drop the locks of this process (fcntl(2)).
    const int code = file->wrapped()->pMethods->xRead(file->wrapped(), change.bytes_before.data(),
                                                      static_cast<int>(change.bytes_before.size()), offset);
    if (code != SQLITE_OK) return code;
  }
  return file->journal->add(change) ? SQLITE_OK : SQLITE_IOERR_WRITE;
}

int close_file(sqlite3_file* file) {
  delete PowerLossFile::of(file)->journal;
  PowerLossFile::of(file)->journal = nullptr;
  return wrapped(file)->pMethods->xClose(wrapped(file));
}

int read_file(sqlite3_file* file, void* bytes, int byte_count, sqlite3_int64 offset) {
  return wrapped(file)->pMethods->xRead(wrapped(file), bytes, byte_count, offset);
}

int write_file(sqlite3_file* file, const void* bytes, int byte_count, sqlite3_int64 offset) {
  sqlite3_file* inner = wrapped(file);
  if (PowerLossFile::of(file)->journal != nullptr) {
    sqlite3_int64 size = 0;
    if (const int code = inner->pMethods->xFileSize(inner, &size); code != SQLITE_OK) return code;
    const int code = record(PowerLossFile::of(file), ChangeKind::kWrite, offset, byte_count, size);
    if (code != SQLITE_OK) return code;
  }
  return inner->pMethods->xWrite(inner, bytes, byte_count, offset);
}

int truncate_file(sqlite3_file* file, sqlite3_int64 new_size) {
  sqlite3_file* inner = wrapped(file);
  if (PowerLossFile::of(file)->journal != nullptr) {
    sqlite3_int64 size = 0;
    if (const int code = inner->pMethods->xFileSize(inner, &size); code != SQLITE_OK) return code;
    const sqlite3_int64 cut_bytes = size > new_size ? size - new_size : 0;
    const int code = record(PowerLossFile::of(file), ChangeKind::kTruncate, new_size, cut_bytes, size);
    if (code != SQLITE_OK) return code;
  }
  return inner->pMethods->xTruncate(inner, new_size);
}

int sync_file(sqlite3_file* file, int flags) {
  if (std::getenv("SKUA_TEST_IGNORE_SYNC") != nullptr) return SQLITE_OK;
  const int code = wrapped(file)->pMethods->xSync(wrapped(file), flags);
  if (code == SQLITE_OK && PowerLossFile::of(file)->journal != nullptr)
    PowerLossFile::of(file)->journal->forget();
  return code;
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
  return wrapped(file)->pMethods->xFileSize(wrapped(file), size);
}

int lock_file(sqlite3_file* file, int level) { return wrapped(file)->pMethods->xLock(wrapped(file), level); }

int unlock_file(sqlite3_file* file, int level) {
  return wrapped(file)->pMethods->xUnlock(wrapped(file), level);
}

int check_reserved_lock(sqlite3_file* file, int* reserved) {
  return wrapped(file)->pMethods->xCheckReservedLock(wrapped(file), reserved);
}

int control_file(sqlite3_file* file, int operation, void* argument) {
  return wrapped(file)->pMethods->xFileControl(wrapped(file), operation, argument);
}

int sector_size(sqlite3_file* file) { return wrapped(file)->pMethods->xSectorSize(wrapped(file)); }

int device_characteristics(sqlite3_file* file) {
  return wrapped(file)->pMethods->xDeviceCharacteristics(wrapped(file));
}

// The index of the log is rebuilt from the log after a crash; nothing of it needs to be undone.
int map_shared(sqlite3_file* file, int page, int page_bytes, int extend, void volatile** memory) {
  return wrapped(file)->pMethods->xShmMap(wrapped(file), page, page_bytes, extend, memory);
}

int lock_shared(sqlite3_file* file, int offset, int count, int flags) {
  return wrapped(file)->pMethods->xShmLock(wrapped(file), offset, count, flags);
}

void barrier_shared(sqlite3_file* file) { wrapped(file)->pMethods->xShmBarrier(wrapped(file)); }

int unmap_shared(sqlite3_file* file, int remove) {
  return wrapped(file)->pMethods->xShmUnmap(wrapped(file), remove);
}

// Version 2 has shared memory and no mapping of files.
constexpr sqlite3_io_methods kMethods = {
    .iVersion = 2,
    .xClose = close_file,
    .xRead = read_file,
    .xWrite = write_file,
    .xTruncate = truncate_file,
    .xSync = sync_file,
    .xFileSize = file_size,
    .xLock = lock_file,
    .xUnlock = unlock_file,
    .xCheckReservedLock = check_reserved_lock,
    .xFileControl = control_file,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = device_characteristics,
    .xShmMap = map_shared,
    .xShmLock = lock_shared,
    .xShmBarrier = barrier_shared,
    .xShmUnmap = unmap_shared,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

int open_file(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* flags_out) {
  PowerLossFile* opened = PowerLossFile::of(file);
  opened->base.pMethods = nullptr;
  opened->journal = nullptr;
  sqlite3_file* inner = opened->wrapped();
  const int code = wrapped_vfs->xOpen(wrapped_vfs, name, inner, flags, flags_out);
  if (code != SQLITE_OK) {
    if (inner->pMethods != nullptr) inner->pMethods->xClose(inner);
    return code;
  }
  if (name != nullptr && (flags & kJournalled) != 0) opened->journal = new UndoJournal(name);
  opened->base.pMethods = &kMethods;
  return SQLITE_OK;
}

int delete_file(sqlite3_vfs*, const char* name, int sync_folder) {
  const int code = wrapped_vfs->xDelete(wrapped_vfs, name, sync_folder);
  if (code == SQLITE_OK) UndoJournal::remove(name);
  return code;
}

int register_vfs() {
  wrapped_vfs = sqlite3_vfs_find("unix-excl");
  if (wrapped_vfs == nullptr) return SQLITE_ERROR;
  // All else is asked of the wrapped VFS, whose functions do not look at which VFS they are called for.
  static sqlite3_vfs vfs = *wrapped_vfs;
  vfs.pNext = nullptr;
  vfs.szOsFile += static_cast<int>(sizeof(PowerLossFile));
  vfs.xOpen = open_file;
  vfs.xDelete = delete_file;
  // The list is searched from its start, and this is put behind the default, before the one of the same name.
  return sqlite3_vfs_register(&vfs, 0);
}

[[maybe_unused]] const int registered = [] {
  if (register_vfs() != SQLITE_OK) std::abort();
  return SQLITE_OK;
}();

}  // namespace

}  // namespace skua::test
