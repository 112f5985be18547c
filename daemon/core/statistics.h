// What `stats` says of the daemon, by name: counters since its start, and how much there is of things now. Loop thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/core/context.h"
#include "daemon/core/reader_scheduler.h"
#include "daemon/core/transaction_manager.h"
#include "daemon/core/wal_budget.h"
#include "daemon/core/write_scheduler.h"

namespace skua {

using Statistic = std::pair<std::string_view, std::uint64_t>;

std::vector<Statistic> daemon_statistics(const CoreContext& context, const ReaderScheduler& readers,
                                         const WriteScheduler& writers, const TransactionManager& transactions,
                                         const WalBudget& wal_budget) SKUA_REQUIRES(loop_thread);

}  // namespace skua
