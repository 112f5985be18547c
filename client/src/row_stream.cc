#include "skua/row_stream.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "client/src/row_stream_state.h"

namespace skua {

RowStream::State::State(std::shared_ptr<Channel> channel, std::uint64_t id, std::uint32_t window_bytes)
    : channel_(std::move(channel)),
      id_(id),
      // The daemon gives no more than its maximum; waiting for half of more would wait for ever.
      window_bytes_(window_bytes == 0 ? channel_->stream_window_bytes()
                                      : std::min(window_bytes, channel_->stream_window_bytes_max())) {}

RowStream::State::~State() { cancel(); }

Result<std::unique_ptr<RowStream::State>> RowStream::State::start(std::shared_ptr<Channel> channel,
                                                                  Request request, std::uint32_t window_bytes) {
  SKUA_ASSIGN(const std::uint64_t id, channel->start(std::move(request)));
  return std::make_unique<State>(std::move(channel), id, window_bytes);
}

Status RowStream::State::open() {
  SKUA_ASSIGN(opened_, receive());
  return {};
}

Result<Batch> RowStream::State::receive() {
  Result<Response> response = channel_->receive(id_);
  if (!response) {
    is_finished_ = true;
    return std::move(response).error();
  }
  if (response->is_last) is_finished_ = true;
  if (auto* error = std::get_if<Error>(&response->body)) return std::move(*error);
  if (auto* rows = std::get_if<RowsReply>(&response->body)) return take(std::move(*rows), response->byte_count);
  is_finished_ = true;
  if (auto* done = std::get_if<Summary>(&response->body)) {
    summary_ = *done;
    return Batch();
  }
  return channel_->reject("a statement was answered with a response of another kind");
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

Result<Batch> RowStream::State::next_batch() {
  if (error_) return *error_;
  Batch batch = std::exchange(opened_, Batch());
  while (batch.row_count() == 0 && !is_finished_) {
    Result<Batch> received = receive();
    if (!received) {
      error_ = std::move(received).error();
      return *error_;
    }
    batch = std::move(*received);
  }
  return batch;
}

Result<ResultSet> RowStream::State::collect() {
  std::vector<Batch> batches;
  while (true) {
    SKUA_ASSIGN(Batch batch, next_batch());
    if (batch.row_count() == 0) return ResultSet(std::move(columns_), std::move(batches), summary_);
    batches.push_back(std::move(batch));
  }
}

Result<bool> RowStream::State::next_row() {
  if (row_ + 1 < batch_.row_count()) {
    ++row_;
    return true;
  }
  row_ = 0;
  SKUA_ASSIGN(batch_, next_batch());
  return batch_.row_count() > 0;
}

Row RowStream::State::row() const { return Row(columns_, batch_, row_); }

void RowStream::State::cancel() {
  if (!is_finished_) channel_->abandon(id_);
  is_finished_ = true;
  opened_ = Batch();
  batch_ = Batch();
  row_ = 0;
}

Result<ResultSet> collect_rows(std::shared_ptr<Channel> channel, Request request, std::uint32_t window_bytes) {
  SKUA_ASSIGN(const auto state, RowStream::State::start(std::move(channel), std::move(request), window_bytes));
  return state->collect();
}

namespace {

Result<std::unique_ptr<RowStream::State>> start_statement(const std::shared_ptr<Channel>& channel, std::string_view sql,
                                                          const Parameters& parameters, const RequestOptions& options,
                                                          std::uint32_t transaction) {
  KnownColumns::Entry known = channel->known_columns().find(sql);
  SKUA_ASSIGN(Request request, execute_request(channel->head(options, transaction), sql, parameters, options.window_bytes,
                                               options.durability, known.id));
  SKUA_ASSIGN(auto state, RowStream::State::start(channel, std::move(request), options.window_bytes));
  state->expect(std::move(known), sql);
  return state;
}

}  // namespace

Result<ResultSet> execute_statement(const std::shared_ptr<Channel>& channel, std::string_view sql,
                                    const Parameters& parameters, const RequestOptions& options,
                                    std::uint32_t transaction) {
  SKUA_ASSIGN(const auto state, start_statement(channel, sql, parameters, options, transaction));
  return state->collect();
}

Result<RowStream> stream_statement(const std::shared_ptr<Channel>& channel, std::string_view sql,
                                   const Parameters& parameters, const RequestOptions& options,
                                   std::uint32_t transaction) {
  SKUA_ASSIGN(auto state, start_statement(channel, sql, parameters, options, transaction));
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
const Summary& RowStream::summary() const { return state_->summary(); }
void RowStream::cancel() { state_->cancel(); }

}  // namespace skua
