// ResultSet: all rows of a finished execution, in memory. For results that may be large use RowStream.
//
// Any thread, one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "protocol/summary.h"
#include "skua/batch.h"
#include "skua/row_conversion.h"

namespace skua {

class ResultSet {
 public:
  ResultSet() = default;
  // Without the first `skip` rows of the first batch, which has as many at least, and `row_count` rows at the most.
  ResultSet(Columns columns, std::vector<Batch> batches, Summary summary, std::size_t skip = 0,
            std::size_t row_count = SIZE_MAX);

  const Columns& columns() const { return columns_; }
  // Changes, the last rowid, times.
  const Summary& summary() const { return summary_; }
  std::size_t row_count() const { return row_count_; }
  bool empty() const { return row_count_ == 0; }
  // The rows in order, by column.
  const std::vector<Batch>& batches() const { return batches_; }
  // Out of range is a defect of the caller and aborts. The row lives no longer than the result set.
  Row row(std::size_t index) const;
  // Exactly one row, or kUsage.
  Result<Row> one() const;
  // The only row, or nothing; kUsage if there are more.
  Result<std::optional<Row>> one_or_none() const;
  // The first column of the only row; kUsage otherwise. T: as for Row::get().
  template <class T = Value>
  Result<T> scalar() const {
    SKUA_ASSIGN(const Row only, one());
    return only.get<T>(0);
  }
  // The same as C++ values: row_conversion.h.
  template <class T>
  Result<T> one() const {
    SKUA_ASSIGN(const Row only, one());
    return only.as<T>();
  }
  template <class T>
  Result<std::optional<T>> one_or_none() const {
    SKUA_ASSIGN(const std::optional<Row> only, one_or_none());
    if (!only) return std::optional<T>();
    SKUA_ASSIGN(T value, only->as<T>());
    return std::optional<T>(std::move(value));
  }
  // All rows.
  template <class T>
  Result<std::vector<T>> all() const {
    std::vector<T> values;
    values.reserve(row_count_);
    for (const Row row : *this) {
      SKUA_ASSIGN(T value, row.as<T>());
      values.push_back(std::move(value));
    }
    return values;
  }

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
  std::vector<std::size_t> first_rows_;  // of each batch, counted from the first batch's own first row; empty for one batch
  std::size_t skip_ = 0;
  std::size_t row_count_ = 0;
  Summary summary_;
};

}  // namespace skua
