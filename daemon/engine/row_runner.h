// RowRunner: executes one statement with one row of parameters after the other, for executeMany. Belongs to the
// connection's thread.
#pragma once

#include <cstddef>
#include <vector>

#include "daemon/engine/connection.h"
#include "protocol/row_batch.h"
#include "protocol/summary.h"

namespace skua {

class RowRunner {
 public:
  // `parameters` is, for each column of the rows, which parameter of the statement it is: match_columns().
  RowRunner(Connection& connection, StatementCache::Lease statement, const RowBatchReader& rows,
            const std::vector<int>& parameters)
      : connection_(connection), statement_(std::move(statement)), rows_(rows), parameters_(parameters) {}

  // Adds to the summary what the row changed. An error names the row.
  Status run(std::size_t row, Summary& summary);

 private:
  Status execute(std::size_t row);

  Connection& connection_;
  StatementCache::Lease statement_;
  const RowBatchReader& rows_;
  const std::vector<int>& parameters_;
};

}  // namespace skua
