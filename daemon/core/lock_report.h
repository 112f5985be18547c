// What core/ says of those who have a writer and of those who wait for it: made when somebody asks, from what is there;
// only of the requests in transactions something is kept for it.
// Loop thread.
#pragma once

#include <string>

#include "daemon/core/request.h"
#include "daemon/core/transaction.h"
#include "protocol/locks.h"

namespace skua {

// The request has its turn in the transaction: keeps what will be shown of it.
void note_request(Transaction& transaction, const Request& request) SKUA_REQUIRES(loop_thread);

// The transaction has the writer.
LockHolder holder_of(const Transaction& transaction, std::uint64_t now_us) SKUA_REQUIRES(loop_thread);
// The write commits by itself, was handed to the lane at `since_us`, and is the oldest of `handed` there.
LockHolder holder_of(const Request& write, std::uint64_t since_us, std::size_t handed, std::uint64_t now_us)
    SKUA_REQUIRES(loop_thread);
LockWaiter waiter_of(const Request& request, std::uint64_t now_us) SKUA_REQUIRES(loop_thread);

// "session 5 (python3, pid 77, uid 1000) has had it for 61.2 s in a transaction that ..."
std::string holder_clause(const LockHolder& holder);

}  // namespace skua
