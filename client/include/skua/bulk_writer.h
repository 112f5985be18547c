// BulkWriter: a long sequence of parameter rows for one statement, sent in batches while the daemon works on
// the batches before, inside a transaction that the caller owns, or outside of any.
//
// At most a few batches are under way, so memory is bounded whatever the number of rows. The first error ends
// it; error.row then counts from the first row ever added. Belongs to its transaction's or connection's thread,
// and its transaction must not be used for anything else until finish().
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "protocol/summary.h"
#include "skua/options.h"
#include "skua/parameters.h"
#include "skua/transaction.h"

namespace skua {

class Connection;

class BulkWriter {
 public:
  BulkWriter(Transaction& transaction, std::string sql, std::size_t column_count);
  // Outside of transactions: the rows are independent, as RequestOptions::independent says, and committed on the
  // way. After an error error.row is the first row that is not committed (the first that may not be, if the
  // connection was lost), however many there were before. What was not finish()ed may be committed or not. The options are
  // those of each batch.
  BulkWriter(Connection& connection, std::string sql, std::size_t column_count, RequestOptions options = {});
  BulkWriter(BulkWriter&&) noexcept;
  BulkWriter& operator=(BulkWriter&&) noexcept;
  ~BulkWriter();

  // As in ParameterRows. end_row() may send, and reports the first error of any earlier batch.
  void append(const ValueView& value);
  Status end_row();
  // Sends the rest and waits for all answers; the summary adds them up.
  Result<Summary> finish();

  // Rows that were ended so far.
  std::uint64_t row_count() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace skua
