// Row batches: rows by column, in C++ and on the wire (wire::RowBatch). Results travel in them one way and the
// parameter rows of execute_many the other way.
//
// RowBatchBuilder collects rows; RowBatchReader checks a received batch once and then reads it without further checks.
// Each belongs to one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "protocol/frame.h"
#include "protocol/result.h"
#include "protocol/skua.capnp.h"
#include "protocol/value.h"

namespace skua {

// One row of a batch has `column_count` values: append() each in order, then end_row().
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

 private:
  // A column is of no kind (all NULL) until its first value, then uniform, then mixed as soon as types differ.
  struct Column {
    ValueKind kind = ValueKind::kNull;
    bool mixed = false;
    bool has_nulls = false;
    std::size_t rows = 0;
    std::vector<std::uint64_t> words;   // integer, bits of the real; for mixed text and blob: offset << 32 | length
    std::vector<std::uint32_t> ends;    // uniform text and blob
    std::vector<std::uint8_t> kinds;    // one for each row; used for nulls too
    std::string bytes;
  };

  void append_bytes(ValueKind kind, std::string_view bytes);
  Column& next_column();
  // Makes the column ready for a value of this kind.
  static void adopt(Column& column, ValueKind kind);
  static void make_mixed(Column& column);
  static void truncate(Column& column, std::size_t rows);
  static void write_nulls(const Column& column, wire::Column::Builder out);

  std::vector<Column> columns_;
  std::size_t at_ = 0;  // the column that comes next
  std::size_t row_count_ = 0;
  std::size_t byte_count_ = 0;
  std::size_t whole_rows_byte_count_ = 0;
};

class RowBatchReader {
 public:
  // An empty batch.
  RowBatchReader() = default;
  // kProtocol if the batch contradicts itself. The message must outlive the reader.
  static Result<RowBatchReader> open(wire::RowBatch::Reader batch);

  std::size_t row_count() const { return row_count_; }
  std::size_t column_count() const { return columns_.size(); }
  ValueView at(std::size_t row, std::size_t column) const;

 private:
  struct Column {
    wire::Column::Which which = wire::Column::ALL_NULL;
    const std::uint8_t* nulls = nullptr;
    const std::uint8_t* kinds = nullptr;
    capnp::List<std::int64_t>::Reader integers;
    capnp::List<double>::Reader reals;
    capnp::List<std::uint32_t>::Reader ends;
    capnp::List<std::uint64_t>::Reader words;
    const char* data = nullptr;
  };

  static Status open_column(wire::Column::Reader in, std::size_t rows, Column& out);
  static Status open_bytes(wire::Bytes::Reader in, std::size_t rows, Column& out);
  static Status open_mixed(wire::Mixed::Reader in, std::size_t rows, Column& out);

  std::size_t row_count_ = 0;
  std::vector<Column> columns_;
};

}  // namespace skua
