#include "client/src/response.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

#include "client/src/batch_message.h"
#include "protocol/codec.h"
#include "protocol/flat_message.h"
#include "protocol/lock_codec.h"

namespace skua {

namespace {

HelloReply read_hello(wire::HelloReply::Reader in) {
  HelloReply reply;
  reply.version = in.getVersion();
  reply.features = in.getFeatures();
  reply.server.server_version = std::string(view_of(in.getServerVersion()));
  reply.server.sqlite_version = std::string(view_of(in.getSqliteVersion()));
  reply.server.session_id = in.getSessionId();
  for (const auto database : in.getDatabases()) reply.server.databases.emplace_back(view_of(database));
  for (const auto limit : in.getLimits()) {
    const std::string_view name = view_of(limit.getName());
    const auto value = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(limit.getValue(), std::numeric_limits<std::uint32_t>::max()));
    if (name == "stream_window_bytes") reply.stream_window_bytes = value;
    if (name == "stream_window_bytes_max") reply.stream_window_bytes_max = value;
  }
  return reply;
}

Result<RowsReply> read_rows(wire::Rows::Reader in, const std::shared_ptr<const ReceivedMessage>& message) {
  RowsReply reply;
  reply.has_columns = in.hasColumns();
  reply.columns_id = in.getColumnsId();
  if (reply.has_columns) reply.columns = Columns(read_columns(in.getColumns()));
  if (in.hasBatch()) {
    SKUA_ASSIGN(RowBatchReader rows, RowBatchReader::open(in.getBatch()));
    if (reply.has_columns && rows.row_count() > 0 && rows.column_count() != reply.columns.size()) {
      return make_error(ErrorCode::kProtocol, fmt::format("a row batch has {} columns, its result has {}",
                                                          rows.column_count(), reply.columns.size()));
    }
    reply.batch = Batch(std::make_shared<const Batch::Message>(message, std::move(rows)));
  }
  if (in.hasDone()) reply.done = read_summary(in.getDone());
  return reply;
}

Result<StepResult> read_step(wire::StepReply::Reader in,
                             const std::shared_ptr<const ReceivedMessage>& message) {
  StepResult step;
  switch (in.which()) {
    case wire::StepReply::SKIPPED: step.skipped = true; return step;
    case wire::StepReply::ERROR: step.error = read_error(in.getError()); return step;
    case wire::StepReply::ROWS: {
      SKUA_ASSIGN(RowsReply rows, read_rows(in.getRows(), message));
      if (!rows.has_columns && rows.batch.row_count() > 0) {
        return make_error(ErrorCode::kProtocol, "a program's step has rows without columns");
      }
      step.rows = ResultSet(std::move(rows.columns), {std::move(rows.batch)}, rows.done.value_or(Summary()));
      return step;
    }
  }
  return make_error(ErrorCode::kProtocol,
                    fmt::format("unknown kind of step reply {}", static_cast<unsigned>(in.which())));
}

Result<ProgramResult> read_program(wire::ProgramReply::Reader in,
                                   const std::shared_ptr<const ReceivedMessage>& message) {
  ProgramResult result;
  const auto steps = in.getSteps();
  if (steps.size() > kProgramStepsMax) {
    return make_error(ErrorCode::kProtocol, fmt::format("a program reply has {} steps, the most is {}",
                                                        steps.size(), kProgramStepsMax));
  }
  result.steps.reserve(steps.size());
  for (const auto step : steps) {
    SKUA_ASSIGN(StepResult read, read_step(step, message));
    result.steps.push_back(std::move(read));
  }
  return result;
}

Description read_description(wire::Description::Reader in) {
  Description description;
  description.columns = Columns(read_columns(in.getColumns()));
  for (const auto name : in.getParameters()) description.parameters.emplace_back(view_of(name));
  description.read_only = in.getReadOnly();
  return description;
}

Summary summary_of(const FlatStruct& done) {
  return {done.word(0), static_cast<std::int64_t>(done.word(1)), static_cast<TransactionState>(done.quarter_word(8)),
          done.word(3), done.word(4)};
}

struct FlatRows {
  std::uint64_t id = 0;
  std::uint64_t columns_id = 0;
  Batch batch;
  std::optional<Summary> done;
};

// A rows response without columns; `only_last`: one that ends its request. False: for that, and for what Cap'n Proto has to read,
// and the frame is then as it was.
bool read_flat_rows(const FlatReader& message, const FlatStruct& root, Frame& frame, bool only_last, FlatRows& out) {
  FlatStruct rows;
  FlatStruct batch;
  FlatStruct done;
  if (!message.follow(root.pointer(0), rows) || rows.has(0) || !rows.has(1) || !message.follow(rows.pointer(1), batch) ||
      !message.follow(rows.pointer(2), done)) {
    return false;
  }
  RowBatchReader reader;
  if ((only_last && !rows.has(2)) || !reader.open_flat(message, batch)) return false;
  out.id = root.word(0);
  out.columns_id = rows.word(0);
  if (rows.has(2)) out.done = summary_of(done);
  out.batch = Batch(std::make_shared<const Batch::Message>(std::move(frame), std::move(reader)));
  return true;
}

std::optional<Response> read_flat_response(Frame& frame) {
  FlatReader message;
  FlatStruct root;
  FlatRows rows;
  const std::size_t byte_count = frame.byte_count();
  if (!message.open(frame.view(), root) || root.quarter_word(4) != wire::Response::ROWS ||
      !read_flat_rows(message, root, frame, false, rows)) {
    return std::nullopt;
  }
  std::optional<Response> response(std::in_place);
  response->id = rows.id;
  response->byte_count = byte_count;
  response->is_last = rows.done.has_value();
  auto& reply = response->body.emplace<RowsReply>();
  reply.columns_id = rows.columns_id;
  reply.batch = std::move(rows.batch);
  reply.done = rows.done;
  return response;
}

}  // namespace

