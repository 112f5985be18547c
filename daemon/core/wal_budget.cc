#include "daemon/core/wal_budget.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace skua {

namespace {

// A database to which nothing was written for this long has its log emptied.
constexpr std::uint64_t kQuietUs = 1'000'000;
// After a checkpoint that failed the next one is tried when the log has grown by this part of its budget.
constexpr std::uint64_t kRetryPart = 8;
// In this last part of a grace no write begins.
constexpr std::uint64_t kNearlyOverPart = 10;
constexpr std::size_t kLoggedSqlBytes = 200;

bool holds_snapshot(const ReaderLease& lease) SKUA_REQUIRES(loop_thread) {
  if (lease.is_at_gate) return false;
  const Transaction* transaction = lease.transaction.get();
  // Between the statements on a session's own connection SQLite has none open.
  return transaction == nullptr || !transaction->pinned || transaction->job_running || !transaction->cursors.empty();
}

// Since when it has the snapshot, at the earliest.
std::uint64_t since_us_of(const ReaderLease& lease) SKUA_REQUIRES(loop_thread) {
  const Transaction* transaction = lease.transaction.get();
  if (transaction == nullptr || !transaction->pinned) return lease.since_us;
  std::uint64_t since_us = transaction->running != nullptr ? transaction->running->arrival_us : UINT64_MAX;
  for (const auto& request : transaction->cursors) since_us = std::min(since_us, request->arrival_us);
  return std::max(since_us, lease.since_us);
}

const SessionState* session_of(const ReaderLease& lease) SKUA_REQUIRES(loop_thread) {
  return lease.transaction != nullptr ? lease.transaction->session : lease.request->session;
}

// What it reads, as far as it is known: a read transaction may do nothing at the moment.
std::string_view sql_of(const ReaderLease& lease) SKUA_REQUIRES(loop_thread) {
  if (lease.request != nullptr) return lease.request->sql;
  const Transaction& transaction = *lease.transaction;
  if (transaction.running != nullptr && !transaction.running->sql.empty()) return transaction.running->sql;
  return transaction.cursors.empty() ? "(a read transaction without a statement)" : transaction.cursors.front()->sql;
}

}  // namespace

WalBudget::WalBudget(CoreContext& context, ReaderScheduler& readers, WriteScheduler& writers,
                     TransactionManager& transactions)
    : context_(context), readers_(readers), writers_(writers), transactions_(transactions) {
  loop_thread.assert_here();
  logs_.resize(context.database_names.size());
}

// ---- states

void WalBudget::move(std::uint16_t database, State to) {
  // The moves that wal_budget.h draws.
  static constexpr std::array<std::pair<State, State>, 10> kMoves = {{
      {State::kIdle, State::kWanted},
      {State::kWanted, State::kIdle},
      {State::kWanted, State::kAsking},
      {State::kAsking, State::kIdle},
      {State::kAsking, State::kGrace},
      {State::kGrace, State::kWanted},
      {State::kGrace, State::kEnding},
      {State::kGrace, State::kEmptying},
      {State::kEnding, State::kEmptying},
      {State::kEmptying, State::kIdle},
  }};
  Log& log = logs_[database];
  SKUA_CHECK(std::find(kMoves.begin(), kMoves.end(), std::pair(log.state, to)) != kMoves.end());
  log.state = to;
  if (to != State::kGrace) {
    context_.janitor.cancel(std::exchange(log.grace_timer, 0));
    log.grace_is_nearly_over = false;
  }
  if (to == State::kIdle) log.insists = false;
}

void WalBudget::check_invariants(std::uint16_t database) const {
  const Log& log = logs_[database];
  SKUA_CHECK(readers_.is_gate_shut(database) == shuts_gate(log.state));
  SKUA_CHECK((log.grace_timer != 0) == (log.state == State::kGrace));
  // Whoever waits at the gate does not wait for a transaction.
  if (log.state == State::kAsking || log.state == State::kEmptying) SKUA_CHECK(log.checkpoint_runs);
  if (shuts_gate(log.state) || log.state == State::kAsking) SKUA_CHECK(!writers_.is_owned(database));
}

