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

// Short answers, as most are: rows of known columns, or the end of a request. Nothing for what Cap'n Proto has to read, and the
// frame is then as it was.
std::optional<Response> read_short_response(Frame& frame) {
  FlatReader message;
  FlatStruct root;
  FlatStruct rows;
  FlatStruct batch;
  FlatStruct done;
  if (!message.open(frame.view(), root) || root.quarter_word(4) != static_cast<std::uint16_t>(wire::Response::ROWS) ||
      !message.follow(root.pointer(0), rows) || rows.has(0) || !rows.has(1) || !message.follow(rows.pointer(1), batch) ||
      !message.follow(rows.pointer(2), done)) {
    return std::nullopt;
  }
  RowBatchReader reader;
  if (!reader.open_flat(message, batch)) return std::nullopt;
  std::optional<Response> response(std::in_place);
  response->id = root.word(0);
  response->byte_count = frame.byte_count();
  response->is_last = rows.has(2);
  auto& reply = response->body.emplace<RowsReply>();
  reply.columns_id = rows.word(0);
  if (response->is_last) {
    reply.done = Summary{done.word(0), static_cast<std::int64_t>(done.word(1)),
                         static_cast<TransactionState>(done.quarter_word(8)), done.word(3), done.word(4)};
  }
  reply.batch = Batch(std::make_shared<const Batch::Message>(std::move(frame), std::move(reader)));
  return response;
}

}  // namespace

Result<Response> read_response(Frame frame) {
  if (std::optional<Response> response = read_short_response(frame)) return *std::move(response);
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
