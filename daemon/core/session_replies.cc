#include "daemon/core/session_replies.h"

#include "protocol/codec.h"
#include "protocol/features.h"
#include "protocol/lock_codec.h"
#include "protocol/row_batch.h"

namespace skua {

Frame hello_response(std::uint64_t request, const HelloAnswer& answer, const Limits& limits,
                     const std::vector<std::string>& databases) {
  // What a client can use; the operator's own limits are in the configuration.
  const std::vector<std::pair<std::string_view, std::uint64_t>> rows = {
      {"frame_bytes_max", kFrameBytesMax},
      {"value_bytes_max", kValueBytesMax},
      {"row_bytes_max", kRowBytesMax},
      {"columns_max", kColumnsMax},
      {"parameters_max", kParametersMax},
      {"sql_bytes_max", kSqlBytesMax},
      {"program_steps_max", kProgramStepsMax},
      {"stream_window_bytes", limits.stream_window_bytes},
      {"stream_window_bytes_max", limits.stream_window_bytes_max},
      {"requests_per_session_max", limits.requests_per_session_max},
      {"request_bytes_per_session_max", limits.request_bytes_per_session_max},
      {"transactions_per_session_max", limits.transactions_per_session_max},
      {"transaction_idle_ms_max", limits.transaction_idle_ms_max},
      {"transaction_total_ms_max", limits.transaction_total_ms_max},
  };
  FrameBuilder frame(256);
  auto response = frame.initRoot<wire::Response>();
  response.setId(request);
  auto reply = response.initHello();
  reply.setVersion(answer.version);
  reply.setServerVersion(answer.server_version);
  reply.setSqliteVersion(answer.sqlite_version);
  reply.setFeatures(kFeatures);
  reply.setSessionId(answer.session_id);
  auto out = reply.initLimits(static_cast<kj::uint>(rows.size()));
  for (kj::uint i = 0; i < out.size(); ++i) {
    fill_text(out[i].initName(static_cast<kj::uint>(rows[i].first.size())), rows[i].first);
    out[i].setValue(rows[i].second);
  }
  auto names = reply.initDatabases(static_cast<kj::uint>(databases.size()));
  for (kj::uint i = 0; i < names.size(); ++i) names.set(i, databases[i]);
  return frame.finish();
}

Frame progress_response(std::uint64_t request, std::uint64_t done, std::uint64_t total) {
  FrameBuilder frame(16);
  auto response = frame.initRoot<wire::Response>();
  response.setId(request);
  auto progress = response.initProgress();
  progress.setDone(done);
  progress.setTotal(total);
  return frame.finish();
}

Frame stats_response(std::uint64_t request, const std::vector<std::pair<std::string_view, std::uint64_t>>& rows) {
  RowBatchBuilder batch(2);
  for (const auto& [name, value] : rows) {
    batch.append_text(name);
    batch.append_integer(static_cast<std::int64_t>(value));
    batch.end_row();
  }
  FrameBuilder frame(batch.words_max() + 64);
  auto response = frame.initRoot<wire::Response>();
  response.setId(request);
  auto reply = response.initRows();
  write_columns({{"name", "TEXT"}, {"value", "INTEGER"}}, reply.initColumns(2));
  batch.write(reply.initBatch());
  Summary summary;
  summary.row_count = rows.size();
  write_summary(summary, reply.initDone());
  return frame.finish();
}

Frame locks_response(std::uint64_t request, const std::vector<DatabaseLock>& locks) {
  FrameBuilder frame(256);
  auto response = frame.initRoot<wire::Response>();
  response.setId(request);
  write_locks(locks, response.initLocks());
  return frame.finish();
}

}  // namespace skua
