#include "daemon/core/sibling_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "daemon/core/reader_scheduler.h"

namespace skua {

std::uint32_t pins_max(const Limits& limits) {
  return std::min(limits.pinned_connections_max, limits.reader_connections_max - 1);
}

Status check_siblings(wire::Begin::Reader begin, std::uint32_t number, const SessionState& session,
                      const Limits& limits) {
  const auto siblings = begin.getSiblings();
  if (siblings.size() == 0) return {};
  if (begin.getMode() != wire::TransactionMode::READ) {
    return make_error(ErrorCode::kProtocol, "only read transactions have siblings: a database has one writer");
  }
  const std::size_t count = std::size_t{1} + siblings.size();
  if (session.transactions.size() + count > limits.transactions_per_session_max) {
    return make_error(ErrorCode::kLimit, fmt::format("{} transactions are open in this session and {} more are asked for, the most "
                                                     "is {} (transactions_per_session_max)",
                                                     session.transactions.size(), count,
                                                     limits.transactions_per_session_max));
  }
  const std::uint32_t kept = ReaderScheduler::kept_max(limits);
  const std::uint32_t shared = std::max(kept, pins_max(limits) + 1) - pins_max(limits);
  if (count > shared) {
    return make_error(ErrorCode::kLimit,
                      fmt::format("{} transactions that share a snapshot are asked for, the most is {} (reader_connections_max "
                                  "without a sixteenth and without pinned_connections_max): each has a connection",
                                  count, shared));
  }
  std::vector<std::uint32_t> numbers = {number};
  for (const std::uint32_t sibling : siblings) numbers.push_back(sibling);
  std::sort(numbers.begin(), numbers.end());
  if (numbers.front() == 0) return make_error(ErrorCode::kProtocol, "a sibling needs a transaction number other than 0");
  if (const auto twice = std::adjacent_find(numbers.begin(), numbers.end()); twice != numbers.end()) {
    return make_error(ErrorCode::kProtocol, fmt::format("transaction {} is named twice by one begin", *twice));
  }
  for (const std::uint32_t sibling : numbers) {
    if (!session.transactions.contains(sibling)) continue;
    return make_error(ErrorCode::kTransactionState, fmt::format("transaction {} is in use: end it, or take another number for the "
                                                                "sibling",
                                                                sibling));
  }
  return {};
}

}  // namespace skua
