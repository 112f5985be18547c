// RowStream::State: the responses to one statement, in order, and the credits for them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "client/src/channel.h"
#include "skua/result_set.h"
#include "skua/row_stream.h"

namespace skua {

class RowStream::State {
 public:
  // `window_bytes` as the request asked for, 0 for the daemon's default.
  static Result<std::unique_ptr<State>> start(std::shared_ptr<Channel> channel, Request request,
                                              std::uint32_t window_bytes);
  // What the request said it knows, and the SQL it was for; until the first response is here `sql` must live.
  void expect(KnownColumns::Entry known, std::string_view sql) {
    known_ = std::move(known);
    sql_ = sql;
  }
  State(std::shared_ptr<Channel> channel, std::uint64_t id, std::uint32_t window_bytes);
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State();

  // Waits until it is known whether the statement runs, and its columns.
  Status open();
  // The next batch with rows in it; an empty one at the end. An error is repeated.
  Result<Batch> next_batch();
  // All that is left.
  Result<ResultSet> collect();

  Result<bool> next_row();
  Row row() const;
  void cancel();

  const Columns& columns() const { return columns_; }
  const Summary& summary() const { return summary_; }

 private:
  // One response: its rows, which may be none. Sets is_finished_ at the end.
  Result<Batch> receive();
  Result<Batch> take(RowsReply reply, std::size_t byte_count);
  void give_credit(std::size_t byte_count);

  std::shared_ptr<Channel> channel_;
  std::uint64_t id_;
  std::uint64_t window_bytes_;
  std::uint64_t taken_bytes_ = 0;  // since the last grant
  KnownColumns::Entry known_;
  std::string_view sql_;
  Columns columns_;
  bool has_columns_ = false;
  bool is_finished_ = false;
  std::optional<Error> error_;
  Summary summary_;
  Batch opened_;  // came with the columns and was not taken yet
  Batch batch_;   // the one next_row() is in
  std::size_t row_ = 0;
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
