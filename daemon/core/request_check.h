// request_check: is a request well-formed and within the limits, before anything is done with it? Loop thread; call inside
// guarded(), because reading a malformed message throws.
#pragma once

#include <string_view>

#include "daemon/core/classifier.h"
#include "daemon/core/request.h"
#include "protocol/result.h"

namespace skua {

// Checks the SQL texts, sizes and counts, and fills in request.statement.
Status check_request(Request& request, std::uint32_t window_bytes_max, Classifier& classifier) SKUA_REQUIRES(loop_thread);

}  // namespace skua
