// Read transactions of several connections that share one snapshot.
//
// Debian's SQLite is built without sqlite3_snapshot_get(). So all of them are begun in a moment in which nothing is
// committed: the CommitGate is held, which the writer enters when it begins to commit, not when it begins to write. SQLite does
// not say when VACUUM commits, so the header of the log's index is compared as well, before the first and behind the last
// of them: each transaction takes it over as its snapshot, and each commit changes it. If it has changed, all are begun anew.
// sqlite.org/walformat.html#the_wal_index_header
#pragma once

#include <vector>

#include "daemon/engine/commit_gate.h"
#include "daemon/engine/connection.h"
#include "protocol/result.h"

namespace skua {

// On all of the connections, which are of one database and read-only, or on none. The thread that has them all.
Status begin_on_one_snapshot(CommitGate& gate, const std::vector<Connection*>& connections);

}  // namespace skua
