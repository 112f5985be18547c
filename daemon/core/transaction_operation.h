// TransactionOperation: what a request asks of its transaction, whichever way it says it: as a request of the protocol or as
// SQL text. The thread that may read the request's message.
#pragma once

#include <cstdint>

#include "daemon/core/executor.h"
#include "daemon/core/request.h"

namespace skua {

enum class TransactionOperation : std::uint8_t { kStatement, kBegin, kCommit, kRollback, kSavepoint };

TransactionOperation operation_of(const Request& request);
SavepointAction savepoint_action_of(const Request& request);

}  // namespace skua
