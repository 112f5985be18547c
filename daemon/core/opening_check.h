// opening_check: may a request open a transaction, or several? Loop thread; call inside guarded().
#pragma once

#include <cstdint>

#include "daemon/core/request.h"
#include "daemon/core/session_state.h"
#include "protocol/limits.h"
#include "protocol/result.h"

namespace skua {

// `number`: of the request, which no transaction of the session has.
Status check_opening(const Request& request, std::uint32_t number, const SessionState& session, const Limits& limits);

// Of a database's reader connections, those that sessions may keep for their TEMP objects. The others are for everybody.
std::uint32_t pins_max(const Limits& limits);

}  // namespace skua
