#include "daemon/core/statistics.h"

namespace skua {

std::vector<Statistic> daemon_statistics(const CoreContext& context, const ReaderScheduler& readers,
                                         const WriteScheduler& writers, const TransactionManager& transactions,
                                         const WalBudget& wal_budget) {
  const Counters& counters = context.counters;
  const InlineReads::Statistics& inline_reads = readers.inline_reads().statistics();
  const WalBudget::Statistics wal = wal_budget.statistics();
  return {
      {"sessions_total", counters.sessions_total},
      {"requests_total", counters.requests_total},
      {"requests_cancelled", counters.requests_cancelled},
      {"deadlines_passed", counters.deadlines_passed},
      {"errors_total", counters.errors_total},
      {"transactions_open", transactions.open_count()},
      {"transactions_total", counters.transactions_total},
      {"transactions_aborted", counters.transactions_aborted},
      {"reader_connections", readers.connections_opened()},
      {"reader_connections_leased", readers.connections_leased()},
      {"reads_waiting", readers.waiting()},
      {"reads_inline_total", inline_reads.reads},
      {"reads_inline_overruns_total", inline_reads.overruns},
      {"reads_inline_deferred_total", inline_reads.deferred},
      {"writers_busy", writers.busy()},
      {"writes_waiting", writers.waiting()},
      {"row_bytes_sent", counters.rows_bytes_sent},
      {"request_memory_bytes", context.memory.requests},
      {"response_memory_bytes", context.memory.responses()},
      {"streams_spooled_total", context.spools.streams_total},
      {"spool_bytes", context.spools.bytes},
      {"wal_bytes", wal.bytes},
      {"wal_bytes_largest", wal.bytes_largest},
      {"checkpoints_total", wal.checkpoints},
      {"checkpoints_blocked_total", wal.checkpoints_blocked},
      {"wal_drains_total", wal.drains},
      {"wal_pinned_by_session", wal.pinned_by_session},
      {"wal_pinned_ms", wal.pinned_ms},
  };
}

}  // namespace skua
