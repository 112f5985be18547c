// Reads the next piece of a finished backup and makes a response of it: rows of one blob column, in order. Any thread that
// has the job.
#pragma once

#include "daemon/core/executor.h"

namespace skua {

// A kBackupRead: from job.backup_offset on, which it moves. The last response ends the request.
void read_backup(Job& job);

}  // namespace skua
