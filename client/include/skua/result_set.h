// ResultSet: all rows of a finished execution, in memory. For results that may be large use RowStream.
//
// Any thread, one at a time.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "protocol/summary.h"
#include "skua/batch.h"

namespace skua {

class ResultSet {
 public:
  ResultSet() = default;
  ResultSet(Columns columns, std::vector<Batch> batches, Summary summary);

  const Columns& columns() const { return columns_; }
  const Summary& summary() const { return summary_; }
  std::size_t row_count() const { return row_count_; }
  bool empty() const { return row_count_ == 0; }
  // Out of range is a defect of the caller and aborts. The row lives no longer than the result set.
  Row row(std::size_t index) const;
  // Exactly one row, or kUsage.
  Result<Row> one() const;
  // The only row, or nothing; kUsage if there are more.
  Result<std::optional<Row>> one_or_none() const;
  // The first column of the only row; kUsage otherwise.
  Result<Value> scalar() const;

  class Iterator {
   public:
    Iterator(const ResultSet* set, std::size_t index) : set_(set), index_(index) {}
    Row operator*() const { return set_->row(index_); }
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    friend bool operator==(const Iterator&, const Iterator&) = default;

   private:
    const ResultSet* set_;
    std::size_t index_;
  };
  Iterator begin() const { return {this, 0}; }
  Iterator end() const { return {this, row_count_}; }

 private:
  Columns columns_;
  std::vector<Batch> batches_;
  std::vector<std::size_t> first_rows_;  // of each batch
  std::size_t row_count_ = 0;
  Summary summary_;
};

}  // namespace skua
