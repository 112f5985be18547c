// The one place that turns SQLite's result codes into Skua's errors. sqlite.org/rescode.html. Any thread.
#pragma once

#include <sqlite3.h>

#include "protocol/result.h"

namespace skua {

// The error of the last call on `db`, which returned `code`. Must be made before another call on it.
Error sqlite_error(sqlite3* db, int code);

}  // namespace skua
