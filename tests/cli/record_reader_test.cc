// CSV and TSV: fields, lines, and what is refused.
#include "client/cli/record_reader.h"

#include <criterion/criterion.h>

#include <memory>

#include "client/cli/csv_reader.h"
#include "client/cli/import_start.h"
#include "client/cli/tsv_reader.h"

using namespace skua;
using namespace skua::cli;

namespace {

// `line:field|field;` for each record; an empty field that was not quoted is ~.
class Written : public RecordSink {
 public:
  void on_field(std::string_view bytes) override { add(bytes); }
  void on_empty_field() override { add("~"); }
  void on_record_end(std::uint64_t line) override {
    text += std::to_string(line) + ":" + record + ";";
    record.clear();
    starts = true;
  }
  std::string text;

 private:
  void add(std::string_view field) {
    if (!starts) record += "|";
    record += field;
    starts = false;
  }
  std::string record;
  bool starts = true;
};

enum class Kind { kCsv, kLazyCsv, kTsv };

struct Outcome {
  std::string text;
  std::string error;  // empty: none
  std::uint64_t line = 0;
};

Outcome read_in_pieces(Kind kind, std::string_view text, std::size_t piece_size) {
  Written written;
  std::unique_ptr<RecordReader> reader;
  if (kind == Kind::kTsv) {
    reader = std::make_unique<TsvReader>(written, 1);
  } else {
    reader = std::make_unique<CsvReader>(written, 1, kind == Kind::kLazyCsv);
  }
  Status status;
  for (std::size_t at = 0; at < text.size() && status; at += piece_size) {
    status = reader->add(text.substr(at, piece_size));
  }
  if (status) status = reader->finish();
  return {written.text, status ? std::string() : status.error().message, reader->line()};
}

// The same whatever the pieces.
void expect_records(Kind kind, std::string_view text, std::string_view expected) {
  for (const std::size_t piece_size : {std::size_t{1}, std::size_t{3}, text.size() + 1}) {
    const Outcome outcome = read_in_pieces(kind, text, piece_size);
    cr_assert(outcome.error.empty(), "%s", outcome.error.c_str());
    cr_assert(outcome.text == expected, "%s, expected %s", outcome.text.c_str(), std::string(expected).c_str());
  }
}

void expect_error(Kind kind, std::string_view text, std::uint64_t line, std::string_view part) {
  for (const std::size_t piece_size : {std::size_t{1}, text.size() + 1}) {
    const Outcome outcome = read_in_pieces(kind, text, piece_size);
    cr_assert(outcome.error.find(part) != std::string::npos, "%s", outcome.error.c_str());
    cr_assert_eq(outcome.line, line, "line %lu", static_cast<unsigned long>(outcome.line));
  }
}

std::string data_after_start(std::uint64_t skip_lines, std::string_view text, std::size_t piece_size) {
  ImportStart start(skip_lines);
  std::string data;
  for (std::size_t at = 0; at < text.size(); at += piece_size) data += start.take(text.substr(at, piece_size));
  data += start.rest();
  return data;
}

}  // namespace

Test(csv_reader, cuts_fields_and_records) {
  expect_records(Kind::kCsv, "a,b\n1,2\n", "1:a|b;2:1|2;");
  expect_records(Kind::kCsv, "a,b\n1,2", "1:a|b;2:1|2;");
  expect_records(Kind::kCsv, "", "");
  expect_records(Kind::kCsv, "a,,\n,\n", "1:a|~|~;2:~|~;");
  expect_records(Kind::kCsv, " a , b\t\n", "1: a | b\t;");
}

Test(csv_reader, takes_either_line_end) {
  expect_records(Kind::kCsv, "a,b\r\n\"1\",\"2\"\r\nx,y\r\n", "1:a|b;2:1|2;3:x|y;");
  expect_records(Kind::kCsv, "a\rb,c\n", "1:a\rb|c;");
}

