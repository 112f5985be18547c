// Delivery: from a finished job to the client: sends what there is credit for, holds the rest, ends the request.
//
// The only place that ends a request, so that each ends exactly once, and the one that counts the memory of responses: at
// response_memory_bytes_max no stream gets its next batch made, unless its session has nothing outstanding; those that have to
// wait for that go on in turn, one session after the other. Loop thread.
#pragma once

#include <memory>

#include "daemon/core/context.h"
#include "daemon/core/fair_queue.h"
#include "daemon/core/request.h"
#include "daemon/core/session_state.h"
#include "protocol/summary.h"

namespace skua {

class Delivery {
 public:
  explicit Delivery(CoreContext& context) : context_(context) {}

  // Sends the job's frames as far as credit goes, and ends the request if its last frame went out or it failed.
  void deliver(Job& job) SKUA_REQUIRES(loop_thread);
  // Sends frames that were held for want of credit; ends the request if the last one went out.
  void send_held(const std::shared_ptr<Request>& request) SKUA_REQUIRES(loop_thread);

  // These end the request; one that has ended already is left alone.
  void fail(const std::shared_ptr<Request>& request, const Error& error) SKUA_REQUIRES(loop_thread);
  void succeed(const std::shared_ptr<Request>& request, TransactionState transaction) SKUA_REQUIRES(loop_thread);
  // All is done and only rows are held: leaves them out and answers with the summary alone.
  void finish_early(const std::shared_ptr<Request>& request) SKUA_REQUIRES(loop_thread);
  // Without an answer: the session is gone.
  void forget(const std::shared_ptr<Request>& request) SKUA_REQUIRES(loop_thread);

  // True when the next batch of the request's cursor may be made. And that it is being made, until deliver() or the end.
  bool may_continue(const Request& request) const SKUA_REQUIRES(loop_thread);
  void begin_batch(Request& request) SKUA_REQUIRES(loop_thread);
  // A parked stream that lacks nothing but memory is remembered.
  void watch_memory(const std::shared_ptr<Request>& request) SKUA_REQUIRES(loop_thread);
  // The parked streams that waited for memory and may go on now, in turn. Each is to be resumed before the next is asked for;
  // null: no more of them.
  bool has_memory_again() const SKUA_REQUIRES(loop_thread);
  std::shared_ptr<Request> take_waiting_for_memory() SKUA_REQUIRES(loop_thread);
  // Tells the lane that makes the request's batches how far it may go without coming back.
  void update_wanted(Request& request) const SKUA_REQUIRES(loop_thread);
  // The request's cursor or held frames wait for the client, who has stream_idle_ms_max to grant credit.
  void park(const std::shared_ptr<Request>& request, std::function<void()> on_idle) SKUA_REQUIRES(loop_thread);
  void unpark(const std::shared_ptr<Request>& request) SKUA_REQUIRES(loop_thread);
  // The request waits for the writer no longer, if it did.
  void end_wait(Request& request) SKUA_REQUIRES(loop_thread);

 private:
  // There is credit, and the session takes what it is sent.
  bool may_send(const Request& request) const SKUA_REQUIRES(loop_thread);
  bool has_memory(const Request& request) const SKUA_REQUIRES(loop_thread);
  void end_batch(Request& request) SKUA_REQUIRES(loop_thread);
  void end(const std::shared_ptr<Request>& request) SKUA_REQUIRES(loop_thread);
  bool may_send(const Request& request, const Frame& frame) const SKUA_REQUIRES(loop_thread);
  void send(Request& request, Frame frame) SKUA_REQUIRES(loop_thread);

  CoreContext& context_;
  // May hold some that have ended or gone on by themselves.
  FairQueue<std::shared_ptr<Request>> waiting_for_memory_ SKUA_GUARDED_BY(loop_thread);
};

// The error of a request that was stopped, by the reason in its token.
Error stopped_error(CancelReason reason);

}  // namespace skua
