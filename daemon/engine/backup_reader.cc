#include "daemon/engine/backup_reader.h"

#include <algorithm>

#include "daemon/base/clock.h"
#include "daemon/engine/unlinked_file.h"
#include "protocol/codec.h"
#include "protocol/limits.h"
#include "protocol/row_batch.h"

namespace skua {

namespace {

Status read_piece(Job& job) {
  const auto& file = static_cast<const UnlinkedFile&>(*job.backup_file);
  SKUA_ASSIGN(const std::uint64_t total_bytes, file.byte_count());
  const std::uint64_t left = total_bytes - job.backup_offset;
  SKUA_ASSIGN(const std::string bytes,
              file.read(job.backup_offset, static_cast<std::size_t>(std::min<std::uint64_t>(left, kBackupPieceBytes))));
  RowBatchBuilder batch(1);
  batch.append_blob(bytes);
  batch.end_row();
  FrameBuilder frame(batch.words_max() + 64);
  auto response = frame.initRoot<wire::Response>();
  response.setId(job.request->id);
  auto rows = response.initRows();
  if (job.backup_offset == 0) write_columns({{"piece", "BLOB"}}, rows.initColumns(1));
  batch.write(rows.initBatch());
  job.backup_offset += bytes.size();
  job.ended = job.backup_offset == total_bytes;
  if (job.ended) {
    Summary summary;
    summary.row_count = (total_bytes + kBackupPieceBytes - 1) / kBackupPieceBytes;
    summary.server_us = monotonic_us() - job.request->arrival_us;
    write_summary(summary, rows.initDone());
  }
  job.frames.push_back(frame.finish());
  return {};
}

}  // namespace

void read_backup(Job& job) {
  const Status status = read_piece(job);
  if (!status) job.error = std::make_unique<Error>(status.error());
}

}  // namespace skua
