#include "tests/engine/faulty_disk.h"

#include <cstring>

#include "tests/support/failure.h"

namespace skua::test {

namespace {

FaultyDisk* disk = nullptr;

// SQLite allocates szOsFile bytes for a file: ours, and the real one's behind it.
struct File {
  sqlite3_file base;
  sqlite3_io_methods methods;
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

File* own(sqlite3_file* file) { return reinterpret_cast<File*>(file); }

int write_file(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 offset) {
  if (const int code = disk->write.take(); code != SQLITE_OK) return code;
  return own(file)->real()->pMethods->xWrite(own(file)->real(), bytes, count, offset);
}

int sync_file(sqlite3_file* file, int flags) {
  if (const int code = disk->sync.take(); code != SQLITE_OK) return code;
  ++disk->syncs;
  return own(file)->real()->pMethods->xSync(own(file)->real(), flags);
}

sqlite3_vfs* real_vfs(sqlite3_vfs* vfs) { return static_cast<sqlite3_vfs*>(vfs->pAppData); }

// Everything but writing and syncing goes to the real file as it is.
constexpr sqlite3_io_methods kMethods = {
    .iVersion = 2,
    .xClose = [](sqlite3_file* f) { return own(f)->real()->pMethods->xClose(own(f)->real()); },
    .xRead = [](sqlite3_file* f, void* bytes, int count,
                sqlite3_int64 offset) { return own(f)->real()->pMethods->xRead(own(f)->real(), bytes, count, offset); },
    .xWrite = write_file,
    .xTruncate = [](sqlite3_file* f, sqlite3_int64 size) { return own(f)->real()->pMethods->xTruncate(own(f)->real(), size); },
    .xSync = sync_file,
    .xFileSize = [](sqlite3_file* f, sqlite3_int64* size) { return own(f)->real()->pMethods->xFileSize(own(f)->real(), size); },
    .xLock = [](sqlite3_file* f, int lock) { return own(f)->real()->pMethods->xLock(own(f)->real(), lock); },
    .xUnlock = [](sqlite3_file* f, int lock) { return own(f)->real()->pMethods->xUnlock(own(f)->real(), lock); },
    .xCheckReservedLock = [](sqlite3_file* f, int* held) { return own(f)->real()->pMethods->xCheckReservedLock(own(f)->real(), held); },
    .xFileControl = [](sqlite3_file* f, int what, void* argument) { return own(f)->real()->pMethods->xFileControl(own(f)->real(), what, argument); },
    .xSectorSize = [](sqlite3_file* f) { return own(f)->real()->pMethods->xSectorSize(own(f)->real()); },
    .xDeviceCharacteristics = [](sqlite3_file* f) { return own(f)->real()->pMethods->xDeviceCharacteristics(own(f)->real()); },
    .xShmMap = [](sqlite3_file* f, int page, int size, int extend,
                  void volatile** out) { return own(f)->real()->pMethods->xShmMap(own(f)->real(), page, size, extend, out); },
    .xShmLock = [](sqlite3_file* f, int offset, int count,
                   int flags) { return own(f)->real()->pMethods->xShmLock(own(f)->real(), offset, count, flags); },
    .xShmBarrier = [](sqlite3_file* f) { own(f)->real()->pMethods->xShmBarrier(own(f)->real()); },
    .xShmUnmap = [](sqlite3_file* f, int remove) { return own(f)->real()->pMethods->xShmUnmap(own(f)->real(), remove); },
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

int open_file(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* flags_out) {
  std::memset(file, 0, sizeof(File));
  const int code = real_vfs(vfs)->xOpen(real_vfs(vfs), name, own(file)->real(), flags, flags_out);
  // SQLite closes what has methods, also when opening it failed.
  if (own(file)->real()->pMethods != nullptr) {
    own(file)->methods = kMethods;
    file->pMethods = &own(file)->methods;
  }
  return code;
}

}  // namespace

int FaultyDisk::Fault::take() {
  if (left == 0) return SQLITE_OK;
  --left;
  return code;
}

FaultyDisk::FaultyDisk() {
  require(disk == nullptr, "there is a faulty disk already");
  sqlite3_vfs* real = sqlite3_vfs_find("unix-excl");
  require(real != nullptr, "no unix-excl");
  disk = this;
  vfs_ = *real;
  vfs_.pNext = nullptr;
  vfs_.pAppData = real;
  vfs_.szOsFile = static_cast<int>(sizeof(File)) + real->szOsFile;
  vfs_.xOpen = open_file;
  // As the default it is found before the real one.
  sqlite3_vfs_register(&vfs_, 1);
}

FaultyDisk::~FaultyDisk() {
  sqlite3_vfs_unregister(&vfs_);
  disk = nullptr;
}

}  // namespace skua::test
