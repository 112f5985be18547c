// Between wire::Locks and DatabaseLock. What reads a received message belongs inside guarded(). Any thread.
#pragma once

#include <vector>

#include "protocol/locks.h"
#include "protocol/skua.capnp.h"

namespace skua {

void write_locks(const std::vector<DatabaseLock>& locks, wire::Locks::Builder out);
std::vector<DatabaseLock> read_locks(wire::Locks::Reader in);

}  // namespace skua
