#include "client/src/backup_fetch.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <utility>
#include <variant>

namespace skua {

namespace {

// What the daemon may send ahead, beside the window that every stream begins with.
constexpr std::uint64_t kWindowBytes = 2 * kMiB;

// sqlite.org/fileformat2.html#page_size
std::uint64_t page_bytes_of(std::string_view first_piece) {
  if (first_piece.size() < 18) return 0;
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(first_piece[at]); };
  const std::uint64_t bytes = static_cast<std::uint64_t>(byte(16)) << 8 | byte(17);
  return bytes == 1 ? 65'536 : bytes;
}

}  // namespace

Status check_backup_target(const std::string& file) {
  for (const char* suffix : {"-wal", "-journal"}) {
    const std::string log = file + suffix;
    if (::access(log.c_str(), F_OK) != 0) continue;
    return make_error(ErrorCode::kUsage,
                      fmt::format("{} is there: {} is a database in use, or was when its user was killed. "
                                  "Choose another name for the copy",
                                  log, file));
  }
  return {};
}

BackupFetch::~BackupFetch() {
  if (is_under_way_) channel_->abandon(id_);
}

Result<BackupSummary> BackupFetch::run(Request request, PartFile file) {
  SKUA_ASSIGN(id_, channel_->start(std::move(request)));
  is_under_way_ = true;
  channel_->grant(id_, kWindowBytes);
  while (is_under_way_) SKUA_TRY(receive(file));
  SKUA_TRY(file.finish());
  return BackupSummary{bytes_};
}

Status BackupFetch::receive(PartFile& file) {
  Result<Response> response = channel_->receive(id_);
  is_under_way_ = response && !response->is_last;
  if (!response) return std::move(response).error();
  if (auto* error = std::get_if<Error>(&response->body)) return std::move(*error);
  if (const auto* progress = std::get_if<BackupProgress>(&response->body)) {
    page_count_ = progress->total;
    tell(*progress);
    return {};
  }
  if (const auto* rows = std::get_if<RowsReply>(&response->body)) return take(*rows, response->byte_count, file);
  return channel_->reject("a backup was answered with a response of another kind");
}

Status BackupFetch::take(const RowsReply& rows, std::size_t byte_count, PartFile& file) {
  for (std::size_t row = 0; row < rows.batch.row_count(); ++row) {
    const ValueView piece = rows.batch.at(row, 0);
    if (rows.batch.column_count() != 1 || piece.kind() != ValueKind::kBlob) {
      return channel_->reject("a backup came as something else than blobs");
    }
    if (bytes_ == 0) page_bytes_ = page_bytes_of(piece.bytes());
    SKUA_TRY(file.write(piece.bytes()));
    bytes_ += piece.bytes().size();
  }
  tell({true, bytes_, std::max(bytes_, page_count_ * page_bytes_)});
  taken_bytes_ += byte_count;
  if (is_under_way_ && taken_bytes_ >= kWindowBytes / 2) {
    channel_->grant(id_, taken_bytes_);
    taken_bytes_ = 0;
  }
  return {};
}

void BackupFetch::tell(const BackupProgress& progress) {
  if (options_.on_progress) options_.on_progress(progress);
}

}  // namespace skua
