// Row batches: rows by column, in C++ and on the wire (wire::RowBatch). Results travel in them one way and the
// parameter rows of execute_many the other way.
//
// RowBatchBuilder collects rows; RowBatchReader checks a received batch once and then reads it without further checks.
// Each belongs to one thread at a time.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "protocol/column_view.h"
#include "protocol/flat_message.h"
#include "protocol/frame.h"
#include "protocol/result.h"
#include "protocol/skua.capnp.h"
#include "protocol/value.h"

namespace skua {

// One row of a batch has `column_count` values: append() each in order, then end_row(). Values go into arrays that are
// kept from batch to batch, in the form in which they are sent: one copy of each array makes a message of them.
class RowBatchBuilder {
 public:
  explicit RowBatchBuilder(std::size_t column_count = 0);

  // Forgets the rows, keeps the memory.
  void clear();
  void reset(std::size_t column_count);

  void append_null();
  void append_integer(std::int64_t value);
  void append_real(double value);
  void append_text(std::string_view bytes) { append_bytes(ValueKind::kText, bytes); }
  void append_blob(std::string_view bytes) { append_bytes(ValueKind::kBlob, bytes); }
  void append(const ValueView& value);
  void end_row();
  // Forgets what was appended since the last end_row().
  void abandon_row();

  std::size_t column_count() const { return columns_.size(); }
  std::size_t row_count() const { return row_count_; }
  // About the size on the wire, of whole rows and of the row in the making.
  std::size_t byte_count() const { return byte_count_; }
  // The most words that write() can need.
  std::size_t words_max() const;

  void write(wire::RowBatch::Builder out) const;
  // The same by hand: exactly so many words, and the batch where the pointer leads.
  std::size_t flat_words() const;
  void lay_out(std::uint64_t* pointer, FlatWriter& out) const;

 private:
  using Layout = ColumnView::Layout;

  // Bytes of texts and blobs, one behind the other. As std::string, without the cost of its append().
  class ByteBuffer {
   public:
    const char* data() const { return data_.get(); }
    std::size_t size() const { return size_; }
    void truncate(std::size_t size) { size_ = size; }
    void append(std::string_view bytes) {
      if (bytes.size() > capacity_ - size_) grow(bytes.size());
      if (!bytes.empty()) std::memcpy(data_.get() + size_, bytes.data(), bytes.size());
      size_ += bytes.size();
    }

   private:
    struct Free {
      void operator()(char* memory) const { std::free(memory); }
    };
    void grow(std::size_t more);

    std::unique_ptr<char, Free> data_;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
  };

  // kNulls until the first value, then uniform, then kMixed as soon as kinds differ. Of the arrays those that the layout
  // uses have room for row_capacity_ rows; those of whole rows, and of the row in the making, are filled.
  struct Column {
    Layout layout = Layout::kNulls;
    bool has_nulls = false;             // `nulls` is in use; not in a mixed column
    std::vector<std::uint64_t> words;   // integer, bits of the real; for mixed text and blob: offset << 32 | length
    std::vector<std::uint32_t> ends;    // uniform text and blob
    std::vector<std::uint8_t> kinds;    // mixed
    std::vector<std::uint8_t> nulls;    // a bit for each row
    ByteBuffer bytes;
  };

  void append_bytes(ValueKind kind, std::string_view bytes);
  Column& next_column();
  void reserve_row();
  // Makes the column ready for a value of a kind that does not lie as its other values do.
  void adopt(Column& column, Layout layout);
  void make_mixed(Column& column);
  void append_mixed(Column& column, ValueKind kind, std::uint64_t word);
  void write_column(const Column& column, wire::Column::Builder out) const;
  void lay_out_column(const Column& column, std::uint64_t* at, FlatWriter& out) const;

  std::vector<Column> columns_;
  std::size_t at_ = 0;  // the column that comes next
  std::size_t row_count_ = 0;
  std::size_t row_capacity_ = 0;
  std::size_t byte_count_ = 0;
  std::size_t whole_rows_byte_count_ = 0;
};

class RowBatchReader {
 public:
  // An empty batch.
  RowBatchReader() = default;
  // kProtocol if the batch contradicts itself. The message must outlive the reader.
  static Result<RowBatchReader> open(wire::RowBatch::Reader batch);
  // False for what has to be opened the other way, which then says what is wrong with it.
  bool open_flat(const FlatReader& message, const FlatStruct& batch);

  std::size_t row_count() const { return row_count_; }
  std::size_t column_count() const { return columns_.size(); }
  const std::vector<ColumnView>& columns() const { return columns_; }
  ValueView at(std::size_t row, std::size_t column) const {
    SKUA_CHECK(column < columns_.size());
    return columns_[column].at(row);
  }

 private:
  static Status open_column(wire::Column::Reader in, ColumnView& out);
  static Status open_bytes(wire::Bytes::Reader in, ColumnView& out);
  static Status open_mixed(wire::Mixed::Reader in, ColumnView& out);
  static bool open_flat_column(const FlatReader& message, const FlatStruct& in, ColumnView& out);

  std::size_t row_count_ = 0;
  std::vector<ColumnView> columns_;
};

inline RowBatchBuilder::Column& RowBatchBuilder::next_column() {
  SKUA_CHECK(at_ < columns_.size());
  if (row_count_ == row_capacity_) reserve_row();
  return columns_[at_++];
}

inline void RowBatchBuilder::append_integer(std::int64_t value) {
  Column& column = next_column();
  if (column.layout != Layout::kIntegers) {
    adopt(column, Layout::kIntegers);
    if (column.layout == Layout::kMixed) {
      return append_mixed(column, ValueKind::kInteger, static_cast<std::uint64_t>(value));
    }
  }
  column.words[row_count_] = static_cast<std::uint64_t>(value);
  byte_count_ += 8;
}

inline void RowBatchBuilder::append_real(double value) {
  Column& column = next_column();
  if (column.layout != Layout::kReals) {
    adopt(column, Layout::kReals);
    if (column.layout == Layout::kMixed) {
      return append_mixed(column, ValueKind::kReal, std::bit_cast<std::uint64_t>(value));
    }
  }
  column.words[row_count_] = std::bit_cast<std::uint64_t>(value);
  byte_count_ += 8;
}

inline void RowBatchBuilder::append_bytes(ValueKind kind, std::string_view bytes) {
  Column& column = next_column();
  const Layout layout = kind == ValueKind::kText ? Layout::kTexts : Layout::kBlobs;
  if (column.layout != layout) {
    adopt(column, layout);
    if (column.layout == Layout::kMixed) {
      append_mixed(column, kind, std::uint64_t{column.bytes.size()} << 32 | bytes.size());
      column.bytes.append(bytes);
      byte_count_ += bytes.size();
      return;
    }
  }
  column.bytes.append(bytes);
  column.ends[row_count_] = static_cast<std::uint32_t>(column.bytes.size());
  byte_count_ += 4 + bytes.size();
}

inline void RowBatchBuilder::append_mixed(Column& column, ValueKind kind, std::uint64_t word) {
  column.words[row_count_] = word;
  column.kinds[row_count_] = static_cast<std::uint8_t>(kind);
  byte_count_ += 9;
}

inline void RowBatchBuilder::end_row() {
  SKUA_CHECK(at_ == columns_.size());
  at_ = 0;
  ++row_count_;
  whole_rows_byte_count_ = byte_count_;
}

}  // namespace skua
