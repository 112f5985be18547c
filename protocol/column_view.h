// ColumnView: one column of a batch of rows, read in place. Needs no Cap'n Proto.
//
// Borrows the memory that the batch lies in and lives no longer. What is in it was checked when the batch was opened, so
// reading checks nothing but what a caller can get wrong: a row that is not there, or a list of another kind, is a defect
// of the caller and aborts. Any thread.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "protocol/result.h"
#include "protocol/value.h"

namespace skua {

class ColumnView {
 public:
  // How the values of the column lie. A column whose values are all of one kind, or NULL, is a plain list of them.
  enum class Layout : std::uint8_t {
    kNulls,     // every value is NULL
    kIntegers,  // integers() and NULLs
    kReals,     // reals() and NULLs
    kTexts,     // ends() into bytes(), and NULLs
    kBlobs,     // the same
    kMixed,     // values of different kinds: read them with at()
  };

  // Without rows.
  ColumnView() = default;

  // Ask before integers(), reals(), ends() or bytes(): of another layout they abort.
  Layout layout() const { return layout_; }
  std::size_t row_count() const { return row_count_; }

  // Whatever the layout is. Out of range is a defect of the caller and aborts.
  ValueView at(std::size_t row) const;
  bool is_null(std::size_t row) const;

  // False: no row is NULL, and is_null() need not be asked. True: some may be.
  bool may_have_nulls() const { return layout_ == Layout::kNulls || nulls_ != nullptr || layout_ == Layout::kMixed; }
  // Of kIntegers, kReals: one for each row, 0 where NULL.
  std::span<const std::int64_t> integers() const {
    SKUA_CHECK(layout_ == Layout::kIntegers);
    return {static_cast<const std::int64_t*>(list_), row_count_};
  }
  std::span<const double> reals() const {
    SKUA_CHECK(layout_ == Layout::kReals);
    return {static_cast<const double*>(list_), row_count_};
  }
  // Of kTexts, kBlobs: the value of row i is bytes()[ends()[i - 1] .. ends()[i]), from 0 for row 0; nothing where NULL.
  std::span<const std::uint32_t> ends() const {
    SKUA_CHECK(layout_ == Layout::kTexts || layout_ == Layout::kBlobs);
    return {static_cast<const std::uint32_t*>(list_), row_count_};
  }
  std::string_view bytes() const {
    if (layout_ == Layout::kMixed) return {bytes_, mixed_byte_count_};
    return {bytes_, row_count_ == 0 || layout_ < Layout::kTexts ? 0 : ends().back()};
  }
  // Of all but kNulls and kMixed: bit `row % 8` of byte `row / 8` is set if the row is NULL. Null: no row is.
  const std::uint8_t* null_bits() const { return nulls_; }
  // Of kMixed, one of each for each row: a ValueKind; and the integer, the bits of the real, or of texts and blobs the offset in
  // bytes() << 32 | the length.
  std::span<const std::uint8_t> kinds() const {
    SKUA_CHECK(layout_ == Layout::kMixed);
    return {kinds_, row_count_};
  }
  std::span<const std::uint64_t> words() const {
    SKUA_CHECK(layout_ == Layout::kMixed);
    return {static_cast<const std::uint64_t*>(list_), row_count_};
  }

 private:
  friend class RowBatchReader;

  bool has_null_bit(std::size_t row) const { return (nulls_[row / 8] >> (row % 8) & 1u) != 0; }
  std::string_view bytes_at(std::size_t row) const {
    const auto* ends = static_cast<const std::uint32_t*>(list_);
    const std::uint32_t begin = row == 0 ? 0 : ends[row - 1];
    return {bytes_ + begin, ends[row] - begin};
  }
  ValueView mixed_at(std::size_t row) const;

  Layout layout_ = Layout::kNulls;
  std::size_t row_count_ = 0;
  const void* list_ = nullptr;           // by layout: integers, reals, ends, or the words of kMixed
  const std::uint8_t* nulls_ = nullptr;  // a bit for each row; null: no row is NULL
  const std::uint8_t* kinds_ = nullptr;  // of kMixed, one for each row
  const char* bytes_ = nullptr;
  std::size_t mixed_byte_count_ = 0;  // of kMixed
};

inline bool ColumnView::is_null(std::size_t row) const {
  SKUA_CHECK(row < row_count_);
  if (layout_ == Layout::kMixed) return kinds_[row] == static_cast<std::uint8_t>(ValueKind::kNull);
  return layout_ == Layout::kNulls || (nulls_ != nullptr && has_null_bit(row));
}

inline ValueView ColumnView::mixed_at(std::size_t row) const {
  const std::uint64_t word = static_cast<const std::uint64_t*>(list_)[row];
  switch (static_cast<ValueKind>(kinds_[row])) {
    case ValueKind::kInteger: return ValueView::integer(static_cast<std::int64_t>(word));
    case ValueKind::kReal: return ValueView::real(std::bit_cast<double>(word));
    case ValueKind::kText: return ValueView::text({bytes_ + (word >> 32), word & 0xffffffffu});
    case ValueKind::kBlob: return ValueView::blob({bytes_ + (word >> 32), word & 0xffffffffu});
    case ValueKind::kNull: break;
  }
  return ValueView::null();
}

inline ValueView ColumnView::at(std::size_t row) const {
  SKUA_CHECK(row < row_count_);
  if (nulls_ != nullptr && has_null_bit(row)) return ValueView::null();
  switch (layout_) {
    case Layout::kNulls: break;
    case Layout::kIntegers: return ValueView::integer(static_cast<const std::int64_t*>(list_)[row]);
    case Layout::kReals: return ValueView::real(static_cast<const double*>(list_)[row]);
    case Layout::kTexts: return ValueView::text(bytes_at(row));
    case Layout::kBlobs: return ValueView::blob(bytes_at(row));
    case Layout::kMixed: return mixed_at(row);
  }
  return ValueView::null();
}

}  // namespace skua
