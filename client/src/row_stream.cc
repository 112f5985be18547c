#include "skua/row_stream.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "client/src/operation.h"
#include "client/src/row_stream_state.h"

namespace skua {

RowStream::State::State(std::shared_ptr<Channel> channel, std::uint64_t id, std::uint32_t window_bytes)
    : channel_(std::move(channel)),
      id_(id),
      // The daemon gives no more than its maximum; waiting for half of more would wait for ever.
      window_bytes_(window_bytes == 0 ? channel_->stream_window_bytes()
                                      : std::min(window_bytes, channel_->stream_window_bytes_max())) {}

RowStream::State::State(std::shared_ptr<Channel> channel, std::uint64_t id, std::string_view sql, Observation observation,
                        KnownColumns::Entry known, std::uint32_t window_bytes)
    : State(std::move(channel), id, window_bytes) {
  observation_ = std::move(observation);
  known_ = std::move(known);
  sql_ = sql;
}

RowStream::State::~State() { cancel(); }

Result<std::unique_ptr<RowStream::State>> RowStream::State::start(std::shared_ptr<Channel> channel, Execution::Kind kind,
                                                                  std::string_view sql, const Parameters& parameters,
                                                                  const RequestOptions& options, std::uint32_t transaction) {
  KnownColumns::Entry known;
  SKUA_ASSIGN(Operation operation, execute_operation(*channel, kind, sql, parameters, options, transaction, known));
  const Result<std::uint64_t> id = channel->start(std::move(operation.request));
  if (!id) {
    operation.observation.fail(id.error());
    return id.error();
  }
  return std::make_unique<State>(std::move(channel), *id, sql, std::move(operation.observation), std::move(known),
                                 options.window_bytes);
}

std::optional<Status> RowStream::State::try_open() {
  if (!channel_->is_ready(id_)) return std::nullopt;
  Result<Batch> first = take_response();
  if (!first) return std::move(first).error();
  opened_ = std::move(*first);
  return Status();
}

Status RowStream::State::open() {
  channel_->wait_for(id_);
  return *try_open();
}

Result<Batch> RowStream::State::take_response() {
  Result<Response> response = channel_->take(id_);
  is_finished_ = !response || response->is_last;
  const auto taken = [&]() -> Result<Batch> {
    if (!response) return std::move(response).error();
    if (auto* error = std::get_if<Error>(&response->body)) return std::move(*error);
    if (auto* rows = std::get_if<RowsReply>(&response->body)) return take(std::move(*rows), response->byte_count);
    is_finished_ = true;
    if (auto* done = std::get_if<Summary>(&response->body)) {
      summary_ = *done;
      return Batch();
    }
    return channel_->reject("a statement was answered with a response of another kind");
  };
  Result<Batch> batch = taken();
  if (!batch) {
    observation_.fail(batch.error());
  } else if (is_finished_) {
    observation_.succeed(&summary_);
  }
  return batch;
}

Result<Batch> RowStream::State::take(RowsReply reply, std::size_t byte_count) {
  if (!has_columns_ && (reply.has_columns || (reply.columns_id != 0 && reply.columns_id == known_.id))) {
    columns_ = reply.has_columns ? std::move(reply.columns) : std::move(known_.columns);
    has_columns_ = true;
    if (reply.has_columns && !sql_.empty()) channel_->known_columns().keep(sql_, {reply.columns_id, columns_});
  }
  sql_ = {};
  if (reply.batch.row_count() > 0 && reply.batch.column_count() != columns_.size()) {
    is_finished_ = true;
    return channel_->reject("a row batch does not have its result's columns");
  }
  if (reply.done) summary_ = *reply.done;
  if (!is_finished_) give_credit(byte_count);
  return std::move(reply.batch);
}

void RowStream::State::give_credit(std::size_t byte_count) {
  taken_bytes_ += byte_count;
  if (taken_bytes_ < window_bytes_ / 2) return;
  channel_->grant(id_, taken_bytes_);
  taken_bytes_ = 0;
}

std::optional<Result<Batch>> RowStream::State::try_next_batch() {
  if (error_) return *error_;
  Batch batch = std::exchange(opened_, Batch());
  while (batch.row_count() == 0 && !is_finished_) {
    if (!channel_->is_ready(id_)) return std::nullopt;
    Result<Batch> received = take_response();
    if (!received) {
      error_ = std::move(received).error();
      return *error_;
    }
    batch = std::move(*received);
  }
  return batch;
}

Result<Batch> RowStream::State::next_batch() {
  while (true) {
    if (std::optional<Result<Batch>> batch = try_next_batch()) return std::move(*batch);
    channel_->wait_for(id_);
  }
}

Result<ResultSet> RowStream::State::collect() {
  while (true) {
    if (std::optional<Result<ResultSet>> rows = try_collect()) return std::move(*rows);
    channel_->wait_for(id_);
  }
}

Result<bool> RowStream::State::next_row() {
  if (taken_ == batch_.row_count()) {
    taken_ = 0;
    batch_ = Batch();
    SKUA_ASSIGN(batch_, next_batch());
    if (batch_.row_count() == 0) return false;
  }
  ++taken_;
  return true;
}

Row RowStream::State::row() const { return Row(columns_, batch_, taken_ - 1); }

std::optional<Result<ResultSet>> RowStream::State::try_next_partition(std::size_t row_count) {
  while (partition_rows_ < row_count) {
    if (taken_ == batch_.row_count()) {
      std::optional<Result<Batch>> next = try_next_batch();
      if (!next) return std::nullopt;
      batch_ = Batch();
      taken_ = 0;
      if (!*next) return std::move(*next).error();
      batch_ = std::move(**next);
      if (batch_.row_count() == 0) break;
    }
    if (partition_.empty()) partition_skip_ = taken_;
    partition_.push_back(batch_);
    const std::size_t taken = std::min(row_count - partition_rows_, batch_.row_count() - taken_);
    partition_rows_ += taken;
    taken_ += taken;
  }
  return ResultSet(columns_, std::exchange(partition_, {}), summary_, std::exchange(partition_skip_, 0),
                   std::exchange(partition_rows_, 0));
}

Result<ResultSet> RowStream::State::next_partition(std::size_t row_count) {
  while (true) {
    if (std::optional<Result<ResultSet>> rows = try_next_partition(row_count)) return std::move(*rows);
    channel_->wait_for(id_);
  }
}

void RowStream::State::cancel() {
  if (!is_finished_) channel_->abandon(id_);
  is_finished_ = true;
  observation_ = Observation();
  opened_ = Batch();
  batch_ = Batch();
  taken_ = 0;
  partition_.clear();
  partition_rows_ = 0;
}

Result<ResultSet> collect_rows(std::shared_ptr<Channel> channel, Request request, std::uint32_t window_bytes) {
  SKUA_ASSIGN(const std::uint64_t id, channel->start(std::move(request)));
  return RowStream::State(std::move(channel), id, window_bytes).collect();
}

namespace {

// The statement's result, if it went through the rings in one short answer; nothing if it is under way.
std::optional<Result<ResultSet>> exchange(Channel& channel, const Request& request, const KnownColumns::Entry& known) {
  std::optional<Frame> frame = channel.exchange(request);
  if (!frame) return std::nullopt;
  std::optional<ShortAnswer> answer = read_short_answer(*frame);
  if (!answer) {
    channel.take_exchanged(request, *std::move(frame));
    return std::nullopt;
  }
  const bool has_rows = answer->columns_id != 0;
  if (answer->id != request.id || (has_rows && answer->columns_id != known.id) ||
      answer->batch.column_count() != (has_rows ? known.columns.size() : 0)) {
    return channel.reject("a statement was answered with what cannot be its rows");
  }
  std::vector<Batch> batches;
  if (answer->batch.row_count() > 0) batches.push_back(std::move(answer->batch));
  return ResultSet(has_rows ? known.columns : Columns(), std::move(batches), answer->summary);
}

}  // namespace

Result<ResultSet> execute_statement(const std::shared_ptr<Channel>& channel, std::string_view sql,
                                    const Parameters& parameters, const RequestOptions& options,
                                    std::uint32_t transaction) {
  KnownColumns::Entry known;
  SKUA_ASSIGN(Operation operation,
              execute_operation(*channel, Execution::Kind::kExecute, sql, parameters, options, transaction, known));
  std::uint64_t id = operation.request.id;
  if (channel->observer() == nullptr && channel->may_exchange(operation.request)) {
    if (std::optional<Result<ResultSet>> rows = exchange(*channel, operation.request, known)) return *std::move(rows);
  } else {
    const Result<std::uint64_t> started = channel->start(std::move(operation.request));
    if (!started) {
      operation.observation.fail(started.error());
      return started.error();
    }
  }
  return RowStream::State(channel, id, sql, std::move(operation.observation), std::move(known), options.window_bytes).collect();
}

Result<RowStream> stream_statement(const std::shared_ptr<Channel>& channel, std::string_view sql,
                                   const Parameters& parameters, const RequestOptions& options,
                                   std::uint32_t transaction) {
  SKUA_ASSIGN(auto state,
              RowStream::State::start(channel, Execution::Kind::kStream, sql, parameters, options, transaction));
  SKUA_TRY(state->open());
  return RowStream(std::move(state));
}

RowStream::RowStream(std::unique_ptr<State> state) : state_(std::move(state)) {}
RowStream::RowStream(RowStream&&) noexcept = default;
RowStream& RowStream::operator=(RowStream&&) noexcept = default;
RowStream::~RowStream() = default;

const Columns& RowStream::columns() const { return state_->columns(); }
Result<bool> RowStream::next() { return state_->next_row(); }
Row RowStream::row() const { return state_->row(); }
Result<Batch> RowStream::next_batch() { return state_->next_batch(); }
Result<ResultSet> RowStream::next_partition(std::size_t row_count) { return state_->next_partition(row_count); }
const Summary& RowStream::summary() const { return state_->summary(); }
void RowStream::cancel() { state_->cancel(); }

}  // namespace skua
