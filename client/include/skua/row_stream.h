// RowStream: the rows of a running execution, batch by batch, in bounded memory.
//
//   auto stream = connection.stream("SELECT * FROM big");
//   while (true) {
//     auto more = stream->next();
//     if (!more) return more.error();   // the rows so far were right; the rest is not coming
//     if (!*more) break;
//     use(stream->row());
//   }
//
// The daemon sends no more than the window ahead of what was taken out. While a stream is open its connection
// may be used for other requests; what arrives for the stream meanwhile is kept for it. Destroying an
// unfinished stream cancels it. Belongs to its connection's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "protocol/summary.h"
#include "skua/batch.h"
#include "skua/result_set.h"

namespace skua {

class Channel;

class RowStream {
 public:
  RowStream(RowStream&&) noexcept;
  RowStream& operator=(RowStream&&) noexcept;
  ~RowStream();

  const Columns& columns() const;

  // Moves to the next row; false after the last.
  Result<bool> next();
  // The row that next() moved to; lives until the next call of next().
  Row row() const;

  // The next batch as it came; an empty one at the end. Not after next() or next_partition(), which may have stopped in the
  // middle of one: what is left of that would be left out.
  Result<Batch> next_batch();

  // The next `row_count` rows, at least 1: fewer at the end, none after it.
  Result<ResultSet> next_partition(std::size_t row_count);

  // Meaningful after the end.
  const Summary& summary() const;
  // Ends the stream early and gives the daemon its resources back.
  void cancel();

  // For the library's own use.
  class State;
  explicit RowStream(std::unique_ptr<State> state);

 private:
  std::unique_ptr<State> state_;
};

}  // namespace skua