std::optional<ShortAnswer> read_short_answer(Frame& frame) {
  FlatReader message;
  FlatStruct root;
  if (!message.open(frame.view(), root)) return std::nullopt;
  if (root.quarter_word(4) == wire::Response::DONE) {
    FlatStruct done;
    if (!message.follow(root.pointer(0), done)) return std::nullopt;
    return ShortAnswer{root.word(0), 0, Batch(), summary_of(done)};
  }
  FlatRows rows;
  if (root.quarter_word(4) != wire::Response::ROWS || !read_flat_rows(message, root, frame, true, rows)) return std::nullopt;
  return ShortAnswer{rows.id, rows.columns_id, std::move(rows.batch), *rows.done};
}

Result<Response> read_response(Frame frame) {
  if (std::optional<Response> response = read_flat_response(frame)) return *std::move(response);
  return guarded([&frame]() -> Result<Response> {
    const auto message = std::make_shared<ReceivedMessage>(std::move(frame));
    const auto in = message->root<wire::Response>();
    Response response;
    response.id = in.getId();
    response.byte_count = message->byte_count();
    switch (in.which()) {
      case wire::Response::ERROR: response.body = read_error(in.getError()); return response;
      case wire::Response::HELLO: response.body = read_hello(in.getHello()); return response;
      case wire::Response::DONE: response.body = read_summary(in.getDone()); return response;
      case wire::Response::DESCRIPTION: response.body = read_description(in.getDescription()); return response;
      case wire::Response::LOCKS: response.body = read_locks(in.getLocks()); return response;
      case wire::Response::ROWS: {
        SKUA_ASSIGN(RowsReply rows, read_rows(in.getRows(), message));
        response.is_last = rows.done.has_value();
        response.body = std::move(rows);
        return response;
      }
      case wire::Response::PROGRAM: {
        SKUA_ASSIGN(ProgramResult program, read_program(in.getProgram(), message));
        response.body = std::move(program);
        return response;
      }
      case wire::Response::PROGRESS:
        response.is_last = false;
        response.body = BackupProgress{false, in.getProgress().getDone(), in.getProgress().getTotal()};
        return response;
    }
    return make_error(ErrorCode::kProtocol,
                      fmt::format("unknown kind of response {}", static_cast<unsigned>(in.which())));
  });
}

}  // namespace skua
