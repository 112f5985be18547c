// LaneUser: what the schedulers ask of the TransactionManager, and of each other.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "daemon/core/request.h"
#include "protocol/error.h"

namespace skua {

class LaneUser {
 public:
  virtual ~LaneUser() = default;
  // The request opens a transaction, which now has the connection until it releases it.
  virtual void on_lane_granted(const std::shared_ptr<Request>& request, std::uint32_t slot)
      SKUA_REQUIRES(loop_thread) = 0;
  // The request opens several read transactions, each of which now has one of the connections, in the same way.
  virtual void on_group_granted(const std::shared_ptr<Request>& request, const std::vector<std::uint32_t>& slots)
      SKUA_REQUIRES(loop_thread) = 0;
  // The request waited for the connection for longer than it may.
  virtual void on_wait_over(const std::shared_ptr<Request>& request, Error error) SKUA_REQUIRES(loop_thread) = 0;
  // A reader lane found that the statement writes.
  virtual void on_statement_writes(const std::shared_ptr<Request>& request) SKUA_REQUIRES(loop_thread) = 0;
};

}  // namespace skua
