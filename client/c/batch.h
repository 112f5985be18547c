// skua_batch: a Batch, and its columns as C sees them. Any thread, one at a time.
#pragma once

#include <vector>

#include "skua.h"
#include "skua/batch.h"

struct skua_batch {
  explicit skua_batch(skua::Batch rows);

  skua::Batch batch;
  std::vector<skua_column> columns;
};

namespace skua::c {

// What results and streams say of their columns. Null if there is no such column.
const char* name_of(const Columns& columns, std::size_t column);
const char* declared_type_of(const Columns& columns, std::size_t column);
// -1 if there is none.
std::ptrdiff_t find_column(const Columns& columns, const char* name);

}  // namespace skua::c
