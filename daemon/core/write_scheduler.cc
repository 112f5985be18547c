#include "daemon/core/write_scheduler.h"

#include <fmt/format.h>

#include <algorithm>

#include "daemon/core/lock_report.h"

namespace skua {

namespace {

// Requests that ended while they waited, in a queue that is short otherwise.
constexpr std::size_t kEndedMax = 64;

bool is_relaxed(const Request& request) {
  const wire::Request::Reader root = request.message->root();
  switch (request.kind) {
    case wire::Request::EXECUTE: return root.getExecute().getDurability() == wire::Durability::RELAXED;
    case wire::Request::EXECUTE_MANY: return root.getExecuteMany().getDurability() == wire::Durability::RELAXED;
    case wire::Request::PROGRAM: return root.getProgram().getDurability() == wire::Durability::RELAXED;
    default: return false;
  }
}

// Whether it keeps to itself inside of a transaction it shares: an independent program commits step by step, and what is
// not a change of rows may not be allowed in a transaction. A slice is as long as a transaction should be already.
bool may_join_group(const Request& request) {
  if (request.has_key) return true;  // always in a transaction, with its answer
  switch (request.kind) {
    case wire::Request::EXECUTE: return request.statement.changes_rows;
    case wire::Request::EXECUTE_MANY: return !request.in_slices;
    case wire::Request::PROGRAM: return !request.message->root().getProgram().getIndependent();
    default: return false;
  }
}

// A write that takes longer for once, because its thread was not let run, says little about the next.
void note_use(SessionState& session, std::uint64_t used_us) {
  session.write_us = std::clamp<std::uint64_t>(used_us, 1, 2 * session.write_us);
}

// What it adds to the bytes of its group.
std::uint64_t group_bytes(const Request& request) { return request.in_slices ? 0 : request.message->byte_count(); }

}  // namespace

WriteScheduler::WriteScheduler(CoreContext& context, Delivery& delivery) : context_(context), delivery_(delivery) {
  loop_thread.assert_here();
  lanes_.resize(context.database_names.size());
  context_.writes_waiting.resize(lanes_.size());
}

void WriteScheduler::submit(const std::shared_ptr<Request>& request) {
  Lane& lane = lanes_[request->database];
  const std::size_t waiting = context_.writes_waiting[request->database];
  if (waiting >= context_.limits.write_queue_max) {
    Error error = make_error(ErrorCode::kLimit, fmt::format("{} writes are waiting already (write_queue_max): retry later",
                                                            waiting));
    if (request->transaction != nullptr) error.transaction = TransactionState::kAborted;
    return delivery_.fail(request, error);
  }
  // Those that ended while they waited go when they are the most, so that each is looked at once or twice.
  if (lane.queue.size() > 2 * waiting + kEndedMax) {
    lane.queue.erase_if([](const std::shared_ptr<Request>& queued) {
      loop_thread.assert_here();
      return queued->is_ended();
    });
  }
  enqueue(request);
}

void WriteScheduler::enqueue(const std::shared_ptr<Request>& request) {
  lanes_[request->database].queue.push(request->session_id, request);
  pump(request->database);
  if (request->stage == Request::Stage::kQueued && request->wait_timer == 0) watch_wait(request);
}

void WriteScheduler::watch_wait(const std::shared_ptr<Request>& request) {
  const std::uint64_t wait_us = std::uint64_t{context_.limits.write_wait_ms_max} * 1000;
  ++context_.writes_waiting[request->database];
  request->wait_since_us = context_.now_us;
  request->wait_timer = context_.janitor.add(context_.now_us + wait_us, [this, request] {
    loop_thread.assert_here();
    user_->on_wait_over(request, make_error(ErrorCode::kLimit,
                                            fmt::format("the request waited {} ms for the writer of '{}' "
                                                        "(write_wait_ms_max){}: retry later, or see `skua locks`",
                                                        context_.limits.write_wait_ms_max,
                                                        context_.database_names[request->database], blame(*request))));
  });
}

bool WriteScheduler::has_room(const Lane& lane) const {
  const std::size_t groups_ahead = lane.admission == WriteAdmission::kAll ? 2 : 1;
  return lane.handed.size() < groups_ahead * context_.limits.group_requests_max &&
         lane.handed_bytes < groups_ahead * context_.limits.group_bytes_max;
}

// The lane does a group of what it has, and gathers the next meanwhile: so a write that comes waits for two of these parts of a
// slice, and for two syncs.
constexpr std::uint64_t kSliceParts = 4;

void WriteScheduler::pump(std::uint16_t database) {
  Lane& lane = lanes_[database];
  const std::uint64_t ahead_us_max = std::uint64_t{context_.limits.bulk_slice_ms_max} * 1000 / kSliceParts;
  const auto may_go = [&lane, ahead_us_max](std::uint64_t session_id) {
    const auto ahead = lane.handed_us.find(session_id);
    return ahead == lane.handed_us.end() || ahead->second < ahead_us_max;
  };
  while (lane.owner == nullptr && lane.admission != WriteAdmission::kNone && has_room(lane)) {
    const std::shared_ptr<Request>* next = lane.queue.next(may_go);
    if (next == nullptr) return;
    // A transaction waits here, where it can be stopped at once, until the lane is its own.
    const bool opens_transaction = !(*next)->is_ended() && (*next)->transaction != nullptr;
    if (opens_transaction && (!lane.handed.empty() || lane.admission != WriteAdmission::kAll)) return;
    const std::shared_ptr<Request> request = *lane.queue.pop(may_go);
    if (request->is_ended()) continue;
    delivery_.end_wait(*request);
    request->slot = kWriterSlot;
    if (request->transaction != nullptr) {
      lane.owner = request->transaction;
      user_->on_lane_granted(request, kWriterSlot);
    } else {
      const std::uint64_t expected_us = request->session->write_us;
      lane.handed.push_back({request.get(), context_.now_us, expected_us});
      lane.handed_us[request->session_id] += expected_us;
      lane.handed_bytes += group_bytes(*request);
      run(request);
    }
  }
}

void WriteScheduler::run(const std::shared_ptr<Request>& request) {
  auto job = std::make_unique<Job>();
  job->database = request->database;
  job->slot = kWriterSlot;
  job->request = request;
  job->may_join_group = may_join_group(*request);
  if (request->in_slices && request->slices == nullptr) {
    request->slices = std::make_unique<BulkSlices>();
    request->slices->slice_us_max = std::uint64_t{context_.limits.bulk_slice_ms_max} * 1000;
    request->slices->relaxed = is_relaxed(*request);
  }
  if (request->slices != nullptr) request->slices->more = false;
  job->slices = std::move(request->slices);
  job->relaxed = job->slices != nullptr ? job->slices->relaxed : is_relaxed(*request);
  request->stage = Request::Stage::kRunning;
  context_.run_on_writer(std::move(job));
}

void WriteScheduler::on_job_done(std::unique_ptr<Job> job) {
  const std::shared_ptr<Request>& request = job->request;
  if (request->session != nullptr) note_use(*request->session, job->lane_us);
  const bool more = take_slice(*job);
  if (!request->is_ended() && !more) {
    delivery_.deliver(*job);
    // Rows are held for want of credit; the commit is done, so it is too late to stop it.
    if (!request->is_ended() && request->token.is_cancelled()) delivery_.finish_early(request);
    if (!request->is_ended()) park(request);
  }
  Lane& lane = lanes_[job->database];
  // It is the oldest or not far behind: the lane runs them in order.
  const auto handed = std::find_if(lane.handed.begin(), lane.handed.end(),
                                   [&](const Handed& entry) { return entry.request == request.get(); });
  const auto ahead = lane.handed_us.find(request->session_id);
  ahead->second -= handed->expected_us;
  if (ahead->second == 0) lane.handed_us.erase(ahead);
  lane.handed.erase(handed);
  lane.handed_bytes -= group_bytes(*request);
  lane.queue.charge(request->session_id, job->lane_us);
  if (more) {
    request->stage = Request::Stage::kQueued;
    request->token.put_back();
    return enqueue(request);
  }
  pump(job->database);
}

bool WriteScheduler::take_slice(Job& job) {
  if (job.slices == nullptr) return false;
  Request& request = *job.request;
  request.rows_done = job.slices->rows_done;
  request.slices = std::move(job.slices);
  if (!request.slices->more || job.error != nullptr || request.is_ended()) return false;
  if (!request.token.is_cancelled()) return true;
  job.error = std::make_unique<Error>(stopped_error(request.token.reason()));
  return false;
}

bool WriteScheduler::withdraw(Request& request) {
  return request.transaction == nullptr && request.slot == kWriterSlot && request.token.withdraw();
}

void WriteScheduler::park(const std::shared_ptr<Request>& request) {
  delivery_.park(request, [this, request] {
    loop_thread.assert_here();
    request->idle_timer = 0;
    delivery_.fail(request, make_error(ErrorCode::kLimit,
                                       fmt::format("the statement is committed, but its rows were granted no credit "
                                                   "for {} ms (stream_idle_ms_max)",
                                                   context_.limits.stream_idle_ms_max)));
  });
}

void WriteScheduler::release(std::uint16_t database) {
  Lane& lane = lanes_[database];
  lane.queue.charge(lane.owner->session_id, context_.now_us - lane.owner->held_since_us);
  lane.owner = nullptr;
  pump(database);
}

std::optional<LockHolder> WriteScheduler::holder_in(const Lane& lane) const {
  if (lane.owner != nullptr) return holder_of(*lane.owner, context_.now_us);
  for (const Handed& handed : lane.handed) {
    // A withdrawn one never runs; it only has to come back.
    if (handed.request->token.is_withdrawn()) continue;
    return holder_of(*handed.request, handed.since_us, lane.handed.size(), context_.now_us);
  }
  return std::nullopt;
}

DatabaseLock WriteScheduler::lock_of(std::uint16_t database) const {
  const Lane& lane = lanes_[database];
  DatabaseLock lock;
  lock.database = context_.database_names[database];
  lock.holder = holder_in(lane);
  lock.waiting_count = static_cast<std::uint32_t>(context_.writes_waiting[database]);
  lane.queue.visit([&](const std::shared_ptr<Request>& request) {
    loop_thread.assert_here();
    if (!request->is_ended()) lock.waiting.push_back(waiter_of(*request, context_.now_us));
    return lock.waiting.size() < std::min<std::size_t>(lock.waiting_count, kLockWaitersMax);
  });
  return lock;
}

std::string WriteScheduler::blame(const Request& request) const {
  const std::optional<LockHolder> holder = holder_in(lanes_[request.database]);
  if (!holder) return {};
  const std::size_t others = context_.writes_waiting[request.database] - (request.wait_timer != 0 ? 1 : 0);
  std::string text = "; " + holder_clause(*holder);
  if (others > 0) text += fmt::format("; {} other {}", others, others == 1 ? "request waits" : "requests wait");
  return text;
}

void WriteScheduler::admit(std::uint16_t database, WriteAdmission admission) {
  if (lanes_[database].admission == admission) return;
  lanes_[database].admission = admission;
  pump(database);
}

std::size_t WriteScheduler::waiting() const {
  std::size_t sum = 0;
  for (const std::size_t waiting : context_.writes_waiting) sum += waiting;
  return sum;
}

std::size_t WriteScheduler::busy() const {
  std::size_t sum = 0;
  for (const Lane& lane : lanes_) sum += lane.owner != nullptr || !lane.handed.empty() ? 1 : 0;
  return sum;
}

}  // namespace skua
