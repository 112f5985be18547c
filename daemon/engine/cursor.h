// Cursor: a running statement whose rows leave in batches. Holds the request, whose message the parameters point into,
// and the statement, whose read transaction is SQLite's snapshot. Belongs to its connection's thread.
#pragma once

#include <cstdint>
#include <memory>

#include "daemon/base/clock.h"
#include "protocol/recycling_allocator.h"
#include "daemon/core/request.h"
#include "daemon/engine/statement_cache.h"
#include "protocol/frame_pool.h"
#include "protocol/row_batch.h"
#include "protocol/summary.h"

namespace skua {

class Cursor {
 public:
  // `batch` is memory to collect rows in, `frames` memory to send them in; it may be null.
  Cursor(std::shared_ptr<Request> request, StatementCache::Lease statement, FramePool* frames = nullptr,
         RowBatchBuilder batch = RowBatchBuilder())
      : request_(std::move(request)),
        statement_(std::move(statement)),
        frames_(frames),
        batch_(std::move(batch)),
        started_us_(monotonic_us()),
        total_changes_before_(sqlite3_total_changes64(statement_->database())) {}

  // Cursors come and go with every statement.
  static void* operator new(std::size_t) { return RecyclingAllocator<Cursor>().allocate(1); }
  static void operator delete(void* memory) { RecyclingAllocator<Cursor>().deallocate(static_cast<Cursor*>(memory), 1); }

  // The next response. `more` says whether the cursor goes on; if not, the response ends the request.
  Result<Frame> next_frame(std::size_t batch_bytes, bool in_transaction, bool& more);

  // Of all responses so far.
  std::uint64_t made_bytes() const { return made_bytes_; }

  // After the first response: whether it took so few steps that the loop thread could have made it.
  bool started_shortly();
  std::uint64_t started_us() const { return started_us_; }

  // After the last response: whether all of it took so few steps that the loop thread could have run it, and how long it took.
  bool was_short();
  std::uint64_t run_us() const { return ended_us_ - started_us_; }
  // Then, for the next cursor.
  RowBatchBuilder take_batch() { return std::move(batch_); }

 private:
  // After the first step.
  void start();
  Frame make_frame(bool last, bool in_transaction);

  std::shared_ptr<Request> request_;
  StatementCache::Lease statement_;
  FramePool* const frames_;
  RowBatchBuilder batch_;
  bool columns_sent_ = false;
  int column_count_ = 0;
  std::uint64_t row_count_ = 0;
  std::uint64_t made_bytes_ = 0;
  const std::uint64_t started_us_;
  std::uint64_t ended_us_ = 0;
  const std::int64_t total_changes_before_;
  std::int64_t last_insert_rowid_ = 0;
  bool started_ = false;
};

// Appends the row that the statement stands on. kLimit if the row is larger than a response can be.
Status append_row(const Statement& statement, int column_count, RowBatchBuilder& batch);

// What a finished statement changed. SQLite's counters tell of the last statement that could change rows, which may be an
// earlier one of another session; whether it was this one tells sqlite3_total_changes64() from before it ran.
Summary summary_of(const Statement& statement, std::int64_t total_changes_before, TransactionState transaction);

}  // namespace skua
