#include "protocol/row_batch.h"

#include <capnp/any.h>
#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

#include "protocol/limits.h"

namespace skua {

namespace {

constexpr std::size_t kRowCapacityMin = 8;

std::size_t bitmap_bytes(std::size_t rows) { return (rows + 7) / 8; }

// The memory of a list of numbers that is being built, all of it to be written.
template <class Number, class List>
std::span<Number> memory_of(List list) {
  const kj::ArrayPtr<const kj::byte> raw = capnp::toAny(list.asReader()).getRawBytes();
  SKUA_CHECK(raw.size() == list.size() * sizeof(Number));
  return {reinterpret_cast<Number*>(const_cast<kj::byte*>(raw.begin())), list.size()};
}

template <class Number, class List, class Source>
void fill(List list, const std::vector<Source>& from) {
  static_assert(sizeof(Number) == sizeof(Source));
  if (list.size() > 0) std::memcpy(memory_of<Number>(list).data(), from.data(), list.size() * sizeof(Number));
}

}  // namespace

RowBatchBuilder::RowBatchBuilder(std::size_t column_count) : columns_(column_count) {}

void RowBatchBuilder::ByteBuffer::grow(std::size_t more) {
  const std::size_t capacity = std::max({size_ + more, 2 * capacity_, std::size_t{64}});
  void* memory = std::realloc(data_.get(), capacity);
  SKUA_CHECK(memory != nullptr);
  (void)data_.release();
  data_.reset(static_cast<char*>(memory));
  capacity_ = capacity;
}

void RowBatchBuilder::clear() {
  for (Column& column : columns_) {
    column.layout = Layout::kNulls;
    column.has_nulls = false;
    column.bytes.truncate(0);
  }
  at_ = 0;
  row_count_ = 0;
  byte_count_ = 0;
  whole_rows_byte_count_ = 0;
}

void RowBatchBuilder::reset(std::size_t column_count) {
  // Nothing is kept: the next rows may be few.
  if (columns_.empty()) row_capacity_ = 0;
  columns_.resize(column_count);
  clear();
}

void RowBatchBuilder::reserve_row() {
  row_capacity_ = std::max(kRowCapacityMin, 2 * row_capacity_);
  for (Column& column : columns_) {
    if (column.has_nulls) column.nulls.resize(bitmap_bytes(row_capacity_));
    switch (column.layout) {
      case Layout::kNulls: break;
      case Layout::kIntegers:
      case Layout::kReals: column.words.resize(row_capacity_); break;
      case Layout::kTexts:
      case Layout::kBlobs: column.ends.resize(row_capacity_); break;
      case Layout::kMixed:
        column.words.resize(row_capacity_);
        column.kinds.resize(row_capacity_);
        break;
    }
  }
}

void RowBatchBuilder::make_mixed(Column& column) {
  const auto kind_of = [](Layout layout) {
    switch (layout) {
      case Layout::kIntegers: return ValueKind::kInteger;
      case Layout::kReals: return ValueKind::kReal;
      case Layout::kTexts: return ValueKind::kText;
      default: return ValueKind::kBlob;
    }
  };
  column.kinds.resize(std::max(column.kinds.size(), row_capacity_));
  std::fill_n(column.kinds.begin(), row_count_, static_cast<std::uint8_t>(kind_of(column.layout)));
  for (std::size_t row = 0; column.has_nulls && row < row_count_; ++row) {
    if ((column.nulls[row / 8] >> (row % 8) & 1u) != 0) column.kinds[row] = 0;
  }
  if (column.layout == Layout::kTexts || column.layout == Layout::kBlobs) {
    column.words.resize(std::max(column.words.size(), row_capacity_));
    std::uint32_t begin = 0;
    for (std::size_t row = 0; row < row_count_; ++row) {
      const std::uint32_t end = column.ends[row];
      column.words[row] = column.kinds[row] == 0 ? 0 : std::uint64_t{begin} << 32 | (end - begin);
      begin = end;
    }
    byte_count_ += 5 * row_count_;
  } else {
    byte_count_ += row_count_;
  }
  column.has_nulls = false;
  column.layout = Layout::kMixed;
}

void RowBatchBuilder::adopt(Column& column, Layout layout) {
  if (column.layout == Layout::kMixed) return;
  if (column.layout != Layout::kNulls) return make_mixed(column);
  column.layout = layout;
  if (layout == Layout::kTexts || layout == Layout::kBlobs) {
    column.ends.resize(std::max(column.ends.size(), row_capacity_));
    std::fill_n(column.ends.begin(), row_count_, 0u);
  } else {
    column.words.resize(std::max(column.words.size(), row_capacity_));
    std::fill_n(column.words.begin(), row_count_, 0u);
  }
}

void RowBatchBuilder::append_null() {
  Column& column = next_column();
  switch (column.layout) {
    case Layout::kNulls: break;
    case Layout::kIntegers:
    case Layout::kReals: column.words[row_count_] = 0; break;
    case Layout::kTexts:
    case Layout::kBlobs: column.ends[row_count_] = static_cast<std::uint32_t>(column.bytes.size()); break;
    case Layout::kMixed: return append_mixed(column, ValueKind::kNull, 0);
  }
  if (!column.has_nulls) {
    column.nulls.assign(std::max(column.nulls.size(), bitmap_bytes(row_capacity_)), 0);
    column.has_nulls = true;
  }
  std::uint8_t& bits = column.nulls[row_count_ / 8];
  bits = static_cast<std::uint8_t>(bits | 1u << (row_count_ % 8));
  byte_count_ += column.layout == Layout::kNulls ? 1 : column.layout < Layout::kTexts ? 8 : 4;
}

void RowBatchBuilder::append(const ValueView& value) {
  switch (value.kind()) {
    case ValueKind::kNull: return append_null();
    case ValueKind::kInteger: return append_integer(value.integer());
    case ValueKind::kReal: return append_real(value.real());
    case ValueKind::kText:
    case ValueKind::kBlob: return append_bytes(value.kind(), value.bytes());
  }
}

void RowBatchBuilder::abandon_row() {
  for (std::size_t i = 0; i < at_; ++i) {
    Column& column = columns_[i];
    if (column.has_nulls) {
      std::uint8_t& bits = column.nulls[row_count_ / 8];
      bits = static_cast<std::uint8_t>(bits & ~(1u << (row_count_ % 8)));
    }
    // The bytes of an abandoned value stay behind in mixed columns: nothing points at them.
    if (column.layout == Layout::kTexts || column.layout == Layout::kBlobs) {
      column.bytes.truncate(row_count_ == 0 ? 0 : column.ends[row_count_ - 1]);
    }
  }
  at_ = 0;
  byte_count_ = whole_rows_byte_count_;
}

std::size_t RowBatchBuilder::words_max() const {
  std::size_t words = 8;
  for (const Column& column : columns_) {
    words += 16 + column.bytes.size() / kWordBytes;
    if (column.has_nulls) words += row_count_ / 64;
    switch (column.layout) {
      case Layout::kNulls: break;
      case Layout::kIntegers:
      case Layout::kReals: words += row_count_; break;
      case Layout::kTexts:
      case Layout::kBlobs: words += row_count_ / 2; break;
      case Layout::kMixed: words += row_count_ + row_count_ / kWordBytes; break;
    }
  }
  return words;
}

void RowBatchBuilder::write_column(const Column& column, wire::Column::Builder out) const {
  const auto rows = static_cast<kj::uint>(row_count_);
  const capnp::Data::Reader bytes(reinterpret_cast<const kj::byte*>(column.bytes.data()), column.bytes.size());
  switch (column.layout) {
    case Layout::kNulls: return out.setAllNull();
    case Layout::kIntegers: fill<std::int64_t>(out.initIntegers(rows), column.words); break;
    case Layout::kReals: fill<double>(out.initReals(rows), column.words); break;
    case Layout::kTexts:
    case Layout::kBlobs: {
      wire::Bytes::Builder lines = column.layout == Layout::kTexts ? out.initTexts() : out.initBlobs();
      fill<std::uint32_t>(lines.initEnds(rows), column.ends);
      lines.setData(bytes);
      break;
    }
    case Layout::kMixed: {
      wire::Mixed::Builder mixed = out.initMixed();
      mixed.setKinds(capnp::Data::Reader(column.kinds.data(), rows));
      fill<std::uint64_t>(mixed.initWords(rows), column.words);
      mixed.setData(bytes);
      return;
    }
  }
  if (column.has_nulls) out.setNulls(capnp::Data::Reader(column.nulls.data(), bitmap_bytes(row_count_)));
}

void RowBatchBuilder::write(wire::RowBatch::Builder out) const {
  SKUA_CHECK(at_ == 0);
  out.setRowCount(static_cast<std::uint32_t>(row_count_));
  auto columns = out.initColumns(static_cast<kj::uint>(columns_.size()));
  for (std::size_t i = 0; i < columns_.size(); ++i) write_column(columns_[i], columns[static_cast<kj::uint>(i)]);
}

// ---- by hand

namespace {

// In words: of the struct RowBatch, of Column, of Bytes and of Mixed.
constexpr std::size_t kBatchData = 1, kBatchPointers = 1;
constexpr std::size_t kColumnData = 1, kColumnPointers = 2, kColumnWords = kColumnData + kColumnPointers;
constexpr std::size_t kBytesPointers = 2;
constexpr std::size_t kMixedPointers = 3;
// A list of structs has a word before the first.
constexpr std::size_t kTagWords = 1;

std::uint64_t tag_of(wire::Column::Which kind) { return static_cast<std::uint64_t>(kind); }

}  // namespace

std::size_t RowBatchBuilder::flat_words() const {
  std::size_t words = kBatchData + kBatchPointers + kTagWords + kColumnWords * columns_.size();
  for (const Column& column : columns_) {
    if (column.has_nulls && column.layout != Layout::kNulls) words += flat_bytes_words(bitmap_bytes(row_count_));
    switch (column.layout) {
      case Layout::kNulls: break;
      case Layout::kIntegers:
      case Layout::kReals: words += row_count_; break;
      case Layout::kTexts:
      case Layout::kBlobs:
        words += kBytesPointers + flat_bytes_words(row_count_ * sizeof(std::uint32_t)) + flat_bytes_words(column.bytes.size());
        break;
      case Layout::kMixed:
        words += kMixedPointers + flat_bytes_words(row_count_) + row_count_ + flat_bytes_words(column.bytes.size());
        break;
    }
  }
  return words;
}

void RowBatchBuilder::lay_out_column(const Column& column, std::uint64_t* at, FlatWriter& out) const {
  std::uint64_t* const nulls = at + kColumnData;
  std::uint64_t* const values = nulls + 1;
  const std::string_view bytes(column.bytes.data(), column.bytes.size());
  switch (column.layout) {
    case Layout::kNulls: at[0] = tag_of(wire::Column::ALL_NULL); return;
    case Layout::kIntegers:
      at[0] = tag_of(wire::Column::INTEGERS);
      out.add_words(values, column.words.data(), row_count_);
      break;
    case Layout::kReals:
      at[0] = tag_of(wire::Column::REALS);
      out.add_words(values, column.words.data(), row_count_);
      break;
    case Layout::kTexts:
    case Layout::kBlobs: {
      at[0] = tag_of(column.layout == Layout::kTexts ? wire::Column::TEXTS : wire::Column::BLOBS);
      std::uint64_t* const lines = out.add_struct(values, 0, kBytesPointers);
      out.add_half_words(lines, column.ends.data(), row_count_);
      out.add_data(lines + 1, bytes);
      break;
    }
    case Layout::kMixed: {
      at[0] = tag_of(wire::Column::MIXED);
      std::uint64_t* const mixed = out.add_struct(values, 0, kMixedPointers);
      out.add_data(mixed, {reinterpret_cast<const char*>(column.kinds.data()), row_count_});
      out.add_words(mixed + 1, column.words.data(), row_count_);
      out.add_data(mixed + 2, bytes);
      return;
    }
  }
  if (column.has_nulls) {
    out.add_data(nulls, {reinterpret_cast<const char*>(column.nulls.data()), bitmap_bytes(row_count_)});
  }
}

void RowBatchBuilder::lay_out(std::uint64_t* pointer, FlatWriter& out) const {
  SKUA_CHECK(at_ == 0);
  std::uint64_t* const batch = out.add_struct(pointer, kBatchData, kBatchPointers);
  batch[0] = row_count_;
  std::uint64_t* at = out.add_structs(batch + kBatchData, columns_.size(), kColumnData, kColumnPointers);
  for (const Column& column : columns_) {
    lay_out_column(column, at, out);
    at += kColumnWords;
  }
}

namespace {

// Without a branch for each: the compiler compares several at once.
bool are_ends_of(std::span<const std::uint32_t> ends, std::size_t bytes) {
  bool falls = false;
  std::uint32_t last = 0;
  for (const std::uint32_t end : ends) {
    falls |= end < last;
    last = end;
  }
  return !falls && last <= bytes;
}

}  // namespace

bool RowBatchReader::open_flat_column(const FlatReader& message, const FlatStruct& in, ColumnView& out) {
  static const std::uint64_t kNothing = 0;
  const auto kind = static_cast<wire::Column::Which>(in.quarter_word(0));
  std::string_view nulls;
  if (!message.follow_data(in.pointer(0), nulls)) return false;
  if (!nulls.empty()) {
    if (nulls.size() != bitmap_bytes(out.row_count_)) return false;
    out.nulls_ = reinterpret_cast<const std::uint8_t*>(nulls.data());
  }
  std::uint32_t count = 0;
  switch (kind) {
    case wire::Column::ALL_NULL: out.layout_ = ColumnView::Layout::kNulls; return true;
    case wire::Column::INTEGERS:
    case wire::Column::REALS:
      out.layout_ =
          kind == wire::Column::INTEGERS ? ColumnView::Layout::kIntegers : ColumnView::Layout::kReals;
      if (!message.follow(in.pointer(1), FlatSize::kWord, out.list_, count) || count != out.row_count_) return false;
      break;
    case wire::Column::TEXTS:
    case wire::Column::BLOBS: {
      out.layout_ = kind == wire::Column::TEXTS ? ColumnView::Layout::kTexts : ColumnView::Layout::kBlobs;
      FlatStruct lines;
      std::string_view data;
      if (!message.follow(in.pointer(1), lines) ||
          !message.follow(lines.pointer(0), FlatSize::kHalfWord, out.list_, count) || count != out.row_count_ ||
          !message.follow_data(lines.pointer(1), data) ||
          !are_ends_of({static_cast<const std::uint32_t*>(out.list_), count}, data.size())) {
        return false;
      }
      out.bytes_ = data.data();
      break;
    }
    default: return false;  // mixed columns are rare
  }
  if (out.list_ == nullptr) out.list_ = &kNothing;
  return true;
}

bool RowBatchReader::open_flat(const FlatReader& message, const FlatStruct& batch) {
  row_count_ = batch.half_word(0);
  FlatStructs columns;
  if (!message.follow(batch.pointer(0), columns)) return false;
  if (row_count_ > kReceivedBatchRowsMax || columns.count > kColumnsMax) return false;
  columns_.resize(columns.count);
  for (std::size_t i = 0; i < columns.count; ++i) {
    columns_[i].row_count_ = row_count_;
    if (!open_flat_column(message, columns[i], columns_[i])) return false;
  }
  return true;
}

// ---- by Cap'n Proto

namespace {

Error broken(std::string what) {
  return make_error(ErrorCode::kProtocol, "a row batch contradicts itself: " + std::move(what));
}

// Where a list of numbers lies, one behind the other, if it has one for each row; null otherwise. Cap'n Proto lets a list
// of larger structs pass for a list of numbers; its size then is another, and nobody sends that.
template <class Number, class List>
const void* numbers_of(List list, std::size_t rows) {
  static const std::uint64_t kNothing = 0;
  if (list.size() != rows) return nullptr;
  const kj::ArrayPtr<const kj::byte> raw = capnp::toAny(std::move(list)).getRawBytes();
  if (raw.size() != rows * sizeof(Number)) return nullptr;
  return rows == 0 ? &kNothing : static_cast<const void*>(raw.begin());
}

}  // namespace

Status RowBatchReader::open_bytes(wire::Bytes::Reader in, ColumnView& out) {
  out.list_ = numbers_of<std::uint32_t>(in.getEnds(), out.row_count_);
  if (out.list_ == nullptr) return broken("a text or blob column is not one end a row");
  const capnp::Data::Reader data = in.getData();
  out.bytes_ = reinterpret_cast<const char*>(data.begin());
  const std::span ends(static_cast<const std::uint32_t*>(out.list_), out.row_count_);
  if (!are_ends_of(ends, data.size())) return broken("a value's end lies outside its data");
  return {};
}

Status RowBatchReader::open_mixed(wire::Mixed::Reader in, ColumnView& out) {
  const std::size_t rows = out.row_count_;
  const capnp::Data::Reader kinds = in.getKinds();
  const capnp::Data::Reader data = in.getData();
  out.list_ = numbers_of<std::uint64_t>(in.getWords(), rows);
  if (kinds.size() != rows || out.list_ == nullptr) return broken("a mixed column is not one entry a row");
  bool unknown = false;
  bool outside = false;
  for (std::size_t row = 0; row < rows; ++row) {
    const std::uint64_t word = static_cast<const std::uint64_t*>(out.list_)[row];
    unknown |= kinds[row] > static_cast<std::uint8_t>(ValueKind::kBlob);
    outside |= kinds[row] >= static_cast<std::uint8_t>(ValueKind::kText) &&
               (word >> 32) + (word & 0xffffffffu) > data.size();
  }
  if (unknown) return broken("a value is of an unknown kind");
  if (outside) return broken("a value's end lies outside its data");
  out.kinds_ = kinds.begin();
  out.bytes_ = reinterpret_cast<const char*>(data.begin());
  out.mixed_byte_count_ = data.size();
  return {};
}

Status RowBatchReader::open_column(wire::Column::Reader in, ColumnView& out) {
  const capnp::Data::Reader nulls = in.getNulls();
  if (nulls.size() != 0 && !in.isMixed()) {
    if (nulls.size() != bitmap_bytes(out.row_count_)) return broken("a null bitmap is not one bit a row");
    out.nulls_ = nulls.begin();
  }
  switch (in.which()) {
    case wire::Column::ALL_NULL: out.layout_ = ColumnView::Layout::kNulls; return {};
    case wire::Column::INTEGERS:
      out.layout_ = ColumnView::Layout::kIntegers;
      out.list_ = numbers_of<std::int64_t>(in.getIntegers(), out.row_count_);
      if (out.list_ == nullptr) return broken("an integer column is not one value a row");
      return {};
    case wire::Column::REALS:
      out.layout_ = ColumnView::Layout::kReals;
      out.list_ = numbers_of<double>(in.getReals(), out.row_count_);
      if (out.list_ == nullptr) return broken("a real column is not one value a row");
      return {};
    case wire::Column::TEXTS: out.layout_ = ColumnView::Layout::kTexts; return open_bytes(in.getTexts(), out);
    case wire::Column::BLOBS: out.layout_ = ColumnView::Layout::kBlobs; return open_bytes(in.getBlobs(), out);
    case wire::Column::MIXED: out.layout_ = ColumnView::Layout::kMixed; return open_mixed(in.getMixed(), out);
  }
  return broken(fmt::format("unknown kind of column {}", static_cast<unsigned>(in.which())));
}

Result<RowBatchReader> RowBatchReader::open(wire::RowBatch::Reader batch) {
  RowBatchReader reader;
  reader.row_count_ = batch.getRowCount();
  const auto columns = batch.getColumns();
  if (reader.row_count_ > kReceivedBatchRowsMax) {
    return make_error(ErrorCode::kLimit, fmt::format("a row batch has {} rows, the most is {} (received_batch_rows_max)",
                                                     reader.row_count_, kReceivedBatchRowsMax));
  }
  if (columns.size() > kParametersMax) {
    return make_error(ErrorCode::kLimit, fmt::format("a row batch has {} columns, the most is {} (parameters_max)",
                                                     columns.size(), kParametersMax));
  }
  reader.columns_.resize(columns.size());
  for (kj::uint i = 0; i < columns.size(); ++i) {
    reader.columns_[i].row_count_ = reader.row_count_;
    SKUA_TRY(open_column(columns[i], reader.columns_[i]));
  }
  return reader;
}

}  // namespace skua
