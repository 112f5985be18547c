#include "daemon/core/reader_scheduler.h"

#include <fmt/format.h>

namespace skua {

ReaderScheduler::ReaderScheduler(CoreContext& context, Delivery& delivery)
    : context_(context), delivery_(delivery), inline_reads_(context, delivery) {
  loop_thread.assert_here();
  for (std::size_t i = 0; i < context.database_names.size(); ++i) {
    databases_.emplace_back(context.limits.reader_connections_max);
  }
}

ReaderScheduler::AtOnce ReaderScheduler::read_at_once(const std::shared_ptr<Request>& request) {
  if (databases_[request->database].gate_shut) return AtOnce::kOnLane;
  const InlineReads::Admission admission = inline_reads_.admit(*request);
  if (admission == InlineReads::Admission::kLater) return AtOnce::kLater;
  if (admission == InlineReads::Admission::kNever || !inline_reads_.run(request)) return AtOnce::kOnLane;
  return request->is_ended() ? AtOnce::kEnded : AtOnce::kHeld;
}

void ReaderScheduler::on_turn_start() {
  while (const std::shared_ptr<Request> request = inline_reads_.take_deferred()) {
    if (databases_[request->database].gate_shut || !inline_reads_.run(request)) {
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
}

void ReaderScheduler::lease_to_waiting(Database& database) {
  while (!database.gate_shut && !database.waiting.empty()) {
    const std::optional<std::uint32_t> slot = database.pool.lease();
    if (!slot) return;
    std::shared_ptr<Request> request;
    while (request == nullptr && !database.waiting.empty()) {
      request = *database.waiting.pop();
      if (request->is_ended()) request = nullptr;
    }
    if (request == nullptr) return database.pool.release(*slot);
    request->slot = *slot;
    const std::shared_ptr<Transaction>& holder = request->transaction;
    database.leases.push_back({*slot, holder == nullptr ? request : nullptr, holder, context_.now_us});
    if (request->transaction != nullptr) {
      user_->on_lane_granted(request, *slot);
    } else {
      run_for(request, JobKind::kRequest);
    }
  }
}

void ReaderScheduler::run_for(const std::shared_ptr<Request>& request, JobKind kind) {
  auto job = std::make_unique<Job>();
  job->kind = kind;
  job->database = request->database;
  job->slot = request->slot;
  job->request = request;
  job->read_only = false;
  run(std::move(job));
}

void ReaderScheduler::run(std::unique_ptr<Job> job) {
  const std::uint64_t session_id = job->request != nullptr ? job->request->session_id : 0;
  // Until it has a thread it can be stopped like any request that waits; its job then finds the token cancelled.
  if (job->request != nullptr && !job->request->is_ended()) job->request->stage = Request::Stage::kQueued;
  ready_.push(session_id, std::move(job));
  feed_threads();
}

void ReaderScheduler::feed_threads() {
  while (threads_busy_ < context_.limits.reader_threads && !ready_.empty()) {
    ++threads_busy_;
    std::unique_ptr<Job> job = *ready_.pop();
    if (job->request != nullptr && !job->request->is_ended()) job->request->stage = Request::Stage::kRunning;
    context_.executor.run_on_reader(std::move(job));
  }
}

void ReaderScheduler::on_thread_free() {
  SKUA_CHECK(threads_busy_ > 0);
  --threads_busy_;
  feed_threads();
}

void ReaderScheduler::release(std::uint16_t database, std::uint32_t slot) {
  databases_[database].pool.release(slot);
  std::erase_if(databases_[database].leases, [slot](const ReaderLease& lease) { return lease.slot == slot; });
  lease_to_waiting(databases_[database]);
}

void ReaderScheduler::on_job_done(std::unique_ptr<Job> job) {
  const std::shared_ptr<Request> request = job->request;
  if (job->kind == JobKind::kClose) return release(job->database, job->slot);
  request->cursor_open = job->cursor_open;
  inline_reads_.on_lane_run(*job);
  if (job->needs_writer) {
    release(job->database, job->slot);
    if (request->is_ended()) return;
    request->stage = Request::Stage::kQueued;
    request->slot = kWriterSlot;
    return user_->on_statement_writes(request);
  }
  if (!request->is_ended()) delivery_.deliver(*job);
  if (!request->cursor_open) {
    release(job->database, job->slot);
    if (!request->is_ended()) park(request);  // frames are held for want of credit
    return;
  }
  if (!request->is_ended() && request->token.is_cancelled()) {
    delivery_.fail(request, stopped_error(request->token.reason()));
  }
  if (request->is_ended()) return close_cursor(request);
  if (request->held.empty() && delivery_.may_continue(*request)) return run_for(request, JobKind::kContinue);
  park(request);
}

void ReaderScheduler::park(const std::shared_ptr<Request>& request) {
  delivery_.park(request, [this, request] {
    loop_thread.assert_here();
    request->idle_timer = 0;
    delivery_.fail(request,
                   make_error(ErrorCode::kLimit, fmt::format("the stream was granted no credit for {} ms "
                                                             "(stream_idle_ms_max)",
                                                             context_.limits.stream_idle_ms_max)));
    close_cursor(request);
  });
}

void ReaderScheduler::resume(const std::shared_ptr<Request>& request) {
  if (request->stage != Request::Stage::kParked) return;
  delivery_.send_held(request);
  if (request->is_ended() || !request->held.empty() || !request->cursor_open) return;
  if (!delivery_.may_continue(*request)) return;
  delivery_.unpark(request);
  run_for(request, JobKind::kContinue);
}

void ReaderScheduler::close_cursor(const std::shared_ptr<Request>& request) {
  if (!request->cursor_open) return;
  request->cursor_open = false;
  run_for(request, JobKind::kClose);
}

void ReaderScheduler::stop(const std::shared_ptr<Request>& request, CancelReason reason) {
  if (request->is_ended()) return;
  request->token.cancel(reason);
  const Request::Stage stage = request->stage;
  if (stage == Request::Stage::kRunning) return;  // its job comes back with the error
  delivery_.fail(request, stopped_error(reason));
  if (stage == Request::Stage::kParked) close_cursor(request);
}

void ReaderScheduler::shut_gate(std::uint16_t database) { databases_[database].gate_shut = true; }

void ReaderScheduler::open_gate(std::uint16_t database) {
  databases_[database].gate_shut = false;
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
  for (const Database& database : databases_) sum += database.waiting.size();
  return sum;
}

}  // namespace skua
