#include "tests/crash/undo_journal.h"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>

#include "tests/support/failure.h"

namespace skua::test {

namespace {

constexpr std::uint32_t kMagic = 0x756e646f;

// What stands before a record's bytes.
struct Header {
  std::uint32_t magic = kMagic;
  ChangeKind kind = ChangeKind::kWrite;
  std::uint64_t offset = 0;
  std::uint64_t byte_count = 0;
  std::uint64_t size_before = 0;
};

}  // namespace

std::uint64_t UndoRecord::bytes_before_count() const {
  return size_before <= offset ? 0 : std::min(byte_count, size_before - offset);
}

UndoJournal::UndoJournal(const std::string& file) : path_(path_of(file)) {}

UndoJournal::~UndoJournal() {
  if (fd_ >= 0) ::close(fd_);
}

bool UndoJournal::add(const UndoRecord& record) {
  if (fd_ < 0) fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd_ < 0) return false;
  Header header;
  header.kind = record.kind;
  header.offset = record.offset;
  header.byte_count = record.byte_count;
  header.size_before = record.size_before;
  const iovec parts[] = {{&header, sizeof(header)},
                         {const_cast<char*>(record.bytes_before.data()), record.bytes_before.size()}};
  return ::writev(fd_, parts, 2) == static_cast<ssize_t>(sizeof(header) + record.bytes_before.size());
}

void UndoJournal::forget() {
  // A journal that another connection, or an earlier daemon, has begun is forgotten too: fsync(2) is of the
  // file. There may be none.
  [[maybe_unused]] const int ignored = ::truncate(path_.c_str(), 0);
}

std::vector<UndoRecord> UndoJournal::read(const std::string& file) {
  std::vector<UndoRecord> records;
  std::ifstream in(path_of(file), std::ios::binary);
  if (!in.is_open()) return records;
  Header header;
  while (in.read(reinterpret_cast<char*>(&header), sizeof(header))) {
    require(header.magic == kMagic, "a damaged undo journal of " + file);
    UndoRecord record{header.kind, header.offset, header.byte_count, header.size_before, {}};
    record.bytes_before.resize(record.bytes_before_count());
    if (!in.read(record.bytes_before.data(), static_cast<std::streamsize>(record.bytes_before.size()))) break;
    records.push_back(std::move(record));
  }
  return records;
}

void UndoJournal::remove(const std::string& file) { ::unlink(path_of(file).c_str()); }

}  // namespace skua::test
