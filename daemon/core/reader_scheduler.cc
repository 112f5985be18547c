#include "daemon/core/reader_scheduler.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "daemon/core/transaction.h"

namespace skua {

namespace {

// This part of a database's connections is for reads that are done with their first batch.
constexpr std::uint32_t kBriefPart = 16;
// How soon it is tried again to put a stream into a file whose time is over already.
constexpr std::uint64_t kRetryUs = 1'000'000;
// So long a thread waits for the client of a new stream to have read its first rows, while nobody sleeps.
constexpr std::uint64_t kHoldBackUs = 20;
// And so long if the last client that asked for the same read no more than those; who left sooner left early.
constexpr std::uint64_t kHoldBackUsMax = 1'000;
// The first batch is small then, too: making it is most of what a first row takes.
constexpr std::size_t kLeftEarlyBatchBytes = kLoopBatchBytes / 4;

// 0: what is left of a session that is gone.
std::uint64_t session_of(const Job& job) { return job.request != nullptr ? job.request->session_id : 0; }

}  // namespace

ReaderScheduler::ReaderScheduler(CoreContext& context, Delivery& delivery)
    : context_(context), delivery_(delivery), inline_reads_(context, delivery), spools_(context),
      kept_max_(kept_max(context.limits)), threads_(context.limits.reader_threads) {
  loop_thread.assert_here();
  for (std::size_t i = 0; i < context.database_names.size(); ++i) {
    databases_.emplace_back(context.limits.reader_connections_max);
  }
}

std::uint32_t ReaderScheduler::kept_max(const Limits& limits) {
  return limits.reader_connections_max - limits.reader_connections_max / kBriefPart;
}

ReaderScheduler::AtOnce ReaderScheduler::read_at_once(const std::shared_ptr<Request>& request) {
  if (databases_[request->database].is_closed) return AtOnce::kOnLane;
  const InlineReads::Admission admission = inline_reads_.admit(*request);
  if (admission == InlineReads::Admission::kLater) return AtOnce::kLater;
  if (admission == InlineReads::Admission::kNever || !inline_reads_.run(request)) return AtOnce::kOnLane;
  return request->is_ended() ? AtOnce::kEnded : AtOnce::kHeld;
}

void ReaderScheduler::on_turn_start() {
  while (const std::shared_ptr<Request> request = inline_reads_.take_deferred()) {
    if (databases_[request->database].is_closed || !inline_reads_.run(request)) {
      submit(request);
    } else if (!request->is_ended()) {
      park(request);
    }
  }
}

void ReaderScheduler::submit(const std::shared_ptr<Request>& request) {
  Database& database = databases_[request->database];
  database.waiting.push(request->session_id, request);
  lease_to_waiting(database);
  start_spools(request->database);
}

std::shared_ptr<Request> ReaderScheduler::take_waiting(Database& database, bool may_keep) {
  while (may_keep && !database.waiting_to_keep.empty()) {
    std::shared_ptr<Request> request = *database.waiting_to_keep.pop();
    if (!request->is_ended()) return request;
  }
  while (!database.waiting.empty()) {
    std::shared_ptr<Request> request = *database.waiting.pop();
    if (request->is_ended()) continue;
    if (may_keep || request->transaction == nullptr) return request;
    database.waiting_to_keep.push(request->session_id, request);
  }
  return nullptr;
}

void ReaderScheduler::lease_to_waiting(Database& database) {
  while (!database.gate_shut) {
    bool may_keep = database.kept_leases() < kept_max_;
    if (const std::shared_ptr<Request> group = next_group(database); group != nullptr) {
      if (lease_to_group(database, group)) continue;
      // What is kept for brief reads is still theirs, but nothing more.
      may_keep = false;
      if (database.brief_leases >= context_.limits.reader_connections_max - kept_max_) return;
    }
    if (database.pool.is_exhausted()) return;
    const std::shared_ptr<Request> request = take_waiting(database, may_keep);
    if (request == nullptr) return;
    const std::uint32_t slot = *database.pool.lease();
    request->slot = slot;
    const std::shared_ptr<Transaction>& holder = request->transaction;
    database.leases.push_back({slot, holder == nullptr ? request : nullptr, holder, context_.now_us, !may_keep});
    if (!may_keep) ++database.brief_leases;
    if (request->transaction != nullptr) {
      user_->on_lane_granted(request, slot);
    } else if (!start_at_once(request)) {
      run_for(request, JobKind::kRequest);
    }
  }
}

std::shared_ptr<Request> ReaderScheduler::next_group(Database& database) {
  const auto is_group = [](const Request& request) {
    loop_thread.assert_here();
    return request.transaction != nullptr && !request.transaction->siblings.empty();
  };
  while (!database.waiting.empty()) {
    const std::shared_ptr<Request> next = database.waiting.next();
    if (!next->is_ended() && !is_group(*next)) break;
    database.waiting.pop();
    if (!next->is_ended()) database.waiting_to_keep.push(next->session_id, next);
  }
  while (!database.waiting_to_keep.empty() && database.waiting_to_keep.next()->is_ended()) {
    // If it was a group, somebody else's turn begins now.
    context_.janitor.cancel(std::exchange(database.group_timer, 0));
    database.waiting_to_keep.pop();
  }
  if (database.waiting_to_keep.empty() || !is_group(*database.waiting_to_keep.next())) return nullptr;
  return database.waiting_to_keep.next();
}

bool ReaderScheduler::lease_to_group(Database& database, const std::shared_ptr<Request>& request) {
  const std::shared_ptr<Transaction>& leader = request->transaction;
  const std::size_t count = 1 + leader->siblings.size();
  if (database.pool.available() < count || kept_max_ - database.kept_leases() < count) {
    watch_group(database, request);
    return false;
  }
  context_.janitor.cancel(std::exchange(database.group_timer, 0));
  database.waiting_to_keep.pop();
  std::vector<std::uint32_t> slots;
  const auto lease_to = [&](const std::shared_ptr<Transaction>& transaction) {
    loop_thread.assert_here();
    slots.push_back(*database.pool.lease());
    database.leases.push_back({slots.back(), nullptr, transaction, context_.now_us, false});
  };
  lease_to(leader);
  for (const std::shared_ptr<Transaction>& sibling : leader->siblings) lease_to(sibling);
  request->slot = slots.front();
  user_->on_group_granted(request, slots);
  return true;
}

void ReaderScheduler::watch_group(Database& database, const std::shared_ptr<Request>& request) {
  if (database.group_timer != 0) return;
  const std::uint64_t wait_us = std::uint64_t{context_.limits.siblings_wait_ms_max} * 1000;
  database.group_timer = context_.janitor.add(context_.now_us + wait_us, [this, request] {
    loop_thread.assert_here();
    databases_[request->database].group_timer = 0;
    if (request->is_ended()) return lease_to_waiting(databases_[request->database]);
    user_->on_wait_over(
        request, make_error(ErrorCode::kLimit,
                            fmt::format("{} reader connections of '{}' were not free at once within {} ms "
                                        "(siblings_wait_ms_max; there are {} in all, reader_connections_max): retry later, or "
                                        "with fewer siblings",
                                        1 + request->transaction->siblings.size(),
                                        context_.database_names[request->database], context_.limits.siblings_wait_ms_max,
                                        context_.limits.reader_connections_max)));
  });
}

bool ReaderScheduler::start_at_once(const std::shared_ptr<Request>& request) {
  // A connection for brief reads is not for one that has more rows.
  if (databases_[request->database].leases.back().is_brief || !inline_reads_.may_start(*request)) return false;
  std::unique_ptr<Job> job = job_for(request, JobKind::kRequest);
  job->first_batch_bytes = inline_reads_.was_left_early(*request) ? kLeftEarlyBatchBytes : kLoopBatchBytes;
  if (!inline_reads_.start(*job)) return false;
  request->is_fresh = job->cursor_open;
  on_statement_done(*job);
  return true;
}

void ReaderScheduler::run_for(const std::shared_ptr<Request>& request, JobKind kind) { run(job_for(request, kind)); }

std::unique_ptr<Job> ReaderScheduler::job_for(const std::shared_ptr<Request>& request, JobKind kind) {
  auto job = std::make_unique<Job>();
  job->kind = kind;
  job->database = request->database;
  job->slot = request->slot;
  job->request = request;
  job->read_only = false;
  if (kind == JobKind::kRequest) job->without_cursor = databases_[request->database].leases.back().is_brief;
  return job;
}

void ReaderScheduler::run(std::unique_ptr<Job> job) {
  const std::uint64_t session_id = session_of(*job);
  // Until it has a thread it can be stopped like any request that waits; its job then finds the token cancelled.
  if (job->request != nullptr && !job->request->is_ended()) job->request->stage = Request::Stage::kQueued;
  ready_.push(session_id, std::move(job));
  feed_threads();
}

void ReaderScheduler::feed_threads() {
  const auto may_take = [this](std::uint64_t session_id) {
    loop_thread.assert_here();
    return threads_.may_take(session_id);
  };
  while (threads_.has_free()) {
    auto next = ready_.pop(may_take);
    if (!next) break;
    std::unique_ptr<Job> job = std::move(*next);
    threads_.take(session_of(*job));
    if (job->request != nullptr && !job->request->is_ended()) job->request->stage = Request::Stage::kRunning;
    if (job->kind == JobKind::kContinue && job->transaction == nullptr) begin_run(job->request);
    if (takes_snapshot(*job)) for_leases_of(*job, [this](ReaderLease& lease) { lease.since_us = context_.now_us; });
    job->at_once = inline_reads_.may_run_at_once(*job);
    context_.run_on_reader(std::move(job));
  }
  if (ready_.empty()) return;
  // Their batches under way are their last: the threads are for all.
  for (const std::shared_ptr<Request>& request : running_) let_run_on(*request);
}

void ReaderScheduler::begin_run(const std::shared_ptr<Request>& request) {
  if (request->spool != nullptr || request->is_ended()) return;
  // Only while there is plenty: others would have to wait for what it may never use.
  if (context_.memory.responses() + kRunAheadBytes > context_.limits.response_memory_bytes_max / 2) return;
  context_.memory.under_way += kRunAheadBytes;
  running_.push_back(request);
  let_run_on(*request);
}

void ReaderScheduler::end_run(const std::shared_ptr<Request>& request) {
  if (std::erase(running_, request) == 0) return;
  context_.memory.under_way -= kRunAheadBytes;
  request->wanted_bytes.store(0, std::memory_order_relaxed);
}

void ReaderScheduler::let_run_on(Request& request) {
  if (!ready_.empty() || is_needed(databases_[request.database]) || spools_.is_lease_over(request)) {
    request.wanted_bytes.store(0, std::memory_order_relaxed);
  } else {
    delivery_.update_wanted(request);
  }
}

void ReaderScheduler::on_interim(Job& job) {
  const std::shared_ptr<Request>& request = job.request;
  charge(job);
  delivery_.deliver(job);
  if (request->is_ended()) return;
  delivery_.begin_batch(*request);  // the next one
  if (std::find(running_.begin(), running_.end(), request) != running_.end()) let_run_on(*request);
}

void ReaderScheduler::on_thread_free(const Job& job) {
  threads_.give_back(session_of(job));
  charge(job);
  if (job.is_inside_transaction()) inline_reads_.on_lane_run(job);
  feed_threads();
}

void ReaderScheduler::charge(const Job& job) {
  ready_.charge(session_of(job), job.lane_us);
  databases_[job.database].waiting.charge(session_of(job), job.lane_us);
  databases_[job.database].waiting_to_keep.charge(session_of(job), job.lane_us);
}

void ReaderScheduler::release(std::uint16_t database, std::uint32_t slot) {
  databases_[database].pool.release(slot);
  std::vector<ReaderLease>& leases = databases_[database].leases;
  const auto found =
      std::find_if(leases.begin(), leases.end(), [slot](const ReaderLease& lease) { return lease.slot == slot; });
  SKUA_CHECK(found != leases.end());
  if (found->is_brief) --databases_[database].brief_leases;
  leases.erase(found);
  lease_to_waiting(databases_[database]);
}

void ReaderScheduler::on_job_done(std::unique_ptr<Job> job) {
  const std::uint16_t database = job->database;
  switch (job->kind) {
    case JobKind::kSpoolDrop: return;
    case JobKind::kClose: release(database, job->slot); break;
    case JobKind::kSpool: on_slice_done(*job); break;
    case JobKind::kSpoolRead: on_read_done(*job); break;
    default: on_statement_done(*job);
  }
  start_spools(database);
}

void ReaderScheduler::on_statement_done(Job& job) {
  const std::shared_ptr<Request> request = job.request;
  end_run(request);
  request->cursor_open = job.cursor_open;
  inline_reads_.on_lane_run(job);
  if (job.needs_writer || job.needs_cursor) {
    release(job.database, job.slot);
    if (has_ended(request)) return;
    request->stage = Request::Stage::kQueued;
    if (job.needs_cursor) {
      databases_[job.database].waiting_to_keep.push(request->session_id, request);
      return lease_to_waiting(databases_[job.database]);
    }
    request->slot = kWriterSlot;
    return user_->on_statement_writes(request);
  }
  if (!request->is_ended()) delivery_.deliver(job);
  if (!request->cursor_open) {
    if (job.kind == JobKind::kContinue && !request->token.is_cancelled()) inline_reads_.on_read_to_end(*request);
    release(job.database, job.slot);
    if (!has_ended(request)) park(request);  // frames are held for want of credit
    return;
  }
  if (job.kind == JobKind::kRequest) {
    spools_.start_lease(*request);
    watch_leases(job.database);
  }
  if (has_ended(request)) return;
  request->is_fresh ? hold_back(request) : go_on(request);
}

bool ReaderScheduler::has_ended(const std::shared_ptr<Request>& request) {
  if (!request->is_ended() && request->token.is_cancelled()) {
    delivery_.fail(request, stopped_error(request->token.reason()));
  }
  if (request->is_ended()) close_cursor(request);
  return request->is_ended();
}

void ReaderScheduler::park(const std::shared_ptr<Request>& request) {
  delivery_.park(request, [this, request] {
    loop_thread.assert_here();
    request->idle_timer = 0;
    const bool was_parked = request->stage == Request::Stage::kParked;
    delivery_.fail(request,
                   make_error(ErrorCode::kLimit, fmt::format("the stream was granted no credit for {} ms "
                                                             "(stream_idle_ms_max)",
                                                             context_.limits.stream_idle_ms_max)));
    // Else a slice of it is under way, and closes it when it is back.
    request->token.cancel(CancelReason::kLimit);
    if (was_parked) close_cursor(request);
  });
}

void ReaderScheduler::resume(const std::shared_ptr<Request>& request) {
  if (std::find(running_.begin(), running_.end(), request) != running_.end()) return let_run_on(*request);
  if (request->stage != Request::Stage::kParked) return;
  delivery_.send_held(request);
  if (request->is_ended() || !request->held.empty()) return;
  if (!request->cursor_open && request->spool == nullptr) return;
  if (delivery_.may_continue(*request)) go_on(request);
}

void ReaderScheduler::close_cursor(const std::shared_ptr<Request>& request) {
  if (!request->cursor_open) return;
  request->cursor_open = false;
  run_for(request, JobKind::kClose);
}

// ---- streams

void ReaderScheduler::go_on(const std::shared_ptr<Request>& request) {
  using State = StreamSpool::State;
  const bool may_take = request->held.empty() && delivery_.may_continue(*request);
  const bool needed = is_needed(databases_[request->database]);
  const bool wants_file =
      request->spool == nullptr && (needed || spools_.is_lease_over(*request)) && spools_.may_begin(needed);
  if (wants_file) spools_.begin(*request);
  if (may_take) {
    delivery_.unpark(request);
  } else {
    park(request);  // its client has to grant credit in time, whatever is done meanwhile
  }
  request->is_fresh = false;
  const StreamSpool* spool = request->spool.get();
  if (spool != nullptr && spool->state == State::kFull && !spool->has_rows) {
    spools_.end_full(*request);
    watch_leases(request->database);
    spool = nullptr;
  }
  const bool fills = spool != nullptr && spool->state == State::kFilling;
  if (fills && (!may_take || !spool->has_rows || spool->reads_left == 0)) return run(spools_.make_slice(request));
  if (!may_take) return;
  delivery_.begin_batch(*request);
  if (spool != nullptr) return run(spools_.make_read(request));
  run_for(request, JobKind::kContinue);
}

void ReaderScheduler::hold_back(const std::shared_ptr<Request>& request) {
  const bool was_left_early = inline_reads_.was_left_early(*request);
  if (!context_.is_awake && !was_left_early) return go_on(request);
  park(request);
  held_back_.push_back({request, context_.now_us + (was_left_early ? kHoldBackUsMax : kHoldBackUs), was_left_early});
  if (was_left_early) watch_held_back();
}

void ReaderScheduler::start_held_back(bool before_sleep) {
  std::vector<HeldBack> due;
  std::erase_if(held_back_, [&](HeldBack& held) {
    loop_thread.assert_here();
    if (!held.request->is_fresh || held.request->is_ended()) return true;
    if (held.until_us > context_.now_us && (held.was_left_early || !before_sleep)) return false;
    due.push_back(std::move(held));
    return true;
  });
  for (const HeldBack& held : due) {
    if (held.was_left_early) inline_reads_.on_waited_in_vain(*held.request);
    resume(held.request);
  }
}

void ReaderScheduler::watch_held_back() {
  // Those who are waited for come in the order of their times.
  const auto first = std::find_if(held_back_.begin(), held_back_.end(), [](const HeldBack& held) { return held.was_left_early; });
  if (held_back_timer_ != 0 || first == held_back_.end()) return;
  held_back_timer_ = context_.janitor.add(first->until_us, [this] {
    loop_thread.assert_here();
    held_back_timer_ = 0;
    start_held_back(true);
    watch_held_back();
  });
}

void ReaderScheduler::on_slice_done(Job& job) {
  const std::shared_ptr<Request> request = job.request;
  request->cursor_open = job.cursor_open;
  spools_.on_slice_done(*request, job);
  if (job.error != nullptr) delivery_.fail(request, *job.error);
  if (!request->cursor_open) release(job.database, job.slot);
  watch_leases(job.database);
  if (has_ended(request)) return;
  delivery_.send_held(request);
  go_on(request);
}

void ReaderScheduler::on_read_done(Job& job) {
  const std::shared_ptr<Request> request = job.request;
  spools_.on_read_done(*request, job);
  delivery_.deliver(job);
  if (has_ended(request)) return;
  if (request->last_is_held) return park(request);
  go_on(request);
}

void ReaderScheduler::start_spools(std::uint16_t index) {
  Database& database = databases_[index];
  const bool needed = is_needed(database);
  if ((!database.has_overdue && !needed) || !spools_.may_begin(needed)) return;
  for (const ReaderLease& lease : std::vector(database.leases)) {
    if (!spools_.may_begin(needed)) return;
    const std::shared_ptr<Request>& request = lease.request;
    if (request == nullptr || request->stage != Request::Stage::kParked) continue;
    if (!request->cursor_open || request->spool != nullptr) continue;
    if (needed || spools_.is_lease_over(*request)) go_on(request);
  }
  database.has_overdue = false;
}

void ReaderScheduler::press(std::uint16_t database, bool pressed) {
  databases_[database].pressed = pressed;
  start_spools(database);
}

void ReaderScheduler::watch_leases(std::uint16_t index) {
  Database& database = databases_[index];
  if (database.lease_timer != 0) return;
  // No later than a lease that begins now would end.
  const std::uint64_t retry_us = std::min(kRetryUs, std::uint64_t{context_.limits.stream_lease_ms_max} * 1000);
  std::uint64_t next_us = UINT64_MAX;
  for (const ReaderLease& lease : database.leases) {
    if (lease.request == nullptr) continue;
    const std::uint64_t time_us = spools_.time_us_of(*lease.request);
    next_us = std::min(next_us, time_us > context_.now_us ? time_us : context_.now_us + retry_us);
  }
  if (next_us == UINT64_MAX) return;
  database.lease_timer = context_.janitor.add(next_us, [this, index] {
    loop_thread.assert_here();
    databases_[index].lease_timer = 0;
    on_lease_timer(index);
  });
}

void ReaderScheduler::on_lease_timer(std::uint16_t index) {
  for (const ReaderLease& lease : std::vector(databases_[index].leases)) {
    const std::shared_ptr<Request>& request = lease.request;
    if (request == nullptr || request->spool == nullptr || request->spool->state != StreamSpool::State::kFull) continue;
    if (spools_.time_us_of(*request) > context_.now_us) continue;
    const bool was_parked = request->stage == Request::Stage::kParked;
    delivery_.fail(request, spools_.full_error(*request));
    if (was_parked) close_cursor(request);
  }
  databases_[index].has_overdue = true;
  start_spools(index);
  watch_leases(index);
}

void ReaderScheduler::on_turn_end() {
  inline_reads_.on_turn_end();
  if (!held_back_.empty()) start_held_back(false);
  for (std::shared_ptr<SpoolFile>& file : std::exchange(context_.spools.dropped, {})) {
    auto job = std::make_unique<Job>();
    job->kind = JobKind::kSpoolDrop;
    job->slot = kNoSlot;
    job->spool_file = std::move(file);
    run(std::move(job));
  }
}

void ReaderScheduler::stop(const std::shared_ptr<Request>& request, CancelReason reason) {
  if (request->is_ended()) return;
  request->token.cancel(reason);
  const Request::Stage stage = request->stage;
  if (stage == Request::Stage::kRunning) return;  // its job comes back with the error
  delivery_.fail(request, stopped_error(reason));
  if (stage == Request::Stage::kParked) close_cursor(request);
}

bool ReaderScheduler::takes_snapshot(const Job& job) {
  if (job.kind == JobKind::kBegin) return true;
  return job.kind == JobKind::kRequest && (job.transaction == nullptr || (job.pinned && job.transaction->cursors.empty()));
}

template <class Visitor>
void ReaderScheduler::for_leases_of(const Job& job, const Visitor& visitor) {
  for (ReaderLease& lease : databases_[job.database].leases) {
    const bool is_of_group = std::find(job.group_slots.begin(), job.group_slots.end(), lease.slot) != job.group_slots.end();
    if (lease.slot == job.slot || is_of_group) visitor(lease);
  }
}

void ReaderScheduler::shut_gate(std::uint16_t database) {
  SKUA_CHECK(!databases_[database].gate_shut);
  databases_[database].gate_shut = true;
  databases_[database].at_gate = ready_.take_if([database](const std::unique_ptr<Job>& job) {
    loop_thread.assert_here();
    return job->database == database && takes_snapshot(*job);
  });
  for (const std::unique_ptr<Job>& job : databases_[database].at_gate) {
    for_leases_of(*job, [](ReaderLease& lease) { lease.is_at_gate = true; });
  }
}

void ReaderScheduler::open_gate(std::uint16_t database) {
  databases_[database].gate_shut = false;
  std::vector<std::unique_ptr<Job>> jobs = std::exchange(databases_[database].at_gate, {});
  for (auto job = jobs.rbegin(); job != jobs.rend(); ++job) {
    for_leases_of(**job, [](ReaderLease& lease) { lease.is_at_gate = false; });
    const std::uint64_t session_id = session_of(**job);
    ready_.push_front(session_id, std::move(*job));
  }
  feed_threads();
  lease_to_waiting(databases_[database]);
}

bool ReaderScheduler::is_gate_shut(std::uint16_t database) const { return databases_[database].gate_shut; }

const std::vector<ReaderLease>& ReaderScheduler::leases(std::uint16_t database) const {
  return databases_[database].leases;
}

std::size_t ReaderScheduler::connections_opened() const {
  std::size_t sum = 0;
  for (const Database& database : databases_) sum += database.pool.opened();
  return sum;
}

std::size_t ReaderScheduler::connections_leased() const {
  std::size_t sum = 0;
  for (const Database& database : databases_) sum += database.pool.leased();
  return sum;
}

std::size_t ReaderScheduler::waiting() const {
  std::size_t sum = ready_.size() + inline_reads_.waiting();
  for (const Database& database : databases_) {
    sum += database.waiting.size() + database.waiting_to_keep.size() + database.at_gate.size();
  }
  return sum;
}

}  // namespace skua
