// TsvReader: fields between tabs, records between line ends, no quoting. A carriage return before a line end
// belongs to it, an empty line is a record of one empty field. Any other byte may stand in a field, NUL too.
#pragma once

#include <string>

#include "client/cli/record_reader.h"

namespace skua::cli {

class TsvReader : public RecordReader {
 public:
  // `first_line` is the number of the line that the text starts with.
  TsvReader(RecordSink& sink, std::uint64_t first_line) : sink_(sink), line_(first_line) {}

  Status add(std::string_view piece) override;
  Status finish() override;
  std::uint64_t line() const override { return line_; }

 private:
  void take_line(std::string_view line);

  RecordSink& sink_;
  std::uint64_t line_;
  std::string unfinished_;  // the line that has not ended yet
};

}  // namespace skua::cli
