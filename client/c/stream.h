// skua_stream: a RowStream, and its summary as C sees it. Belongs to its connection's thread.
#pragma once

#include <optional>
#include <utility>

#include "skua.h"
#include "skua/row_stream.h"

struct skua_stream {
  explicit skua_stream(skua::RowStream stream) : rows(std::move(stream)) {}

  skua::RowStream rows;
  std::optional<skua_summary> summary;  // after the end
};
