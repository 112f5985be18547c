#include "protocol/row_batch.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>

#include "protocol/limits.h"

namespace skua {

RowBatchBuilder::RowBatchBuilder(std::size_t column_count) : columns_(column_count) {}

void RowBatchBuilder::clear() {
  for (Column& column : columns_) {
    column.kind = ValueKind::kNull;
    column.mixed = false;
    column.has_nulls = false;
    column.rows = 0;
    column.words.clear();
    column.ends.clear();
    column.kinds.clear();
    column.bytes.clear();
  }
  at_ = 0;
  row_count_ = 0;
  byte_count_ = 0;
  whole_rows_byte_count_ = 0;
}

void RowBatchBuilder::reset(std::size_t column_count) {
  columns_.resize(column_count);
  clear();
}

RowBatchBuilder::Column& RowBatchBuilder::next_column() {
  SKUA_CHECK(at_ < columns_.size());
  return columns_[at_++];
}

void RowBatchBuilder::make_mixed(Column& column) {
  if (column.kind == ValueKind::kText || column.kind == ValueKind::kBlob) {
    std::uint32_t begin = 0;
    column.words.reserve(column.rows + 1);
    for (std::size_t row = 0; row < column.rows; ++row) {
      const std::uint32_t end = column.ends[row];
      const bool null = column.kinds[row] == 0;
      column.words.push_back(null ? 0 : std::uint64_t{begin} << 32 | (end - begin));
      begin = end;
    }
    column.ends.clear();
  }
  column.mixed = true;
}

void RowBatchBuilder::adopt(Column& column, ValueKind kind) {
  if (column.kind == kind || column.mixed) return;
  if (column.kind != ValueKind::kNull) return make_mixed(column);
  column.kind = kind;
  if (kind == ValueKind::kText || kind == ValueKind::kBlob) {
    column.ends.assign(column.rows, 0);
  } else {
    column.words.assign(column.rows, 0);
  }
}

void RowBatchBuilder::append_null() {
  Column& column = next_column();
  column.has_nulls = true;
  if (column.mixed || column.kind == ValueKind::kInteger || column.kind == ValueKind::kReal) {
    column.words.push_back(0);
  } else if (column.kind != ValueKind::kNull) {
    column.ends.push_back(static_cast<std::uint32_t>(column.bytes.size()));
  }
  column.kinds.push_back(0);
  ++column.rows;
  byte_count_ += 1;
}

void RowBatchBuilder::append_integer(std::int64_t value) {
  Column& column = next_column();
  adopt(column, ValueKind::kInteger);
  column.words.push_back(static_cast<std::uint64_t>(value));
  column.kinds.push_back(static_cast<std::uint8_t>(ValueKind::kInteger));
  ++column.rows;
  byte_count_ += 8;
}

void RowBatchBuilder::append_real(double value) {
  Column& column = next_column();
  adopt(column, ValueKind::kReal);
  column.words.push_back(std::bit_cast<std::uint64_t>(value));
  column.kinds.push_back(static_cast<std::uint8_t>(ValueKind::kReal));
  ++column.rows;
  byte_count_ += 8;
}

void RowBatchBuilder::append_bytes(ValueKind kind, std::string_view bytes) {
  Column& column = next_column();
  adopt(column, kind);
  const std::size_t begin = column.bytes.size();
  column.bytes.append(bytes);
  if (column.mixed) {
    column.words.push_back(std::uint64_t{begin} << 32 | bytes.size());
  } else {
    column.ends.push_back(static_cast<std::uint32_t>(column.bytes.size()));
  }
  column.kinds.push_back(static_cast<std::uint8_t>(kind));
  ++column.rows;
  byte_count_ += 4 + bytes.size();
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

void RowBatchBuilder::end_row() {
  SKUA_CHECK(at_ == columns_.size());
  at_ = 0;
  ++row_count_;
  whole_rows_byte_count_ = byte_count_;
}

void RowBatchBuilder::truncate(Column& column, std::size_t rows) {
  if (column.rows == rows) return;
  column.rows = rows;
  column.kinds.resize(rows);
  // The bytes of an abandoned value stay behind in mixed columns: nothing points at them.
  if (column.words.size() > rows) column.words.resize(rows);
  if (column.ends.size() > rows) {
    column.ends.resize(rows);
    column.bytes.resize(rows == 0 ? 0 : column.ends.back());
  }
}

void RowBatchBuilder::abandon_row() {
  for (Column& column : columns_) truncate(column, row_count_);
  at_ = 0;
  byte_count_ = whole_rows_byte_count_;
}

std::size_t RowBatchBuilder::words_max() const {
  std::size_t words = 8;
  for (const Column& column : columns_) {
    words += 16 + column.rows / 64 + column.words.size() + column.ends.size() / 2 + column.bytes.size() / kWordBytes;
    if (column.mixed) words += column.rows / kWordBytes;
  }
  return words;
}

void RowBatchBuilder::write_nulls(const Column& column, wire::Column::Builder out) {
  if (!column.has_nulls) return;
  capnp::Data::Builder nulls = out.initNulls(static_cast<kj::uint>((column.rows + 7) / 8));
  for (std::size_t row = 0; row < column.rows; ++row) {
    if (column.kinds[row] == 0) nulls[row / 8] = static_cast<kj::byte>(nulls[row / 8] | 1u << (row % 8));
  }
}

void RowBatchBuilder::write(wire::RowBatch::Builder out) const {
  SKUA_CHECK(at_ == 0);
  out.setRowCount(static_cast<std::uint32_t>(row_count_));
  auto columns = out.initColumns(static_cast<kj::uint>(columns_.size()));
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const Column& column = columns_[i];
    wire::Column::Builder to = columns[static_cast<kj::uint>(i)];
    const auto rows = static_cast<kj::uint>(column.rows);
    const capnp::Data::Reader bytes(reinterpret_cast<const kj::byte*>(column.bytes.data()), column.bytes.size());
    if (column.mixed) {
      wire::Mixed::Builder mixed = to.initMixed();
      mixed.setKinds(capnp::Data::Reader(column.kinds.data(), rows));
      auto words = mixed.initWords(rows);
      for (kj::uint row = 0; row < rows; ++row) words.set(row, column.words[row]);
      mixed.setData(bytes);
      continue;
    }
    switch (column.kind) {
      case ValueKind::kNull: to.setAllNull(); continue;
      case ValueKind::kInteger: {
        auto list = to.initIntegers(rows);
        for (kj::uint row = 0; row < rows; ++row) list.set(row, static_cast<std::int64_t>(column.words[row]));
        break;
      }
      case ValueKind::kReal: {
        auto list = to.initReals(rows);
        for (kj::uint row = 0; row < rows; ++row) list.set(row, std::bit_cast<double>(column.words[row]));
        break;
      }
      case ValueKind::kText:
      case ValueKind::kBlob: {
        wire::Bytes::Builder text = column.kind == ValueKind::kText ? to.initTexts() : to.initBlobs();
        auto ends = text.initEnds(rows);
        for (kj::uint row = 0; row < rows; ++row) ends.set(row, column.ends[row]);
        text.setData(bytes);
        break;
      }
    }
    write_nulls(column, to);
  }
}

namespace {

Error broken(std::string what) {
  return make_error(ErrorCode::kProtocol, "a row batch contradicts itself: " + std::move(what));
}

}  // namespace

Status RowBatchReader::open_bytes(wire::Bytes::Reader in, std::size_t rows, Column& out) {
  out.ends = in.getEnds();
  if (out.ends.size() != rows) return broken(fmt::format("{} ends for {} rows", out.ends.size(), rows));
  const capnp::Data::Reader data = in.getData();
  out.data = reinterpret_cast<const char*>(data.begin());
  std::uint32_t last = 0;
  for (const std::uint32_t end : out.ends) {
    if (end < last || end > data.size()) return broken("a value's end lies outside its data");
    last = end;
  }
  return {};
}

Status RowBatchReader::open_mixed(wire::Mixed::Reader in, std::size_t rows, Column& out) {
  const capnp::Data::Reader kinds = in.getKinds();
  const capnp::Data::Reader data = in.getData();
  out.words = in.getWords();
  if (kinds.size() != rows || out.words.size() != rows) return broken("a mixed column is not one entry a row");
  for (std::size_t row = 0; row < rows; ++row) {
    if (kinds[row] > static_cast<std::uint8_t>(ValueKind::kBlob)) {
      return broken(fmt::format("unknown kind of value {}", kinds[row]));
    }
    if (kinds[row] < static_cast<std::uint8_t>(ValueKind::kText)) continue;
    const std::uint64_t word = out.words[static_cast<kj::uint>(row)];
    if ((word >> 32) + (word & 0xffffffffu) > data.size()) return broken("a value's end lies outside its data");
  }
  out.kinds = kinds.begin();
  out.data = reinterpret_cast<const char*>(data.begin());
  return {};
}

Status RowBatchReader::open_column(wire::Column::Reader in, std::size_t rows, Column& out) {
  out.which = in.which();
  const capnp::Data::Reader nulls = in.getNulls();
  if (nulls.size() != 0 && out.which != wire::Column::MIXED) {
    if (nulls.size() != (rows + 7) / 8) return broken("a null bitmap is not one bit a row");
    out.nulls = nulls.begin();
  }
  switch (out.which) {
    case wire::Column::ALL_NULL: return {};
    case wire::Column::INTEGERS:
      out.integers = in.getIntegers();
      if (out.integers.size() != rows) return broken("an integer column is not one value a row");
      return {};
    case wire::Column::REALS:
      out.reals = in.getReals();
      if (out.reals.size() != rows) return broken("a real column is not one value a row");
      return {};
    case wire::Column::TEXTS: return open_bytes(in.getTexts(), rows, out);
    case wire::Column::BLOBS: return open_bytes(in.getBlobs(), rows, out);
    case wire::Column::MIXED: return open_mixed(in.getMixed(), rows, out);
  }
  return broken(fmt::format("unknown kind of column {}", static_cast<unsigned>(out.which)));
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
    SKUA_TRY(open_column(columns[i], reader.row_count_, reader.columns_[i]));
  }
  return reader;
}