void WalBudget::on_report(std::uint16_t database, const WalReport& report) {
  Log& log = logs_[database];
  log.report = report;
  log.reported_us = context_.now_us;
  const std::uint64_t half_bytes = context_.limits.wal_bytes_max / 2;
  if (report.bytes <= half_bytes) log.retry_bytes = 0;
  const bool over = report.bytes > half_bytes && report.bytes >= log.retry_bytes;
  // A log that is emptied in time never gets so long. What streams keep of it has to go before it is at its half.
  readers_.press(database, report.bytes > half_bytes / 2);
  if (log.state == State::kIdle && over) move(database, State::kWanted);
  if (log.state == State::kWanted && !over) move(database, State::kIdle);
  set_admissions(database);
  watch_quiet(database);
}

void WalBudget::advance(std::uint16_t database) {
  const Log& log = logs_[database];
  const bool lane_can_be_had = log.insists ? writers_.is_free(database) : !writers_.is_owned(database);
  if (log.state == State::kWanted && lane_can_be_had && !log.checkpoint_runs) {
    move(database, State::kAsking);
    start_checkpoint(database);
  }
  if (log.state == State::kGrace && !has_snapshots(database) && writers_.is_free(database)) {
    move(database, State::kEmptying);
    start_checkpoint(database);
  }
  if (log.state == State::kEnding && !has_snapshots(database)) {
    move(database, State::kEmptying);
    start_checkpoint(database);
  }
  set_admissions(database);
  check_invariants(database);
}

void WalBudget::start_checkpoint(std::uint16_t database) {
  logs_[database].checkpoint_runs = true;
  auto job = std::make_unique<Job>();
  job->kind = JobKind::kCheckpoint;
  job->database = database;
  context_.run_on_writer(std::move(job));
}

void WalBudget::on_checkpoint_done(const Job& job) {
  const std::uint16_t database = job.database;
  Log& log = logs_[database];
  log.checkpoint_runs = false;
  if (log.state != State::kAsking && log.state != State::kEmptying) return;  // of a quiet database
  if (log.state == State::kAsking && !job.log_emptied && job.error == nullptr) return start_grace(database);
  if (!job.log_emptied) {
    spdlog::error("database '{}': its log cannot be emptied: {}", context_.database_names[database],
                  job.error != nullptr ? job.error->message : "it is still read");
    log.retry_bytes = log.report.bytes + context_.limits.wal_bytes_max / kRetryPart;
  } else if (log.state == State::kEmptying) {
    spdlog::info("database '{}': its log was emptied {} ms after reads were first held back",
                 context_.database_names[database], (context_.now_us - log.grace_since_us) / 1000);
  }
  move(database, State::kIdle);
}

void WalBudget::start_grace(std::uint16_t database) {
  Log& log = logs_[database];
  move(database, State::kGrace);
  ++drains_;
  log.grace_since_us = context_.now_us;
  readers_.shut_gate(database);  // so that it is known who has a snapshot
  remember_offender(database);
  const std::uint64_t long_us = grace_us() - grace_us() / kNearlyOverPart;
  log.grace_timer = context_.janitor.add(log.grace_since_us + long_us, [this, database] {
    loop_thread.assert_here();
    on_grace_nearly_over(database);
  });
}

void WalBudget::on_grace_nearly_over(std::uint16_t database) {
  Log& log = logs_[database];
  log.grace_is_nearly_over = true;
  log.grace_timer = context_.janitor.add(log.grace_since_us + grace_us(), [this, database] {
    loop_thread.assert_here();
    logs_[database].grace_timer = 0;
    on_grace_over(database);
  });
  set_admissions(database);
}

void WalBudget::on_grace_over(std::uint16_t database) {
  if (writers_.is_free(database)) {
    move(database, State::kEnding);
    end_snapshots(database);
  } else {
    // A long write has the lane. Reads go on meanwhile.
    logs_[database].insists = true;
    move(database, State::kWanted);
  }
  advance(database);
}

void WalBudget::end_snapshots(std::uint16_t database) {
  std::size_t ended = 0;
  for (const ReaderLease& lease : std::vector(readers_.leases(database))) {
    if (!holds_snapshot(lease)) continue;
    ++ended;
    if (lease.transaction != nullptr) {
      transactions_.end_snapshot(lease.transaction);
    } else {
      readers_.stop(lease.request, CancelReason::kWalBudget);
    }
  }
  spdlog::warn("database '{}': {} reads that went on for wal_drain_ms_max ({} ms) are ended, so that the log can be emptied",
               context_.database_names[database], ended, context_.limits.wal_drain_ms_max);
}

