#include "client/c/column.h"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace skua::c {

static_assert(SKUA_NULL == static_cast<int>(ValueKind::kNull));
static_assert(SKUA_INTEGER == static_cast<int>(ValueKind::kInteger));
static_assert(SKUA_REAL == static_cast<int>(ValueKind::kReal));
static_assert(SKUA_TEXT == static_cast<int>(ValueKind::kText));
static_assert(SKUA_BLOB == static_cast<int>(ValueKind::kBlob));
static_assert(SKUA_LAYOUT_NULLS == static_cast<int>(ColumnView::Layout::kNulls));
static_assert(SKUA_LAYOUT_INTEGERS == static_cast<int>(ColumnView::Layout::kIntegers));
static_assert(SKUA_LAYOUT_REALS == static_cast<int>(ColumnView::Layout::kReals));
static_assert(SKUA_LAYOUT_TEXTS == static_cast<int>(ColumnView::Layout::kTexts));
static_assert(SKUA_LAYOUT_BLOBS == static_cast<int>(ColumnView::Layout::kBlobs));
static_assert(SKUA_LAYOUT_MIXED == static_cast<int>(ColumnView::Layout::kMixed));

skua_column column_of(const ColumnView& view) {
  skua_column column{};
  column.layout = static_cast<skua_layout>(view.layout());
  column.row_count = view.row_count();
  column.nulls = view.null_bits();
  switch (view.layout()) {
    case ColumnView::Layout::kNulls: column.nulls = nullptr; break;
    case ColumnView::Layout::kIntegers: column.integers = view.integers().data(); break;
    case ColumnView::Layout::kReals: column.reals = view.reals().data(); break;
    case ColumnView::Layout::kTexts:
    case ColumnView::Layout::kBlobs: column.ends = view.ends().data(); break;
    case ColumnView::Layout::kMixed:
      column.kinds = view.kinds().data();
      column.words = view.words().data();
      break;
  }
  column.bytes = view.bytes().data();
  column.bytes_size = view.bytes().size();
  return column;
}

skua_value value_of(const ValueView& view) {
  skua_value value{};
  value.kind = static_cast<skua_kind>(view.kind());
  switch (view.kind()) {
    case ValueKind::kNull: break;
    case ValueKind::kInteger: value.integer = view.integer(); break;
    case ValueKind::kReal: value.real = view.real(); break;
    case ValueKind::kText:
    case ValueKind::kBlob:
      value.bytes = view.bytes().data();
      value.size = view.bytes().size();
      break;
  }
  return value;
}

namespace {

const char* contradiction_in_ends(const skua_column& column) {
  if (column.ends == nullptr) return "a column of texts or blobs has no ends";
  std::uint32_t last = 0;
  for (std::size_t row = 0; row < column.row_count; ++row) {
    if (column.ends[row] < last) return "the ends of a column fall";
    last = column.ends[row];
  }
  if (last > column.bytes_size) return "a value ends behind the column's bytes";
  if (last > 0 && column.bytes == nullptr) return "a column has no bytes";
  return nullptr;
}

const char* contradiction_in_mixed(const skua_column& column) {
  if (column.kinds == nullptr || column.words == nullptr) return "a mixed column has no kinds or no words";
  for (std::size_t row = 0; row < column.row_count; ++row) {
    if (column.kinds[row] > SKUA_BLOB) return "a value is of an unknown kind";
    if (column.kinds[row] < SKUA_TEXT) continue;
    const std::uint64_t end = (column.words[row] >> 32) + (column.words[row] & 0xffffffffu);
    if (end > column.bytes_size) return "a value ends behind the column's bytes";
    if (end > 0 && column.bytes == nullptr) return "a column has no bytes";
  }
  return nullptr;
}

bool is_null_at(const skua_column& column, std::size_t row) {
  return column.nulls != nullptr && (column.nulls[row / 8] >> (row % 8) & 1u) != 0;
}

}  // namespace

const char* contradiction_in(const skua_column& column) {
  if (column.row_count == 0) return nullptr;
  switch (column.layout) {
    case SKUA_LAYOUT_NULLS: return nullptr;
    case SKUA_LAYOUT_INTEGERS: return column.integers == nullptr ? "a column of integers has none" : nullptr;
    case SKUA_LAYOUT_REALS: return column.reals == nullptr ? "a column of reals has none" : nullptr;
    case SKUA_LAYOUT_TEXTS:
    case SKUA_LAYOUT_BLOBS: return contradiction_in_ends(column);
    case SKUA_LAYOUT_MIXED: return contradiction_in_mixed(column);
  }
  return "a column is of an unknown layout";
}

ValueView value_at(const skua_column& column, std::size_t row) {
  if (column.layout != SKUA_LAYOUT_MIXED && is_null_at(column, row)) return ValueView::null();
  switch (column.layout) {
    case SKUA_LAYOUT_NULLS: break;
    case SKUA_LAYOUT_INTEGERS: return ValueView::integer(column.integers[row]);
    case SKUA_LAYOUT_REALS: return ValueView::real(column.reals[row]);
    case SKUA_LAYOUT_TEXTS:
    case SKUA_LAYOUT_BLOBS: {
      const std::uint32_t begin = row == 0 ? 0 : column.ends[row - 1];
      const std::string_view bytes(column.bytes + begin, column.ends[row] - begin);
      return column.layout == SKUA_LAYOUT_TEXTS ? ValueView::text(bytes) : ValueView::blob(bytes);
    }
    case SKUA_LAYOUT_MIXED: {
      const std::uint64_t word = column.words[row];
      const auto bytes = [&] { return std::string_view(column.bytes + (word >> 32), word & 0xffffffffu); };
      switch (column.kinds[row]) {
        case SKUA_INTEGER: return ValueView::integer(static_cast<std::int64_t>(word));
        case SKUA_REAL: return ValueView::real(std::bit_cast<double>(word));
        case SKUA_TEXT: return ValueView::text(bytes());
        case SKUA_BLOB: return ValueView::blob(bytes());
        default: break;
      }
      break;
    }
  }
  return ValueView::null();
}

}  // namespace skua::c

skua_code skua_column_value(const skua_column* column, size_t row, skua_value* value) {
  if (value == nullptr) return SKUA_USAGE;
  *value = {};
  if (column == nullptr || row >= column->row_count) return SKUA_USAGE;
  *value = skua::c::value_of(skua::c::value_at(*column, row));
  return SKUA_OK;
}
