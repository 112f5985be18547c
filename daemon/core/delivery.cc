#include "daemon/core/delivery.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "daemon/core/stream_spools.h"
#include "protocol/codec.h"
#include "protocol/short_frames.h"

namespace skua {

namespace {

// Of a request in slices: the row at which it ended, and how many are committed.
Error with_rows_done(Error error, std::uint64_t rows_done) {
  if (rows_done == 0 && error.row < 0) return error;  // it did not get as far as its rows
  error.row = static_cast<std::int64_t>(rows_done);
  error.message += rows_done == 0 ? std::string("; no row of the request is committed")
                                  : fmt::format("; {} row{} of the request {} committed", rows_done,
                                                rows_done == 1 ? "" : "s", rows_done == 1 ? "is" : "are");
  return error;
}

}  // namespace

Error stopped_error(CancelReason reason) {
  switch (reason) {
    case CancelReason::kDeadline: return make_error(ErrorCode::kDeadline, "the request's deadline passed");
    case CancelReason::kLimit: return make_error(ErrorCode::kLimit, "the transaction passed transaction_total_ms_max");
    case CancelReason::kAborted:
      return make_error(ErrorCode::kTransactionAborted, "another request made its transaction roll back");
    case CancelReason::kWalBudget:
      return make_error(ErrorCode::kLimit,
                        "the write-ahead log has passed half of wal_bytes_max, and this read kept it from being emptied for "
                        "longer than wal_drain_ms_max: restart the read, and take its rows sooner or in parts");
    case CancelReason::kShutdown: return make_error(ErrorCode::kUnavailable, "the daemon is shutting down");
    case CancelReason::kNone:
    case CancelReason::kClient:
    case CancelReason::kSessionGone: break;
  }
  return make_error(ErrorCode::kCancelled, "the request was cancelled");
}

void Delivery::send(Request& request, Frame frame) {
  const std::size_t bytes = frame.byte_count();
  request.credit_bytes -= static_cast<std::int64_t>(bytes);
  request.sent_bytes += bytes;
  context_.counters.rows_bytes_sent += bytes;
  request.session->sink->send(std::move(frame));
}

void Delivery::deliver(Job& job) {
  const std::shared_ptr<Request>& request = job.request;
  if (request->is_ended()) return;
  end_batch(*request);
  for (Frame& frame : job.frames) {
    if (request->held.empty() && may_send(*request, frame)) {
      send(*request, std::move(frame));
    } else {
      context_.memory.held += frame.byte_count();
      request->held.push_back(std::move(frame));
    }
  }
  job.frames.clear();
  request->last_is_held = job.ended;
  send_held(request);
  if (job.error != nullptr) fail(request, *job.error);
}

void Delivery::send_held(const std::shared_ptr<Request>& request) {
  if (request->is_ended() || request->session == nullptr) return;
  while (!request->held.empty()) {
    if (!may_send(*request, request->held.front())) return;
    context_.memory.held -= request->held.front().byte_count();
    send(*request, std::move(request->held.front()));
    request->held.pop_front();
  }
  if (request->last_is_held) return end(request);
  watch_memory(request);
}

bool Delivery::may_send(const Request& request, const Frame& frame) const {
  if (request.session == nullptr) return false;
  // A last frame without rows is always worth sending; with rows it is a batch like any other.
  return frame.byte_count() <= kFrameBytesFree || may_send(request);
}

bool Delivery::may_send(const Request& request) const {
  return request.credit_bytes > 0 && request.session != nullptr &&
         request.session->sink->unsent_bytes() < kStreamUnsentBytesMax;
}

bool Delivery::has_memory(const Request& request) const {
  if (context_.memory.responses() + kBatchBytes <= context_.limits.response_memory_bytes_max) return true;
  // Others may never take what is theirs: a client that has taken all of its own must not wait for them.
  return request.session->batches_under_way == 0 && request.session->sink->unsent_bytes() == 0;
}

bool Delivery::may_continue(const Request& request) const { return may_send(request) && has_memory(request); }

void Delivery::begin_batch(Request& request) {
  if (std::exchange(request.batch_under_way, true)) return;
  context_.memory.under_way += kBatchBytes;
  ++request.session->batches_under_way;
}

void Delivery::end_batch(Request& request) {
  if (!std::exchange(request.batch_under_way, false)) return;
  context_.memory.under_way -= kBatchBytes;
  if (request.session != nullptr) --request.session->batches_under_way;
}

void Delivery::watch_memory(const std::shared_ptr<Request>& request) {
  const bool lacks_memory = request->stage == Request::Stage::kParked && request->held.empty() && may_send(*request) &&
                            !has_memory(*request);
  if (!lacks_memory || std::exchange(request->waits_for_memory, true)) return;
  waiting_for_memory_.push(request->session_id, request);
}

bool Delivery::has_memory_again() const {
  bool found = false;
  waiting_for_memory_.visit([&](const std::shared_ptr<Request>& request) {
    loop_thread.assert_here();
    found = request->stage != Request::Stage::kParked || may_continue(*request);
    return !found;
  });
  return found;
}

std::shared_ptr<Request> Delivery::take_waiting_for_memory() {
  for (std::size_t left = waiting_for_memory_.size(); left > 0; --left) {
    std::shared_ptr<Request> request = *waiting_for_memory_.pop();
    request->waits_for_memory = false;
    if (request->stage != Request::Stage::kParked) continue;
    if (may_continue(*request)) return request;
    watch_memory(request);
  }
  return nullptr;
}

void Delivery::update_wanted(Request& request) const {
  std::uint64_t more = 0;
  if (may_continue(request)) {
    const std::size_t room = kStreamUnsentBytesMax - request.session->sink->unsent_bytes();
    more = std::min({static_cast<std::uint64_t>(request.credit_bytes), std::uint64_t{room}, std::uint64_t{kRunAheadBytes}});
  }
  request.wanted_bytes.store(request.sent_bytes + more, std::memory_order_relaxed);
}

void Delivery::fail(const std::shared_ptr<Request>& request, const Error& error) {
  if (request->is_ended()) return;
  ++context_.counters.errors_total;
  if (error.code == ErrorCode::kCancelled) ++context_.counters.requests_cancelled;
  if (error.code == ErrorCode::kDeadline) ++context_.counters.deadlines_passed;
  if (request->session != nullptr) {
    request->session->sink->send(
        error_response(request->id, request->in_slices ? with_rows_done(error, request->rows_done) : error));
  }
  end(request);
}

void Delivery::succeed(const std::shared_ptr<Request>& request, TransactionState transaction) {
  if (request->is_ended()) return;
  Summary summary;
  summary.transaction = transaction;
  summary.server_us = context_.now_us - request->arrival_us;
  if (request->session != nullptr) request->session->sink->send(done_response(request->id, summary));
  end(request);
}

void Delivery::finish_early(const std::shared_ptr<Request>& request) {
  if (request->is_ended()) return;
  SKUA_CHECK(request->last_is_held && !request->held.empty());
  MessageView view(request->held.back().view());
  const wire::Response::Reader last = view.root<wire::Response>();
  SKUA_CHECK(last.isRows());
  const Summary summary = read_summary(last.getRows().getDone());
  if (request->session != nullptr) request->session->sink->send(done_response(request->id, summary));
  end(request);
}

void Delivery::forget(const std::shared_ptr<Request>& request) {
  if (!request->is_ended()) end(request);
}

void Delivery::end(const std::shared_ptr<Request>& request) {
  unpark(request);
  if (request->deadline_timer != 0) context_.janitor.cancel(std::exchange(request->deadline_timer, 0));
  end_wait(*request);
  end_batch(*request);
  StreamSpools::forget(context_, *request);
  request->stage = Request::Stage::kEnded;
  for (const Frame& frame : request->held) context_.memory.held -= frame.byte_count();
  request->held.clear();
  // Its session may close while a lane still has a job of it, and would not find it.
  SessionState* session = std::exchange(request->session, nullptr);
  if (session == nullptr || !request->is_listed) return;
  session->request_bytes -= request->message->byte_count();
  context_.memory.requests -= request->message->byte_count();
  session->requests.erase(request->id);
}

void Delivery::park(const std::shared_ptr<Request>& request, std::function<void()> on_idle) {
  request->stage = Request::Stage::kParked;
  watch_memory(request);
  if (request->idle_timer != 0) return;
  const std::uint64_t wait_us = std::uint64_t{context_.limits.stream_idle_ms_max} * 1000;
  request->idle_timer = context_.janitor.add(context_.now_us + wait_us, std::move(on_idle));
}

void Delivery::unpark(const std::shared_ptr<Request>& request) {
  if (request->idle_timer != 0) context_.janitor.cancel(std::exchange(request->idle_timer, 0));
}

void Delivery::end_wait(Request& request) {
  if (request.wait_timer == 0) return;
  context_.janitor.cancel(std::exchange(request.wait_timer, 0));
  --context_.writes_waiting[request.database];
}

}  // namespace skua