void WalBudget::set_admissions(std::uint16_t database) {
  const Log& log = logs_[database];
  WriteAdmission writes = WriteAdmission::kSingles;
  const bool only_lane_is_waited_for = log.state == State::kGrace && !has_snapshots(database);
  const bool at_budget = log.report.bytes > context_.limits.wal_bytes_max;
  if (at_budget || log.insists || only_lane_is_waited_for || log.grace_is_nearly_over) writes = WriteAdmission::kNone;
  if (log.state == State::kEnding || log.state == State::kEmptying) writes = WriteAdmission::kNone;
  if (log.state == State::kIdle) writes = WriteAdmission::kAll;
  writers_.admit(database, writes);

  readers_.set_closed(database, log.state == State::kEmptying);
  if (shuts_gate(log.state) || !readers_.is_gate_shut(database)) return;
  readers_.open_gate(database);
  for (const ReaderLease& lease : std::vector(readers_.leases(database))) {
    if (lease.transaction != nullptr && lease.transaction->pinned) transactions_.on_gate_opened(lease.transaction);
  }
}

void WalBudget::watch_quiet(std::uint16_t database) {
  Log& log = logs_[database];
  if (log.quiet_timer != 0 || log.report.bytes == 0) return;
  log.quiet_timer = context_.janitor.add(log.reported_us + kQuietUs, [this, database] {
    loop_thread.assert_here();
    Log& quiet = logs_[database];
    quiet.quiet_timer = 0;
    if (quiet.report.bytes == 0) return;
    const bool is_busy = quiet.state != State::kIdle || quiet.checkpoint_runs || !writers_.is_free(database);
    if (is_busy) quiet.reported_us = context_.now_us;
    // What a reader needs is tried again when the checkpoint has come back with its report.
    if (context_.now_us >= quiet.reported_us + kQuietUs) return start_checkpoint(database);
    watch_quiet(database);
  });
}

// ---- readers

bool WalBudget::has_snapshots(std::uint16_t database) const {
  for (const ReaderLease& lease : readers_.leases(database)) {
    if (holds_snapshot(lease)) return true;
  }
  return false;
}

const ReaderLease* WalBudget::oldest_snapshot(std::uint16_t database) const {
  const ReaderLease* oldest = nullptr;
  for (const ReaderLease& lease : readers_.leases(database)) {
    if (!holds_snapshot(lease)) continue;
    if (oldest == nullptr || since_us_of(lease) < since_us_of(*oldest)) oldest = &lease;
  }
  return oldest;
}

void WalBudget::remember_offender(std::uint16_t database) {
  const ReaderLease* lease = oldest_snapshot(database);
  if (lease == nullptr) return;  // it has ended since
  const SessionState* session = session_of(*lease);
  pinned_by_session_ = session != nullptr ? session->id : 0;
  const std::uint64_t since_us = std::min(since_us_of(*lease), context_.now_us);
  pinned_ms_ = (context_.now_us - since_us) / 1000;
  spdlog::warn(
      "database '{}': its log has {} bytes and cannot be emptied: session {} (pid {} {}, client '{}') has read for {} "
      "ms: {}",
      context_.database_names[database], logs_[database].report.bytes, pinned_by_session_,
      session != nullptr ? session->peer.pid : 0, session != nullptr ? session->peer.command : "gone",
      session != nullptr ? session->client_name : "", pinned_ms_, sql_of(*lease).substr(0, kLoggedSqlBytes));
}

WalBudget::Statistics WalBudget::statistics() const {
  Statistics sum;
  for (const Log& log : logs_) {
    sum.bytes += log.report.bytes;
    sum.bytes_largest = std::max(sum.bytes_largest, log.report.bytes);
    sum.checkpoints += log.report.checkpoints;
    sum.checkpoints_blocked += log.report.checkpoints_blocked;
  }
  sum.drains = drains_;
  sum.pinned_by_session = pinned_by_session_;
  sum.pinned_ms = pinned_ms_;
  return sum;
}

}  // namespace skua
