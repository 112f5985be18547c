#include "daemon/engine/backup_copy.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace skua {

namespace {

// Read and written at once. Between two of these the clock is looked at.
constexpr std::uint32_t kChunkBytes = 256 * kKiB;
constexpr std::uint32_t kBacklogFramesAtOnce = 32;

}  // namespace

BackupCopy::BackupCopy(Connection& writer, std::shared_ptr<UnlinkedFile> file)
    : writer_(writer),
      log_(writer),
      file_(std::move(file)),
      page_bytes_(writer.page_bytes()),
      buffer_(std::max(kChunkBytes, writer.page_bytes())) {}

BackupCopy::~BackupCopy() { writer_.set_commit_listener(nullptr); }

Result<std::unique_ptr<BackupCopy>> BackupCopy::start(Connection& writer, WalGovernor& governor,
                                                      const std::string& database_file) {
  SKUA_ASSIGN(std::shared_ptr<UnlinkedFile> file, UnlinkedFile::create(database_file, "a copy"));
  std::unique_ptr<BackupCopy> copy(new BackupCopy(writer, std::move(file)));
  SKUA_TRY(copy->begin(governor));
  return copy;
}

Status BackupCopy::begin(WalGovernor& governor) {
  SKUA_ASSIGN(page_count_, writer_.page_count());
  SKUA_ASSIGN(const WalGovernor::Progress log, governor.checkpoint_now(writer_));
  // Known beforehand, it takes no room from the writes until it is noticed.
  SKUA_TRY(file_->check_room(std::uint64_t{page_count_} * page_bytes_));
  log_frames_ = log.frames;
  backlog_begin_ = log.frames_in_file;
  backlog_end_ = log.frames;
  // A new log's file may have no header yet.
  if (log.frames > 0) {
    SKUA_ASSIGN(log_salts_, log_.salts());
  }
  writer_.set_commit_listener([this](std::uint32_t log_frames) { on_commit(log_frames); });
  return {};
}

Result<bool> BackupCopy::step(std::chrono::microseconds time) {
  const auto until = std::chrono::steady_clock::now() + time;
  Status status;
  bool complete = false;
  do {
    status = copy_some();
    complete = backlog_begin_ == backlog_end_ && next_page_ > page_count_;
  } while (status && !complete && std::chrono::steady_clock::now() < until);
  if (failure_) return *failure_;
  if (!status) return std::move(status).error();
  if (!complete) return false;
  // Pages behind the database's end may have come from commits before it shrank.
  SKUA_TRY(file_->resize(std::uint64_t{page_count_} * page_bytes_));
  return true;
}

Status BackupCopy::copy_some() { return backlog_begin_ < backlog_end_ ? take_backlog() : copy_from_file(); }

Status BackupCopy::copy_from_file() {
  while (next_page_ <= page_count_ && is_taken(next_page_)) ++next_page_;
  const std::uint32_t pages_max = static_cast<std::uint32_t>(buffer_.size()) / page_bytes_;
  std::uint32_t pages = 0;
  while (pages < pages_max && next_page_ + pages <= page_count_ && !is_taken(next_page_ + pages)) ++pages;
  if (pages == 0) return {};
  const std::uint64_t offset = std::uint64_t{next_page_ - 1} * page_bytes_;
  const std::size_t bytes = std::size_t{pages} * page_bytes_;
  SKUA_TRY(writer_.read_file(offset, buffer_.data(), bytes));
  SKUA_TRY(file_->write(offset, std::string_view(buffer_.data(), bytes)));
  next_page_ += pages;
  return {};
}

// ---- the log

Result<LogReader::Frame> BackupCopy::read_frame(std::uint32_t number) {
  SKUA_ASSIGN(const std::optional<LogReader::Frame> frame, log_.read(number, log_salts_, buffer_.data()));
  if (!frame || frame->page == 0) {
    return make_error(ErrorCode::kIo,
                      fmt::format("frame {} of the write-ahead log is not what SQLite wrote", number));
  }
  return *frame;
}

Status BackupCopy::write_page(std::uint32_t page) {
  if (page >= taken_.size())
    taken_.resize(std::max<std::size_t>(std::size_t{page} + 1, std::size_t{page_count_} + 1));
  SKUA_TRY(file_->write(std::uint64_t{page - 1} * page_bytes_, std::string_view(buffer_.data(), page_bytes_)));
  taken_[page] = true;
  return {};
}

Status BackupCopy::take_backlog() {
  for (std::uint32_t i = 0; i < kBacklogFramesAtOnce && backlog_begin_ < backlog_end_; ++i) {
    SKUA_ASSIGN(const LogReader::Frame frame, read_frame(backlog_end_));
    if (!is_taken(frame.page) && frame.page <= page_count_) SKUA_TRY(write_page(frame.page));
    --backlog_end_;
  }
  return {};
}

void BackupCopy::on_commit(std::uint32_t log_frames) {
  if (failure_) return;
  if (Status status = take_commit(log_frames); !status) failure_ = std::move(status).error();
}

Status BackupCopy::take_commit(std::uint32_t log_frames) {
  SKUA_ASSIGN(const std::uint64_t salts, log_.salts());
  if (salts != log_salts_) {
    // SQLite starts the log anew only when all of the old one is in the file.
    log_salts_ = salts;
    log_frames_ = 0;
    backlog_begin_ = backlog_end_;
  }
  while (log_frames_ < log_frames) {
    SKUA_ASSIGN(const LogReader::Frame frame, read_frame(log_frames_ + 1));
    SKUA_TRY(write_page(frame.page));
    ++log_frames_;
    if (frame.database_pages != 0) page_count_ = frame.database_pages;
  }
  return {};
}

// ---- the end

std::shared_ptr<BackupFile> BackupCopy::take_file() {
  writer_.set_commit_listener(nullptr);
  return file_;
}

}  // namespace skua
