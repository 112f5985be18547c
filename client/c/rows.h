// skua_rows: rows of parameters for execute_many, and the first mistake that was made with them. One thread at a time.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "protocol/result.h"
#include "skua.h"
#include "skua/parameters.h"

struct skua_rows {
  skua_rows(std::size_t column_count, std::vector<std::string> names) : rows(column_count, std::move(names)) {}

  skua::ParameterRows rows;
  // Of the row that was begun and not ended.
  std::size_t value_count = 0;
  skua_code failure = SKUA_OK;
  const char* reason = "";  // a literal
};

namespace skua::c {

// Whole rows, or the failure.
Result<const ParameterRows*> rows_of(const skua_rows* rows);

}  // namespace skua::c
