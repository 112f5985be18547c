#include "daemon/engine/stream_file.h"

#include <utility>

#include "daemon/base/clock.h"
#include "protocol/limits.h"

namespace skua {

Result<bool> StreamFile::fill(Cursor& cursor, const std::string& database_file, Job& job) {
  if (job.spool_file == nullptr) {
    SKUA_ASSIGN(std::shared_ptr<UnlinkedFile> file, UnlinkedFile::create(database_file, "the rows of a slow stream"));
    job.spool_file = std::shared_ptr<StreamFile>(new StreamFile(std::move(file)));
  }
  auto& self = static_cast<StreamFile&>(*job.spool_file);
  SKUA_TRY(self.file_->check_room(job.spool_room_bytes + kSpoolDiskReserveBytes));
  SKUA_ASSIGN(const bool more, self.fill(cursor, job.spool_room_bytes));
  self.report(job);
  return more;
}

Result<bool> StreamFile::fill(Cursor& cursor, std::uint64_t room_bytes) {
  const std::uint64_t end_us = monotonic_us() + static_cast<std::uint64_t>(kSpoolSliceTime.count());
  const std::uint64_t end_offset = write_offset_ + room_bytes;
  if (!pending_.empty()) {
    if (write_offset_ + pending_.byte_count() > end_offset) return true;
    SKUA_TRY(append(std::move(pending_)));
    pending_ = Frame();
  }
  do {
    bool more = false;
    SKUA_ASSIGN(Frame frame, cursor.next_frame(kBatchBytes, false, more));
    complete_ = !more;
    if (write_offset_ + frame.byte_count() > end_offset) {
      pending_ = std::move(frame);
      return more;
    }
    SKUA_TRY(append(std::move(frame)));
  } while (!complete_ && write_offset_ < end_offset && monotonic_us() < end_us);
  return !complete_;
}

Status StreamFile::append(Frame frame) {
  SKUA_TRY(file_->write(write_offset_, frame.bytes()));
  write_offset_ += frame.byte_count();
  sizes_.push_back(static_cast<std::uint32_t>(frame.byte_count()));
  return {};
}

Result<Frame> StreamFile::take() {
  if (sizes_.empty()) return std::exchange(pending_, Frame());
  const std::uint32_t bytes = sizes_.front();
  Frame frame = Frame::uninitialised(bytes / kWordBytes);
  SKUA_TRY(file_->read(read_offset_, std::span(reinterpret_cast<char*>(frame.words()), bytes)));
  sizes_.pop_front();
  read_offset_ += bytes;
  return frame;
}

void StreamFile::report(Job& job) const {
  job.spool_bytes = write_offset_;
  job.spool_pending_bytes = pending_.byte_count();
  job.spool_has_rows = has_rows();
}

void StreamFile::read(Job& job) {
  auto& self = static_cast<StreamFile&>(*job.spool_file);
  auto frame = self.take();
  if (!frame) {
    job.error = std::make_unique<Error>(std::move(frame).error());
    return;
  }
  job.frames.push_back(std::move(*frame));
  self.report(job);
  job.ended = self.complete_ && !self.has_rows();
}

}  // namespace skua
