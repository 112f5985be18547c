#include "client/c/batch.h"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

#include "client/c/column.h"

skua_batch::skua_batch(skua::Batch rows) : batch(std::move(rows)) {
  columns.reserve(batch.column_count());
  for (std::size_t i = 0; i < batch.column_count(); ++i) columns.push_back(skua::c::column_of(batch.column(i)));
}

namespace skua::c {

const char* name_of(const Columns& columns, std::size_t column) {
  return column < columns.size() ? columns[column].name.c_str() : nullptr;
}

const char* declared_type_of(const Columns& columns, std::size_t column) {
  return column < columns.size() ? columns[column].declared_type.c_str() : nullptr;
}

std::ptrdiff_t find_column(const Columns& columns, const char* name) {
  if (name == nullptr) return -1;
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  const std::string_view wanted = name;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::string& own = columns[i].name;
    // Columns::index_of() makes an error of a missing one, which may need memory.
    if (std::equal(own.begin(), own.end(), wanted.begin(), wanted.end(),
                   [&](char a, char b) { return lower(a) == lower(b); })) {
      return static_cast<std::ptrdiff_t>(i);
    }
  }
  return -1;
}

}  // namespace skua::c

size_t skua_batch_row_count(const skua_batch* batch) { return batch == nullptr ? 0 : batch->batch.row_count(); }

size_t skua_batch_column_count(const skua_batch* batch) { return batch == nullptr ? 0 : batch->columns.size(); }

const skua_column* skua_batch_column(const skua_batch* batch, size_t column) {
  return batch == nullptr || column >= batch->columns.size() ? nullptr : &batch->columns[column];
}

skua_code skua_batch_value(const skua_batch* batch, size_t row, size_t column, skua_value* value) {
  return skua_column_value(skua_batch_column(batch, column), row, value);
}

void skua_batch_free(skua_batch* batch) { delete batch; }
