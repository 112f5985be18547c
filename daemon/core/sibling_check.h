// sibling_check: may a begin open these transactions beside its own? Loop thread; call inside guarded().
#pragma once

#include <cstdint>

#include "daemon/core/request_message.h"
#include "daemon/core/session_state.h"
#include "protocol/limits.h"
#include "protocol/result.h"

namespace skua {

// `number` is that of the begin itself, which may be opened.
Status check_siblings(wire::Begin::Reader begin, std::uint32_t number, const SessionState& session, const Limits& limits);

// Of a database's reader connections, those that sessions may keep for their TEMP objects. The others are for everybody.
std::uint32_t pins_max(const Limits& limits);

}  // namespace skua
