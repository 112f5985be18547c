#include "client/cli/importer.h"

#include <fmt/format.h>
#include <strings.h>

#include <algorithm>

#include "client/cli/sql_text.h"

namespace skua::cli {

namespace {

// As SQLite compares names: ASCII letters without case.
bool same_name(const std::string& a, const std::string& b) {
  return a.size() == b.size() && ::strcasecmp(a.c_str(), b.c_str()) == 0;
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& other) { return same_name(name, other); });
}

std::string counted(std::size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

// "a", "b": what stands between parentheses in CREATE TABLE and INSERT.
std::string column_list(const std::vector<std::string>& columns, std::string_view type) {
  std::string list;
  for (const std::string& column : columns) {
    if (!list.empty()) list += ", ";
    list += quoted_identifier(column);
    list += type;
  }
  return list;
}

}  // namespace

void RowLines::add(std::uint64_t line) {
  const bool consecutive =
      !runs_.empty() && line == runs_.back().first_line + (row_count_ - runs_.back().first_row);
  if (!consecutive) runs_.push_back({row_count_, line});
  if (runs_.size() > kRunsMax) runs_.pop_front();
  ++row_count_;
}

std::uint64_t RowLines::line_of(std::uint64_t row) const {
  const auto after = std::upper_bound(runs_.begin(), runs_.end(), row, [](std::uint64_t value, const Run& run) {
    return value < run.first_row;
  });
  if (after == runs_.begin()) return 0;
  const Run& run = *std::prev(after);
  return run.first_line + (row - run.first_row);
}

Importer::Importer(Connection& connection, const ImportArguments& arguments, std::string source)
    : connection_(connection),
      arguments_(arguments),
      source_(std::move(source)),
      header_is_next_(arguments.has_header()) {
  request_.database = arguments.database;
}

Error Importer::at_line(std::uint64_t line, std::string_view message) const {
  return make_error(ErrorCode::kConstraint, fmt::format("{}:{}: {}", source_, line, message));
}

Error Importer::no_such_table() const {
  return make_error(ErrorCode::kSql, fmt::format("there is no table {}; --create makes it", arguments_.table));
}

Status Importer::prepare() {
  SKUA_ASSIGN(table_columns_, table_columns());
  table_exists_ = !table_columns_.empty();
  if (!table_exists_ && !arguments_.create) return no_such_table();
  columns_ = arguments_.columns;
  if (!columns_.empty()) return check_columns();
  if (header_is_next_) return {};
  if (!table_exists_) {
    return make_error(ErrorCode::kUsage, "--create needs the names of the columns: a header or --columns");
  }
  columns_ = table_columns_;
  return {};
}

Result<std::vector<std::string>> Importer::table_columns() {
  // Hidden columns of virtual tables are 1, generated columns 2 and 3.
  SKUA_ASSIGN(const ResultSet rows,
              connection_.execute("SELECT name FROM pragma_table_xinfo(?1) WHERE hidden = 0 ORDER BY cid",
                                  Parameters::of(arguments_.table), request_));
  std::vector<std::string> names;
  for (const Row row : rows) names.emplace_back(row[0].bytes());
  return names;
}

Status Importer::check_columns() const {
  std::vector<std::string> seen;
  for (const std::string& column : columns_) {
    if (column.empty()) {
      return make_error(ErrorCode::kUsage, fmt::format("column {} has no name", seen.size() + 1));
    }
    if (contains(seen, column)) {
      return make_error(ErrorCode::kUsage, fmt::format("column {} is named twice", column));
    }
    if (table_exists_ && !contains(table_columns_, column)) {
      return make_error(ErrorCode::kUsage, fmt::format("table {} has no column {}, only {}", arguments_.table,
                                                       column, fmt::join(table_columns_, ", ")));
    }
    seen.push_back(column);
  }
  return {};
}

Status Importer::take_header(std::uint64_t line) {
  header_is_next_ = false;
  // With --columns the header is only skipped.
  if (!columns_.empty()) return {};
  columns_ = std::move(header_fields_);
  const Status checked = check_columns();
  if (checked) return {};
  return at_line(line,
                 checked.error().message + "; if this line is not a header, use --no-header or --columns");
}

Status Importer::begin() {
  SKUA_ASSIGN(transaction_, connection_.begin(TransactionMode::kWrite, request_));
  if (!table_exists_) {
    SKUA_TRY(transaction_->execute(fmt::format("CREATE TABLE {}({})", quoted_identifier(arguments_.table),
                                               column_list(columns_, " TEXT"))));
  }
  std::string marks = "?";
  for (std::size_t i = 1; i < columns_.size(); ++i) marks += ",?";
  writer_.emplace(*transaction_,
                  fmt::format("INSERT INTO {}({}) VALUES({})", quoted_identifier(arguments_.table),
                              column_list(columns_, ""), marks),
                  columns_.size());
  return {};
}

void Importer::on_field(std::string_view bytes) {
  const bool is_null = !bytes.empty() && arguments_.null_text == bytes;
  add_field(is_null ? ValueView::null() : ValueView::text(bytes));
}

void Importer::on_empty_field() {
  const bool is_null = arguments_.null_text && arguments_.null_text->empty();
  add_field(is_null ? ValueView::null() : ValueView::text({}));
}

void Importer::add_field(const ValueView& value) {
  if (!status_) return;
  if (header_is_next_) {
    header_fields_.emplace_back(value.bytes());
    return;
  }
  if (!writer_) {
    status_ = begin();
    if (!status_) return;
  }
  ++field_count_;
  // One too many is an error at the end of the record.
  if (field_count_ <= columns_.size()) writer_->append(value);
}

void Importer::on_record_end(std::uint64_t line) {
  if (!status_) return;
  status_ = header_is_next_ ? take_header(line) : end_row(line);
}

Status Importer::end_row(std::uint64_t line) {
  if (field_count_ != columns_.size()) {
    return at_line(line, fmt::format("{} where {} {} expected", counted(field_count_, "field"), columns_.size(),
                                     columns_.size() == 1 ? "is" : "are"));
  }
  field_count_ = 0;
  ++row_count_;
  row_lines_.add(line);
  Status sent = writer_->end_row();
  if (!sent) return located(std::move(sent).error());
  return {};
}

Error Importer::located(Error error) const {
  if (error.row < 0) return error;
  error.message = fmt::format("{}:{}: {}", source_, row_lines_.line_of(static_cast<std::uint64_t>(error.row)),
                              error.message);
  return error;
}

Status Importer::finish() {
  if (!status_) return status_;
  if (header_is_next_)
    return make_error(ErrorCode::kUsage, fmt::format("{} has no header: it is empty", source_));
  if (!writer_) SKUA_TRY(begin());
  const Result<Summary> written = writer_->finish();
  if (!written) return located(written.error());
  return transaction_->commit();
}

}  // namespace skua::cli