Test(csv_reader, understands_quotes) {
  expect_records(Kind::kCsv, "\"a,b\",\"say \"\"x\"\"\",\"\"\n", "1:a,b|say \"x\"|;");
  expect_records(Kind::kCsv, "\"a\nb\",\"c\r\nd\"\ne,f\n", "1:a\nb|c\r\nd;4:e|f;");
  expect_records(Kind::kCsv, "\"a\"", "1:a;");
}

Test(csv_reader, keeps_any_byte) {
  expect_records(Kind::kCsv, std::string_view("a\0b,\xff\x1b\n", 7), std::string_view("1:a\0b|\xff\x1b;", 9));
}

Test(csv_reader, takes_an_empty_line_for_a_record) {
  expect_records(Kind::kCsv, "a\n\nb\n\r\nc\n", "1:a;2:~;3:b;4:~;5:c;");
}

Test(csv_reader, refuses_quotes_where_they_mean_nothing) {
  expect_error(Kind::kCsv, "a,b\n1,5\" disk\n", 2, "not quoted");
  expect_error(Kind::kCsv, "a\n\"x\ny\" z\n", 3, "closing quote");
  expect_records(Kind::kLazyCsv, "1,5\" disk\n\"a\"b\",c\n", "1:1|5\" disk;2:a\"b|c;");
}

Test(csv_reader, refuses_a_quote_that_is_never_closed) {
  for (const Kind kind : {Kind::kCsv, Kind::kLazyCsv}) {
    const Outcome outcome = read_in_pieces(kind, "a\nb,\"c\nd\ne", 100);
    cr_assert(outcome.error.find("begins on line 2") != std::string::npos, "%s", outcome.error.c_str());
  }
}

Test(csv_reader, refuses_a_field_beyond_the_limit) {
  const auto outcome_of = [](std::size_t size) {
    return read_in_pieces(Kind::kCsv, std::string(size, 'x') + "\n", 1024 * 1024);
  };
  cr_assert(outcome_of(RecordReader::kFieldBytesMax).error.empty());
  const Outcome outcome = outcome_of(RecordReader::kFieldBytesMax + 1024 * 1024);
  cr_assert(outcome.error.find("64 MiB") != std::string::npos, "%s", outcome.error.c_str());
}

Test(tsv_reader, splits_at_tabs_and_line_ends_only) {
  expect_records(Kind::kTsv, "a\tb\n\"1\t2\"\r\n\t\n\nx", "1:a|b;2:\"1|2\";3:~|~;4:~;5:x;");
  expect_records(Kind::kTsv, "", "");
  expect_records(Kind::kTsv, std::string_view("a\0b\n", 4), std::string_view("1:a\0b;", 6));
}

Test(tsv_reader, refuses_a_line_beyond_the_limit) {
  const Outcome outcome = read_in_pieces(Kind::kTsv, std::string(kRowBytesMax + 1024 * 1024, 'x'), 1024 * 1024);
  cr_assert(outcome.error.find("96 MiB") != std::string::npos, "%s", outcome.error.c_str());
}

Test(import_start, takes_off_a_byte_order_mark_and_lines) {
  const struct {
    std::uint64_t skip_lines;
    const char* text;
    const char* data;
  } cases[] = {
      {0, "\xEF\xBB\xBFx,y\n", "x,y\n"},
      {0, "x,y\n", "x,y\n"},
      {0, "", ""},
      {0, "\xEF\xBB\xBF", ""},
      {0, "\xEF\xBB", "\xEF\xBB"},
      {0, "\xEF\xBBz", "\xEF\xBBz"},
      {1, "\xEF\xBB\xBFx\ny\n", "y\n"},
      {2, "a\n\"b\nc\nd\n", "c\nd\n"},
      {5, "a\nb\n", ""},
      {1, "\xEF", ""},
  };
  for (const auto& one : cases) {
    for (const std::size_t piece_size : {std::size_t{1}, std::size_t{2}, std::size_t{100}}) {
      const std::string data = data_after_start(one.skip_lines, one.text, piece_size);
      cr_assert(data == one.data, "%s gave %s", one.text, data.c_str());
    }
  }
}
