// Cursor: a running statement whose rows leave in batches. Holds the request, whose message the parameters point into,
// and the statement, whose read transaction is SQLite's snapshot. Belongs to its connection's thread.
#pragma once

#include <cstdint>
#include <memory>

#include "daemon/core/request.h"
#include "daemon/engine/statement_cache.h"
#include "protocol/row_batch.h"
#include "protocol/summary.h"

namespace skua {

class Cursor {
 public:
  Cursor(std::shared_ptr<Request> request, StatementCache::Lease statement)
      : request_(std::move(request)), statement_(std::move(statement)) {}

  // The next response. `more` says whether the cursor goes on; if not, the response ends the request.
  Result<Frame> next_frame(std::size_t batch_bytes, bool in_transaction, bool& more);

 private:
  Frame make_frame(bool last, bool in_transaction);

  std::shared_ptr<Request> request_;
  StatementCache::Lease statement_;
  RowBatchBuilder batch_;
  bool columns_sent_ = false;
  int column_count_ = 0;
  std::uint64_t row_count_ = 0;
  bool started_ = false;
};

// Appends the row that the statement stands on. kLimit if the row is larger than a response can be.
Status append_row(const Statement& statement, int column_count, RowBatchBuilder& batch);

// What a finished statement changed. `read_only` statements changed nothing; SQLite's counters tell of the one before.
Summary summary_of(sqlite3* db, bool read_only, TransactionState transaction);

}  // namespace skua
