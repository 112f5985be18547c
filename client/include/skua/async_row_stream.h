// AsyncRowStream: the rows of a running execution as they come, for coroutines: a generator in bounded memory.
//
//   SKUA_CO_ASSIGN(skua::AsyncRowStream items, co_await engine.stream("SELECT name, price FROM item"));
//   while (true) {
//     SKUA_CO_ASSIGN(const bool has_row, co_await items.next());
//     if (!has_row) break;
//     SKUA_CO_ASSIGN(const auto item, (items.row().as<std::tuple<std::string, double>>()));
//   }
//
// The daemon sends no more than the window ahead of what was taken out, so memory is bounded whatever the size of the result.
// A stream that is destroyed or cancelled before its end gives the daemon its resources back at once. An error ends it: the
// rows so far were right, the rest is not coming; nothing is sent a second time. One task at a time may wait for a stream, and it
// must not outlive its engine. Belongs to the thread of the engine's loop.
#pragma once

#include <coroutine>
#include <cstddef>
#include <memory>
#include <optional>

#include "protocol/summary.h"
#include "skua/batch.h"
#include "skua/result_set.h"
#include "skua/row_stream.h"
#include "skua/task.h"

namespace skua {

class AsyncRowStream {
 public:
  AsyncRowStream(AsyncRowStream&&) noexcept;
  AsyncRowStream& operator=(AsyncRowStream&&) noexcept;
  ~AsyncRowStream();

  const Columns& columns() const;

  // To be awaited: moves to the next row; false after the last. Waits only when a batch has no more rows.
  auto next() { return Next(*this); }
  // The row that next() moved to; lives until the next call of next().
  Row row() const { return Row(columns(), batch_, row_); }

  // The next batch as it came; an empty one at the end. Not after next() or next_partition(), which may have stopped in the
  // middle of one: what is left of that would be left out.
  Task<Result<Batch>> next_batch();
  // The next `row_count` rows, at least 1: fewer at the end, none after it.
  Task<Result<ResultSet>> next_partition(std::size_t row_count);
  // All rows that are left.
  Task<Result<ResultSet>> collect();

  // Meaningful after the end.
  const Summary& summary() const;
  // Ends the stream early.
  void cancel();

  // For the library's own use.
  class State;
  explicit AsyncRowStream(std::unique_ptr<State> state);

 private:
  class [[nodiscard]] Next {
   public:
    explicit Next(AsyncRowStream& stream) : stream_(stream) {}

    bool await_ready() const noexcept { return stream_.row_ + 1 < stream_.batch_.row_count(); }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> awaiting) {
      fetch_ = stream_.fetch();
      return fetching_.emplace(fetch_.operator co_await()).await_suspend(awaiting);
    }
    Result<bool> await_resume() {
      if (fetching_) return fetching_->await_resume();
      ++stream_.row_;
      return true;
    }

   private:
    AsyncRowStream& stream_;
    Task<Result<bool>> fetch_;
    std::optional<Task<Result<bool>>::Awaiter> fetching_;
  };

  // Moves to the first row of the next batch.
  Task<Result<bool>> fetch();
  // What next() has not moved to of the present batch is for others.
  void put_rest_back();

  std::unique_ptr<State> state_;
  Batch batch_;
  std::size_t row_ = 0;
};

}  // namespace skua
