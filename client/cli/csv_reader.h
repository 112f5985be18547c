// CsvReader: RFC 4180 through libcsv, set to the habits of the sqlite3 shell: spaces belong to the field, only
// a line feed ends a line, a carriage return at either end of a field is dropped, an empty line is a record of
// one empty field.
//
// Any byte may stand in a field, NUL too. Quotes are checked strictly unless `lazy_quotes`.
#pragma once

#include <csv.h>

#include "client/cli/record_reader.h"

namespace skua::cli {

class CsvReader : public RecordReader {
 public:
  // `first_line` is the number of the line that the text starts with.
  CsvReader(RecordSink& sink, std::uint64_t first_line, bool lazy_quotes);
  CsvReader(const CsvReader&) = delete;
  CsvReader& operator=(const CsvReader&) = delete;
  ~CsvReader() override;

  Status add(std::string_view piece) override;
  Status finish() override;
  std::uint64_t line() const override;

 private:
  static void on_field(void* bytes, std::size_t size, void* self);
  static void on_record_end(int terminator, void* self);
  std::string_view unfinished_field() const;

  RecordSink& sink_;
  csv_parser parser_ = {};
  std::uint64_t record_line_;              // where the record in the making began
  std::uint64_t line_ends_in_record_ = 0;  // inside of its finished fields
  bool record_has_fields_ = false;
};

}  // namespace skua::cli
