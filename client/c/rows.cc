#include "client/c/rows.h"

#include <cstring>
#include <exception>
#include <new>
#include <string_view>

#include "client/c/column.h"
#include "client/c/error.h"
#include "protocol/limits.h"

namespace skua::c {
namespace {

skua_code fail(skua_rows& rows, skua_code code, const char* reason) {
  if (rows.failure == SKUA_OK) {
    rows.failure = code;
    rows.reason = reason;
  }
  return rows.failure;
}

// Does something to rows that have not failed; what throws fails them, for the row in the making is not whole then.
template <class Body>
skua_code change(skua_rows* rows, Body&& body) noexcept {
  if (rows == nullptr) return SKUA_USAGE;
  if (rows->failure != SKUA_OK) return rows->failure;
  try {
    if (const char* mistake = body(); mistake != nullptr) return fail(*rows, SKUA_USAGE, mistake);
    return SKUA_OK;
  } catch (const std::exception&) {
    return fail(*rows, SKUA_NO_MEMORY, "out of memory");
  }
}

skua_code append(skua_rows* rows, const ValueView& value) {
  return change(rows, [&]() -> const char* {
    if (rows->value_count == rows->rows.column_count()) return "a row has more values than there are columns";
    rows->rows.append(value);
    ++rows->value_count;
    return nullptr;
  });
}

skua_code append_bytes(skua_rows* rows, ValueKind kind, const void* bytes, std::size_t size) {
  if (rows == nullptr) return SKUA_USAGE;
  if (bytes == nullptr && size != 0) return fail(*rows, SKUA_USAGE, "the bytes of a text or blob are NULL");
  if (size > kValueBytesMax) return fail(*rows, SKUA_LIMIT, "a value has more than 64 MiB (value_bytes_max)");
  const std::string_view content(static_cast<const char*>(bytes), size);
  return append(rows, kind == ValueKind::kText ? ValueView::text(content) : ValueView::blob(content));
}

// Null, or why they cannot be the columns of these rows.
const char* mistake_in(const skua_rows& rows, const skua_column* const* columns, std::size_t column_count) {
  if (rows.value_count != 0) return "columns are appended while a row is not ended";
  if (column_count != rows.rows.column_count()) return "the number of columns is not that of the parameters";
  if (columns == nullptr) return column_count == 0 ? nullptr : "columns is NULL";
  for (std::size_t i = 0; i < column_count; ++i) {
    if (columns[i] == nullptr) return "a column is NULL";
    if (columns[i]->row_count != columns[0]->row_count) return "the columns do not have the same number of rows";
    if (const char* contradiction = contradiction_in(*columns[i]); contradiction != nullptr) return contradiction;
  }
  return nullptr;
}

}  // namespace

Result<const ParameterRows*> rows_of(const skua_rows* rows) {
  SKUA_REQUIRE(rows);
  if (rows->failure == SKUA_NO_MEMORY) throw std::bad_alloc();
  if (rows->failure != SKUA_OK) return make_error(static_cast<ErrorCode>(rows->failure), rows->reason);
  if (rows->value_count != 0) return usage("the last row is not ended");
  return &rows->rows;
}

}  // namespace skua::c

using namespace skua::c;

skua_code skua_rows_new(size_t column_count, const char* const* names, skua_rows** rows, skua_error** error) {
  if (rows != nullptr) *rows = nullptr;
  return guarded(error, [&]() -> skua::Status {
    SKUA_REQUIRE(rows);
    if (column_count > skua::kParametersMax) {
      return skua::make_error(skua::ErrorCode::kLimit, "a statement has 32766 parameters at most (parameters_max)");
    }
    std::vector<std::string> owned;
    for (std::size_t i = 0; names != nullptr && i < column_count; ++i) {
      if (names[i] == nullptr) return usage("the name of a parameter is NULL");
      owned.emplace_back(names[i]);
    }
    *rows = new skua_rows(column_count, std::move(owned));
    return {};
  });
}

skua_code skua_rows_append_null(skua_rows* rows) { return append(rows, skua::ValueView::null()); }

skua_code skua_rows_append_int64(skua_rows* rows, int64_t value) { return append(rows, skua::ValueView::integer(value)); }

skua_code skua_rows_append_double(skua_rows* rows, double value) { return append(rows, skua::ValueView::real(value)); }

skua_code skua_rows_append_text(skua_rows* rows, const char* text, size_t size) {
  if (size == SKUA_NUL_TERMINATED && text != nullptr) size = std::strlen(text);
  return append_bytes(rows, skua::ValueKind::kText, text, size);
}

skua_code skua_rows_append_blob(skua_rows* rows, const void* bytes, size_t size) {
  return append_bytes(rows, skua::ValueKind::kBlob, bytes, size);
}

skua_code skua_rows_end_row(skua_rows* rows) {
  return change(rows, [&]() -> const char* {
    if (rows->value_count != rows->rows.column_count()) return "a row has fewer values than there are columns";
    rows->rows.end_row();
    rows->value_count = 0;
    return nullptr;
  });
}

skua_code skua_rows_append_columns(skua_rows* rows, const skua_column* const* columns, size_t column_count) {
  return change(rows, [&]() -> const char* {
    if (const char* mistake = mistake_in(*rows, columns, column_count); mistake != nullptr) return mistake;
    const std::size_t row_count = column_count == 0 ? 0 : columns[0]->row_count;
    for (std::size_t row = 0; row < row_count; ++row) {
      for (std::size_t i = 0; i < column_count; ++i) rows->rows.append(value_at(*columns[i], row));
      rows->rows.end_row();
    }
    return nullptr;
  });
}

size_t skua_rows_count(const skua_rows* rows) { return rows == nullptr ? 0 : rows->rows.row_count(); }

size_t skua_rows_byte_count(const skua_rows* rows) { return rows == nullptr ? 0 : rows->rows.byte_count(); }

void skua_rows_clear(skua_rows* rows) {
  if (rows == nullptr) return;
  rows->rows.clear();
  rows->value_count = 0;
  rows->failure = SKUA_OK;
  rows->reason = "";
}

void skua_rows_free(skua_rows* rows) { delete rows; }
