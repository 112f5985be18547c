// Batches and Partitions: a stream taken out by the batch, or in groups of some rows; AsyncBatches and AsyncPartitions for
// coroutines. Each owns its stream, and belongs to its thread.
#pragma once

#include <cstddef>
#include <utility>

#include "skua/async_row_stream.h"
#include "skua/row_stream.h"

namespace skua {

// From stream_batches(). A batch is what one message of the daemon had of the rows, some tens of KiB mostly.
class Batches {
 public:
  explicit Batches(RowStream stream) : stream_(std::move(stream)) {}
  const Columns& columns() const { return stream_.columns(); }
  // Without rows at the end.
  Result<Batch> next() { return stream_.next_batch(); }
  // Meaningful after the end.
  const Summary& summary() const { return stream_.summary(); }

 private:
  RowStream stream_;
};

// The same for coroutines.
class AsyncBatches {
 public:
  explicit AsyncBatches(AsyncRowStream stream) : stream_(std::move(stream)) {}
  const Columns& columns() const { return stream_.columns(); }
  // Without rows at the end.
  Task<Result<Batch>> next() { return stream_.next_batch(); }
  // Meaningful after the end.
  const Summary& summary() const { return stream_.summary(); }

 private:
  AsyncRowStream stream_;
};

// From partitions(): `row_count` rows each, the last one fewer.
class Partitions {
 public:
  Partitions(RowStream stream, std::size_t row_count) : stream_(std::move(stream)), row_count_(row_count) {}
  const Columns& columns() const { return stream_.columns(); }
  // Without rows at the end.
  Result<ResultSet> next() { return stream_.next_partition(row_count_); }

 private:
  RowStream stream_;
  std::size_t row_count_;
};

// The same for coroutines.
class AsyncPartitions {
 public:
  AsyncPartitions(AsyncRowStream stream, std::size_t row_count) : stream_(std::move(stream)), row_count_(row_count) {}
  const Columns& columns() const { return stream_.columns(); }
  // Without rows at the end.
  Task<Result<ResultSet>> next() { return stream_.next_partition(row_count_); }

 private:
  AsyncRowStream stream_;
  std::size_t row_count_;
};

}  // namespace skua
