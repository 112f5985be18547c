// The one place that turns SQLite's result codes into Skua's errors. sqlite.org/rescode.html. Any thread.
#pragma once

#include <sqlite3.h>

#include "protocol/result.h"

namespace skua {

// The error of the last call on `db`, which returned `code`. Must be made before another call on it.
Error sqlite_error(sqlite3* db, int code);

// The disk did not confirm a sync: what the code belongs to may or may not survive, and a second sync would not tell.
bool is_sync_failure(int sqlite_code);

}  // namespace skua
