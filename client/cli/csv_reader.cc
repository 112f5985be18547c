#include "client/cli/csv_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace skua::cli {

namespace {

// libcsv enlarges its buffer by this much at a time, and may copy all of it each time: a field of 64 MiB takes sixteen steps.
// What is not used is never touched.
constexpr std::size_t kBufferStepBytes = 4 * 1024 * 1024;

int is_trimmed(unsigned char byte) { return byte == CSV_CR; }
int is_line_end(unsigned char byte) { return byte == CSV_LF; }

std::uint64_t line_ends_in(std::string_view text) {
  // Most fields have none, and memchr is faster than counting.
  if (text.empty() || std::memchr(text.data(), '\n', text.size()) == nullptr) return 0;
  return static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

CsvReader::CsvReader(RecordSink& sink, std::uint64_t first_line, bool lazy_quotes)
    : sink_(sink), record_line_(first_line) {
  const int strict = lazy_quotes ? 0 : CSV_STRICT;
  // It only fails without a parser.
  SKUA_CHECK(csv_init(&parser_, static_cast<unsigned char>(CSV_REPALL_NL | CSV_EMPTY_IS_NULL | strict)) == 0);
  csv_set_space_func(&parser_, is_trimmed);
  csv_set_term_func(&parser_, is_line_end);
  csv_set_blk_size(&parser_, kBufferStepBytes);
}

CsvReader::~CsvReader() { csv_free(&parser_); }

void CsvReader::on_field(void* bytes, std::size_t size, void* self) {
  auto& reader = *static_cast<CsvReader*>(self);
  reader.record_has_fields_ = true;
  if (bytes == nullptr) return reader.sink_.on_empty_field();
  const std::string_view field(static_cast<const char*>(bytes), size);
  reader.line_ends_in_record_ += line_ends_in(field);
  reader.sink_.on_field(field);
}

void CsvReader::on_record_end(int, void* self) {
  auto& reader = *static_cast<CsvReader*>(self);
  if (!reader.record_has_fields_) reader.sink_.on_empty_field();
  reader.sink_.on_record_end(reader.record_line_);
  reader.record_line_ += 1 + reader.line_ends_in_record_;
  reader.line_ends_in_record_ = 0;
  reader.record_has_fields_ = false;
}

std::string_view CsvReader::unfinished_field() const {
  return {reinterpret_cast<const char*>(parser_.entry_buf),
          parser_.entry_buf == nullptr ? 0 : parser_.entry_pos};
}

std::uint64_t CsvReader::line() const {
  return record_line_ + line_ends_in_record_ + line_ends_in(unfinished_field());
}

Status CsvReader::add(std::string_view piece) {
  if (csv_parse(&parser_, piece.data(), piece.size(), on_field, on_record_end, this) != piece.size()) {
    if (csv_error(&parser_) != CSV_EPARSE) return make_error(ErrorCode::kIo, csv_strerror(csv_error(&parser_)));
    return make_error(
        ErrorCode::kUsage,
        parser_.quoted != 0
            ? "text after the closing quote of a field (inside a quoted field a quote is written twice; "
              "--lazy-quotes takes it as a character)"
            : "a quote inside a field that is not quoted (--lazy-quotes takes it as a character)");
  }
  if (unfinished_field().size() <= kFieldBytesMax) return {};
  return make_error(ErrorCode::kLimit,
                    fmt::format("a field of more than {} MiB (is a quote not closed?)", kFieldBytesMax / kMiB));
}

Status CsvReader::finish() {
  // Also with lazy quotes a quote that is never closed has swallowed the rest of the file.
  csv_set_opts(&parser_, static_cast<unsigned char>(csv_get_opts(&parser_) | CSV_STRICT | CSV_STRICT_FINI));
  if (csv_fini(&parser_, on_field, on_record_end, this) == 0) return {};
  const std::uint64_t field_line = record_line_ + line_ends_in_record_;
  return make_error(ErrorCode::kUsage,
                    fmt::format("the file ends inside the quoted field that begins on line {}", field_line));
}

}  // namespace skua::cli
