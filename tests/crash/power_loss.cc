#include "tests/crash/power_loss.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "tests/support/failure.h"
#include "tests/support/temporary_directory.h"

namespace skua::test {

void PowerLoss::strike_database(const std::string& file) {
  for (const char* suffix : {"", "-wal", "-journal"}) strike(file + suffix);
}

void PowerLoss::strike(const std::string& file) {
  const std::vector<UndoRecord> records = UndoJournal::read(file);
  UndoJournal::remove(file);
  if (records.empty() || !std::filesystem::exists(file)) return;
  unsynced_writes_ += records.size();
  image_ = read_file(file);
  switch (kind_) {
    case PowerLossKind::kEverything:
      for (auto record = records.rbegin(); record != records.rend(); ++record) undo(*record);
      break;
    case PowerLossKind::kSuffix: {
      const auto kept =
          static_cast<std::size_t>(random_.between(0, static_cast<std::int64_t>(records.size()) - 1));
      for (std::size_t i = records.size() - 1; i > kept; --i) undo(records[i]);
      tear_all({records[kept]});
      break;
    }
    case PowerLossKind::kSectors:
      tear_all(records);
      break;
  }
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out.write(image_.data(), static_cast<std::streamsize>(image_.size()));
  out.close();
  require(!out.fail(), "cannot write " + file);
}

void PowerLoss::undo(const UndoRecord& record) {
  image_.resize(record.size_before);
  record.bytes_before.copy(image_.data() + std::min<std::uint64_t>(record.offset, image_.size()),
                           record.bytes_before.size());
}

void PowerLoss::tear_all(const std::vector<UndoRecord>& records) {
  // Of some crashes nearly all was written, of others nearly nothing.
  const auto eighths = static_cast<std::uint32_t>(random_.between(1, 7));
  kept_end_ = records.front().size_before;
  for (auto record = records.rbegin(); record != records.rend(); ++record) tear(*record, eighths);
  // A file that grew has its new size, with zeros where nothing came, or ends with what came.
  if (random_.one_in(2)) image_.resize(std::min<std::uint64_t>(image_.size(), kept_end_));
}

void PowerLoss::tear(const UndoRecord& record, std::uint32_t eighths) {
  if (record.kind == ChangeKind::kTruncate) {
    if (random_.between(1, 8) <= eighths) undo(record);
    return;
  }
  const std::uint64_t end = std::min<std::uint64_t>(record.offset + record.byte_count, image_.size());
  for (std::uint64_t piece = record.offset; piece < end;) {
    const std::uint64_t piece_end = std::min((piece / kSectorBytes + 1) * kSectorBytes, end);
    if (random_.between(1, 8) > eighths) {
      kept_end_ = std::max(kept_end_, piece_end);
    } else {
      for (std::uint64_t i = piece; i < piece_end; ++i) {
        const std::uint64_t at = i - record.offset;
        image_[i] = at < record.bytes_before.size() ? record.bytes_before[at] : '\0';
      }
    }
    piece = piece_end;
  }
}

}  // namespace skua::test
