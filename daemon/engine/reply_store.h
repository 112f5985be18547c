// ReplyStore: the replies to requests with an idempotency key, in the database they write to.
//
// The reply is stored in the transaction of the request itself, so that a client that lost the answer may send the request
// again and is told what the first one did. Table skua_replies, made by the first such request. Inside a write transaction,
// on the writer's thread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "daemon/core/request.h"
#include "daemon/engine/connection.h"

namespace skua {

class ReplyStore {
 public:
  explicit ReplyStore(Connection& connection) : connection_(connection) {}

  // The answer to give, under the request's own id, if its key was seen before. An error if that was another request's key.
  Result<std::optional<Frame>> find(const Request& request);
  // Remembers the answer, for as long as DatabaseOptions::idempotency_keep_ms at least.
  Status keep(const Request& request, const std::vector<Frame>& answer);

 private:
  Connection& connection_;
};

}  // namespace skua
