#include "daemon/core/inline_reads.h"

namespace skua {

InlineReads::InlineReads(CoreContext& context, Delivery& delivery) : context_(context), delivery_(delivery) {
  loop_thread.assert_here();
  databases_ = std::vector<Database>(context.database_names.size());
}

bool InlineReads::is_eligible(const Request& request) {
  return request.kind == wire::Request::EXECUTE && request.statement.statement_class == StatementKind::Class::kRead &&
         request.sql.size() <= ReadHistory::kSqlBytesMax;
}

InlineReads::Admission InlineReads::admit(const Request& request) {
  if (!is_eligible(request) || !databases_[request.database].history.is_short(request.sql)) return Admission::kNever;
  SessionState& session = *request.session;
  if (session.inline_turn != turn_) {
    session.inline_turn = turn_;
    session.inline_reads = 0;
  }
  if (reads_in_turn_ >= kPerTurnMax || session.inline_reads >= kPerSessionMax) return Admission::kLater;
  ++session.inline_reads;
  return Admission::kNow;
}

bool InlineReads::run(const std::shared_ptr<Request>& request) {
  Database& database = databases_[request->database];
  ++reads_in_turn_;
  job_.forget_outcome();
  job_.database = request->database;
  job_.slot = kInlineSlot;
  job_.request = request;
  const InlineRead outcome = context_.executor.read_inline(job_);
  if (outcome != InlineRead::kRefused) {
    database.history.on_inline_run(request->sql, outcome == InlineRead::kDone && was_short(job_));
    ++database.reads;
    watch_idle(request->database);
  }
  if (outcome == InlineRead::kOverrun) ++statistics_.overruns;
  if (outcome == InlineRead::kDone) {
    ++statistics_.reads;
    request->slot = kInlineSlot;
    delivery_.deliver(job_);
  }
  job_.request = nullptr;
  return outcome == InlineRead::kDone;
}

bool InlineReads::may_start(const Request& request) {
  return starts_in_turn_ < kStartsPerTurnMax && is_eligible(request) &&
         databases_[request.database].starts.is_short(request.sql);
}

bool InlineReads::start(Job& job) {
  ++starts_in_turn_;
  const InlineRead outcome = context_.executor.start_inline(job);
  if (outcome != InlineRead::kRefused) {
    databases_[job.database].starts.on_inline_run(job.request->sql, outcome == InlineRead::kDone && was_quick(job));
  }
  if (outcome == InlineRead::kOverrun) ++statistics_.overruns;
  if (outcome == InlineRead::kDone) ++statistics_.starts;
  return outcome == InlineRead::kDone;
}

bool InlineReads::was_left_early(const Request& request) {
  return is_eligible(request) && databases_[request.database].leaves.is_short(request.sql);
}

void InlineReads::on_waited_in_vain(const Request& request) {
  databases_[request.database].leaves.on_inline_run(request.sql, false);
}

void InlineReads::on_left(const Request& request) {
  if (!is_eligible(request)) return;
  ReadHistory& leaves = databases_[request.database].leaves;
  const bool early = context_.now_us - request.arrival_us <= kLeftEarlyUsMax;
  request.is_fresh ? leaves.on_inline_run(request.sql, early) : leaves.on_lane_run(request.sql, early);
}

void InlineReads::on_read_to_end(const Request& request) {
  if (is_eligible(request)) databases_[request.database].leaves.on_lane_run(request.sql, false);
}

bool InlineReads::may_run_at_once(const Job& job) {
  // Of what the loop thread itself began there is little to put away.
  if (job.kind == JobKind::kClose && job.request->is_fresh && jobs_in_turn_ < kJobsPerTurnMax) {
    ++jobs_in_turn_;
    return true;
  }
  // An error of a transaction that ends with it could not be told a second time.
  if (!job.is_inside_transaction() || job.rollback_on_error || !job.group_slots.empty()) return false;
  if (jobs_in_turn_ >= kJobsPerTurnMax) return false;
  switch (job.kind) {
    case JobKind::kBegin:
    case JobKind::kCommit:
    case JobKind::kRollback: break;
    case JobKind::kRequest:
      if (is_eligible(*job.request) && databases_[job.database].history.is_short(job.request->sql)) break;
      return false;
    default: return false;
  }
  ++jobs_in_turn_;
  return true;
}

void InlineReads::defer(const std::shared_ptr<Request>& request) {
  ++statistics_.deferred;
  deferred_.push(request->session_id, request);
}

std::shared_ptr<Request> InlineReads::take_deferred() {
  while (!deferred_.empty() && deferred_in_turn_ < kDeferredPerTurnMax) {
    std::shared_ptr<Request> request = *deferred_.pop();
    if (request->is_ended()) continue;
    ++deferred_in_turn_;
    return request;
  }
  return nullptr;
}

void InlineReads::on_turn_end() {
  ++turn_;
  reads_in_turn_ = 0;
  deferred_in_turn_ = 0;
  starts_in_turn_ = 0;
  jobs_in_turn_ = 0;
}

void InlineReads::on_lane_run(const Job& job) {
  if (job.kind != JobKind::kRequest || !is_eligible(*job.request)) return;
  Database& database = databases_[job.database];
  if (job.at_once) {
    ++statistics_.reads;
    return database.history.on_inline_run(job.request->sql, was_short(job));
  }
  database.history.on_lane_run(job.request->sql, was_short(job));
  if (job.cursor_open) database.starts.on_lane_run(job.request->sql, job.started_shortly && was_quick(job));
}

void InlineReads::watch_idle(std::uint16_t index) {
  Database& database = databases_[index];
  if (database.idle_timer != 0) return;
  database.reads_at_timer = database.reads;
  database.idle_timer = context_.janitor.add(context_.now_us + kSnapshotIdleUs, [this, index] {
    loop_thread.assert_here();
    Database& quiet = databases_[index];
    quiet.idle_timer = 0;
    if (quiet.reads != quiet.reads_at_timer) return watch_idle(index);
    context_.executor.end_inline_snapshot(index);
  });
}

}  // namespace skua
