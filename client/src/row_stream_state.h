// RowStream::State: the responses to one statement, in order, and the credits for them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "client/src/channel.h"
#include "client/src/observer.h"
#include "skua/result_set.h"
#include "skua/row_stream.h"

namespace skua {

class RowStream::State {
 public:
  // Of a request that is under way. `window_bytes` as the request asked for, 0 for the daemon's default.
  State(std::shared_ptr<Channel> channel, std::uint64_t id, std::uint32_t window_bytes);
  // The same of a statement. `sql` must live until the first response was taken.
  State(std::shared_ptr<Channel> channel, std::uint64_t id, std::string_view sql, Observation observation,
        KnownColumns::Entry known, std::uint32_t window_bytes);
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State();
  // Sends one statement.
  static Result<std::unique_ptr<State>> start(std::shared_ptr<Channel> channel, Execution::Kind kind, std::string_view sql,
                                              const Parameters& parameters, const RequestOptions& options,
                                              std::uint32_t transaction);

  // ---- without waiting: nothing where channel()'s id() is not ready.

  // Whether the statement runs, and its columns.
  std::optional<Status> try_open();
  // The next batch with rows in it; an empty one at the end. An error is repeated.
  std::optional<Result<Batch>> try_next_batch();
  std::optional<Result<ResultSet>> try_next_partition(std::size_t row_count);
  // All that is left.
  std::optional<Result<ResultSet>> try_collect() { return try_next_partition(SIZE_MAX); }
  // For who goes through the rows by itself: what is left of the batch in the middle of which next_row() or a partition has
  // stopped; and the same given back.
  std::pair<Batch, std::size_t> take_rest() { return {std::exchange(batch_, Batch()), std::exchange(taken_, 0)}; }
  void put_back(Batch batch, std::size_t taken) {
    batch_ = std::move(batch);
    taken_ = taken;
  }

  // ---- the same with waiting

  Status open();
  Result<Batch> next_batch();
  Result<ResultSet> collect();
  Result<bool> next_row();
  Result<ResultSet> next_partition(std::size_t row_count);

  Row row() const;
  void cancel();

  Channel& channel() { return *channel_; }
  std::uint64_t id() const { return id_; }
  const Columns& columns() const { return columns_; }
  const Summary& summary() const { return summary_; }
  bool is_finished() const { return is_finished_; }

 private:
  // One response: its rows, which may be none. Sets is_finished_ at the end.
  Result<Batch> take_response();
  Result<Batch> take(RowsReply reply, std::size_t byte_count);
  void give_credit(std::size_t byte_count);

  std::shared_ptr<Channel> channel_;
  Observation observation_;
  std::uint64_t id_;
  std::uint64_t window_bytes_;
  std::uint64_t taken_bytes_ = 0;  // since the last grant
  KnownColumns::Entry known_;
  std::string_view sql_;  // until the first response
  Columns columns_;
  bool has_columns_ = false;
  bool is_finished_ = false;
  std::optional<Error> error_;
  Summary summary_;
  Batch opened_;  // came with the columns and was not taken yet
  Batch batch_;   // of next_row() and the partitions
  std::size_t taken_ = 0;  // rows of it
  // The partition, or the result, in the making: rows of these batches, without the first ones of the first.
  std::vector<Batch> partition_;
  std::size_t partition_skip_ = 0;
  std::size_t partition_rows_ = 0;
};

// Starts a request and waits for all of its rows.
Result<ResultSet> collect_rows(std::shared_ptr<Channel> channel, Request request, std::uint32_t window_bytes);
// One statement, and all of its rows.
Result<ResultSet> execute_statement(const std::shared_ptr<Channel>& channel, std::string_view sql,
                                    const Parameters& parameters, const RequestOptions& options,
                                    std::uint32_t transaction = 0);
// One statement, of which the columns are waited for.
Result<RowStream> stream_statement(const std::shared_ptr<Channel>& channel, std::string_view sql,
                                   const Parameters& parameters, const RequestOptions& options,
                                   std::uint32_t transaction = 0);

}  // namespace skua
