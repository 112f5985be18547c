// Summary: what a finished statement says of itself. Any thread.
#pragma once

#include <cstdint>

#include "protocol/error.h"

namespace skua {

struct Summary {
  std::uint64_t changes = 0;             // rows inserted, updated or deleted by the request itself, not by triggers
  std::int64_t last_insert_rowid = 0;    // 0 if it inserted none
  TransactionState transaction = TransactionState::kNone;  // after the request
  std::uint64_t row_count = 0;           // rows returned
  std::uint64_t server_us = 0;           // microseconds in the daemon, from arrival to the end
};

}  // namespace skua
