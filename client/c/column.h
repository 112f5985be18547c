// skua_column and skua_value: how a ColumnView and a value of it look to C. Any thread.
#pragma once

#include "protocol/column_view.h"
#include "skua.h"

namespace skua::c {

// Points into the same memory.
skua_column column_of(const ColumnView& view);
skua_value value_of(const ValueView& view);

// Null if the column contradicts itself; else why. What a caller puts together himself has to be asked.
const char* contradiction_in(const skua_column& column);
// The row must be there, and the column without contradiction.
ValueView value_at(const skua_column& column, std::size_t row);

}  // namespace skua::c
