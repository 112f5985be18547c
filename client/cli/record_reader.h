// RecordReader: cuts the text of a CSV or TSV file into records and fields and pushes them into a RecordSink.
//
// Takes the text in pieces of any size. Memory is bounded by the largest field (CSV) or line (TSV), which has a
// limit. One thread. Knows nothing of tables.
#pragma once

#include <cstdint>
#include <string_view>

#include "protocol/limits.h"
#include "protocol/result.h"

namespace skua::cli {

class RecordSink {
 public:
  virtual ~RecordSink() = default;
  // The bytes live until the call returns.
  virtual void on_field(std::string_view bytes) = 0;
  // A field with nothing at all between its separators: in CSV not even quotes.
  virtual void on_empty_field() = 0;
  // After the last field of each record, which began on this line of the file, from 1.
  virtual void on_record_end(std::uint64_t line) = 0;
};

class RecordReader {
 public:
  static constexpr std::size_t kFieldBytesMax = kValueBytesMax;

  virtual ~RecordReader() = default;
  // After an error, whose place line() tells, the reader must not be used any more.
  virtual Status add(std::string_view piece) = 0;
  virtual Status finish() = 0;
  virtual std::uint64_t line() const = 0;
};

}  // namespace skua::cli
