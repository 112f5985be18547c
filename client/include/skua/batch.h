// Batch: rows as they came from the daemon, by column, read in place. Row: one of them.
//
// A Batch keeps the message it points into and is cheap to copy. ValueViews and ColumnViews from it live as long as some
// copy of it. Any thread, one at a time.
//
// at() is fast enough for a loop over every value. A loop over the numbers of one column is faster still:
//
//   const skua::ColumnView prices = batch.column(2);
//   if (prices.layout() == skua::ColumnView::Layout::kReals && !prices.may_have_nulls()) {
//     for (const double price : prices.reals()) sum += price;
//   }
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/column_info.h"
#include "protocol/column_view.h"
#include "protocol/result.h"
#include "protocol/value.h"

namespace skua {

class Batch {
 public:
  // Without rows.
  Batch() = default;
  Batch(const Batch&) = default;
  Batch& operator=(const Batch&) = default;
  // Leaves `other` without rows.
  Batch(Batch&& other) noexcept
      : message_(std::move(other.message_)),
        columns_(std::exchange(other.columns_, {})),
        row_count_(std::exchange(other.row_count_, 0)) {}
  Batch& operator=(Batch&& other) noexcept {
    Batch(std::move(other)).swap(*this);
    return *this;
  }

  std::size_t row_count() const { return row_count_; }
  std::size_t column_count() const { return columns_.size(); }
  // Out of range is a defect of the caller and aborts.
  ValueView at(std::size_t row, std::size_t column) const { return this->column(column).at(row); }
  // All rows of one column. Its layout may be another in each batch: it is that of the values in it.
  const ColumnView& column(std::size_t column) const {
    SKUA_CHECK(column < columns_.size());
    return columns_[column];
  }

  // For the library's own use.
  class Message;
  explicit Batch(std::shared_ptr<const Message> message);

 private:
  void swap(Batch& other) noexcept {
    std::swap(message_, other.message_);
    std::swap(columns_, other.columns_);
    std::swap(row_count_, other.row_count_);
  }

  std::shared_ptr<const Message> message_;
  // Of the message.
  std::span<const ColumnView> columns_;
  std::size_t row_count_ = 0;
};

// The names of a result's columns. Shared by its rows, and by the results of the same SQL: cheap to copy.
class Columns {
 public:
  Columns() = default;
  explicit Columns(std::vector<ColumnInfo> columns)
      : columns_(std::make_shared<const std::vector<ColumnInfo>>(std::move(columns))) {}

  std::size_t size() const { return columns_ == nullptr ? 0 : columns_->size(); }
  const ColumnInfo& operator[](std::size_t index) const { return (*columns_)[index]; }
  const ColumnInfo* begin() const { return columns_ == nullptr ? nullptr : columns_->data(); }
  const ColumnInfo* end() const { return begin() + size(); }
  // The first column of that name, compared as SQLite compares names (ASCII letters without case). kUsage if
  // there is none.
  Result<std::size_t> index_of(std::string_view name) const;

 private:
  std::shared_ptr<const std::vector<ColumnInfo>> columns_;
};

// One row. Lives no longer than what it is from.
class Row {
 public:
  Row(const Columns& columns, const Batch& batch, std::size_t row)
      : columns_(&columns), batch_(&batch), row_(row) {}

  std::size_t size() const { return columns_->size(); }
  ValueView operator[](std::size_t column) const { return batch_->at(row_, column); }
  // kUsage if there is no column of that name.
  Result<ValueView> at(std::string_view name) const;
  // The value as a C++ type; kUsage if it is of another type or out of the type's range. NULL needs
  // std::optional. T: std::int64_t, std::int32_t, bool, double (also from an integer), std::string,
  // std::string_view, Blob, Value, or an std::optional of one of them.
  template <class T>
  Result<T> get(std::size_t column) const;
  template <class T>
  Result<T> get(std::string_view name) const {
    SKUA_ASSIGN(const std::size_t column, columns_->index_of(name));
    return get<T>(column);
  }
  // The whole row as a tuple, a struct, or a value if it has one column: row_conversion.h, which has to be included.
  template <class T>
  Result<T> as() const;

 private:
  const Columns* columns_;
  const Batch* batch_;
  std::size_t row_;
};

}  // namespace skua
