// skua_parameters: the parameters of one execution, and the first mistake that was made with them. One thread at a time.
#pragma once

#include "protocol/result.h"
#include "skua.h"
#include "skua/parameters.h"

struct skua_parameters {
  skua::Parameters list;
  skua_code failure = SKUA_OK;
  // A literal, so that a lack of memory can be remembered as well.
  const char* reason = "";
};

namespace skua::c {

// The list behind a pointer that may be null, for none; or its failure.
Result<const Parameters*> parameters_of(const skua_parameters* parameters);

}  // namespace skua::c
