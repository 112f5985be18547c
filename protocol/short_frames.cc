#include "protocol/short_frames.h"

#include "protocol/flat_message.h"

namespace skua {

namespace {

// In words: of the structs Response, Rows and Done.
constexpr std::size_t kResponseData = 2, kResponsePointers = 1;
constexpr std::size_t kRowsData = 1, kRowsPointers = 3;
constexpr std::size_t kDoneData = 5;
constexpr std::size_t kResponseWords = FlatWriter::kHeadWords + kResponseData + kResponsePointers;

// Where its union leads.
std::uint64_t* begin_response(FlatWriter& out, std::uint64_t request, wire::Response::Which kind) {
  std::uint64_t* const response = out.add_struct(out.root(), kResponseData, kResponsePointers);
  response[0] = request;
  response[1] = static_cast<std::uint64_t>(kind);
  return response + kResponseData;
}

void add_done(FlatWriter& out, std::uint64_t* pointer, const Summary& summary) {
  std::uint64_t* const done = out.add_struct(pointer, kDoneData, 0);
  done[0] = summary.changes;
  done[1] = static_cast<std::uint64_t>(summary.last_insert_rowid);
  done[2] = static_cast<std::uint64_t>(summary.transaction);
  done[3] = summary.row_count;
  done[4] = summary.server_us;
}

}  // namespace

Frame rows_response(std::uint64_t request, std::uint64_t columns_id, const RowBatchBuilder& batch, const Summary* done,
                    FramePool* pool) {
  const std::size_t words =
      kResponseWords + kRowsData + kRowsPointers + batch.flat_words() + (done == nullptr ? 0 : kDoneData);
  Frame frame = pool == nullptr ? Frame::uninitialised(words) : pool->uninitialised(words);
  FlatWriter out(frame, words);
  std::uint64_t* const rows =
      out.add_struct(begin_response(out, request, wire::Response::ROWS), kRowsData, kRowsPointers);
  rows[0] = columns_id;
  batch.lay_out(rows + kRowsData + 1, out);
  if (done != nullptr) add_done(out, rows + kRowsData + 2, *done);
  return frame;
}

Frame done_response(std::uint64_t request, const Summary& summary) {
  constexpr std::size_t kWords = kResponseWords + kDoneData;
  Frame frame = Frame::uninitialised(kWords);
  FlatWriter out(frame, kWords);
  add_done(out, begin_response(out, request, wire::Response::DONE), summary);
  return frame;
}

}  // namespace skua
