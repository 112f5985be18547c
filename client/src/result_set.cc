#include "skua/result_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace skua {

ResultSet::ResultSet(Columns columns, std::vector<Batch> batches, Summary summary, std::size_t skip,
                     std::size_t row_count)
    : columns_(std::move(columns)), batches_(std::move(batches)), skip_(skip), summary_(summary) {
  std::size_t rows = 0;
  // Most have one, which is found without this.
  if (batches_.size() > 1) first_rows_.reserve(batches_.size());
  for (const Batch& batch : batches_) {
    if (batches_.size() > 1) first_rows_.push_back(rows);
    rows += batch.row_count();
  }
  SKUA_CHECK(skip <= rows);
  row_count_ = std::min(rows - skip, row_count);
}

Row ResultSet::row(std::size_t index) const {
  SKUA_CHECK(index < row_count_);
  if (first_rows_.empty()) return Row(columns_, batches_.front(), index + skip_);
  // The last batch that starts at or before the row; an empty batch before it starts at the same row.
  const std::size_t counted = index + skip_;
  const auto after = std::upper_bound(first_rows_.begin(), first_rows_.end(), counted);
  const auto batch = static_cast<std::size_t>(after - first_rows_.begin()) - 1;
  return Row(columns_, batches_[batch], counted - first_rows_[batch]);
}

Result<Row> ResultSet::one() const {
  if (row_count_ != 1) {
    return make_error(ErrorCode::kUsage,
                      fmt::format("exactly one row was wanted, the result has {}", row_count_));
  }
  return row(0);
}

Result<std::optional<Row>> ResultSet::one_or_none() const {
  if (row_count_ > 1) {
    return make_error(ErrorCode::kUsage,
                      fmt::format("at most one row was wanted, the result has {}", row_count_));
  }
  if (row_count_ == 0) return std::optional<Row>();
  return std::optional<Row>(row(0));
}

}  // namespace skua
