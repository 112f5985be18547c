#include "skua/async_row_stream.h"

#include <tuple>
#include <utility>

#include "client/engine/answer.h"
#include "client/engine/async_state.h"

namespace skua {

AsyncRowStream::AsyncRowStream(std::unique_ptr<State> state) : state_(std::move(state)) {}
AsyncRowStream::AsyncRowStream(AsyncRowStream&&) noexcept = default;
AsyncRowStream& AsyncRowStream::operator=(AsyncRowStream&&) noexcept = default;
AsyncRowStream::~AsyncRowStream() = default;

const Columns& AsyncRowStream::columns() const { return state_->rows->columns(); }
const Summary& AsyncRowStream::summary() const { return state_->rows->summary(); }

Task<Result<Batch>> AsyncRowStream::next_batch() {
  RowStream::State& rows = *state_->rows;
  Result<Batch> batch = co_await Answer(state_->loop, rows.channel(), rows.id(), [&rows] { return rows.try_next_batch(); });
  state_->rest_if_finished();
  co_return batch;
}

Task<Result<bool>> AsyncRowStream::fetch() {
  RowStream::State& rows = *state_->rows;
  // A partition may have ended in the middle of a batch.
  std::tie(batch_, row_) = rows.take_rest();
  if (row_ < batch_.row_count()) co_return true;
  batch_ = Batch();
  row_ = 0;
  Result<Batch> batch = co_await Answer(state_->loop, rows.channel(), rows.id(), [&rows] { return rows.try_next_batch(); });
  state_->rest_if_finished();
  if (!batch) co_return std::move(batch).error();
  batch_ = std::move(*batch);
  co_return batch_.row_count() > 0;
}

void AsyncRowStream::put_rest_back() {
  if (batch_.row_count() == 0) return;
  state_->rows->put_back(std::exchange(batch_, Batch()), std::exchange(row_, 0) + 1);
}

Task<Result<ResultSet>> AsyncRowStream::next_partition(std::size_t row_count) {
  if (row_count == 0) co_return make_error(ErrorCode::kUsage, "a partition has one row at least");
  put_rest_back();
  RowStream::State& rows = *state_->rows;
  Result<ResultSet> partition = co_await Answer(state_->loop, rows.channel(), rows.id(),
                                                [&rows, row_count] { return rows.try_next_partition(row_count); });
  state_->rest_if_finished();
  co_return partition;
}

Task<Result<ResultSet>> AsyncRowStream::collect() {
  put_rest_back();
  RowStream::State& rows = *state_->rows;
  Result<ResultSet> all = co_await Answer(state_->loop, rows.channel(), rows.id(), [&rows] { return rows.try_collect(); });
  state_->rest_if_finished();
  co_return all;
}

void AsyncRowStream::cancel() {
  state_->rows->cancel();
  state_->slot = Slot();
  batch_ = Batch();
  row_ = 0;
}

}  // namespace skua
