// skua_result: a ResultSet, and its summary as C sees it. Any thread, one at a time.
#pragma once

#include "skua.h"
#include "skua/result_set.h"

struct skua_result {
  explicit skua_result(skua::ResultSet set);

  skua::ResultSet rows;
  skua_summary summary;
};

namespace skua::c {

skua_summary summary_of(const Summary& summary);

}  // namespace skua::c