ValueView RowBatchReader::at(std::size_t row, std::size_t column_index) const {
  SKUA_CHECK(row < row_count_ && column_index < columns_.size());
  const Column& column = columns_[column_index];
  const auto i = static_cast<kj::uint>(row);
  if (column.nulls != nullptr && (column.nulls[row / 8] >> (row % 8) & 1u) != 0) return ValueView::null();
  switch (column.which) {
    case wire::Column::ALL_NULL: return ValueView::null();
    case wire::Column::INTEGERS: return ValueView::integer(column.integers[i]);
    case wire::Column::REALS: return ValueView::real(column.reals[i]);
    case wire::Column::TEXTS:
    case wire::Column::BLOBS: {
      const std::uint32_t begin = row == 0 ? 0 : column.ends[i - 1];
      const std::string_view bytes(column.data + begin, column.ends[i] - begin);
      return column.which == wire::Column::TEXTS ? ValueView::text(bytes) : ValueView::blob(bytes);
    }
    case wire::Column::MIXED: break;
  }
  const std::uint64_t word = column.words[i];
  const std::string_view bytes(column.data + (word >> 32), word & 0xffffffffu);
  switch (static_cast<ValueKind>(column.kinds[row])) {
    case ValueKind::kNull: return ValueView::null();
    case ValueKind::kInteger: return ValueView::integer(static_cast<std::int64_t>(word));
    case ValueKind::kReal: return ValueView::real(std::bit_cast<double>(word));
    case ValueKind::kText: return ValueView::text(bytes);
    case ValueKind::kBlob: return ValueView::blob(bytes);
  }
  return ValueView::null();
}

}  // namespace skua
