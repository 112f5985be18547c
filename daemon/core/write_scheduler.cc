#include "daemon/core/write_scheduler.h"

#include <fmt/format.h>

namespace skua {

namespace {

bool is_relaxed(const Request& request) {
  const wire::Request::Reader root = request.message->root();
  switch (request.kind) {
    case wire::Request::EXECUTE: return root.getExecute().getDurability() == wire::Durability::RELAXED;
    case wire::Request::EXECUTE_MANY: return root.getExecuteMany().getDurability() == wire::Durability::RELAXED;
    case wire::Request::PROGRAM: return root.getProgram().getDurability() == wire::Durability::RELAXED;
    default: return false;
  }
}

}  // namespace

WriteScheduler::WriteScheduler(CoreContext& context, Delivery& delivery) : context_(context), delivery_(delivery) {
  loop_thread.assert_here();
  lanes_.resize(context.database_names.size());
}

void WriteScheduler::submit(const std::shared_ptr<Request>& request) {
  Lane& lane = lanes_[request->database];
  if (lane.queue.size() >= context_.limits.write_queue_max) {
    Error error = make_error(ErrorCode::kLimit, fmt::format("{} writes are waiting already (write_queue_max): retry later",
                                                            lane.queue.size()));
    if (request->transaction != nullptr) error.transaction = TransactionState::kAborted;
    return delivery_.fail(request, error);
  }
  lane.queue.push(request->session_id, request);
  pump(request->database);
}

void WriteScheduler::pump(std::uint16_t database) {
  Lane& lane = lanes_[database];
  while (!lane.busy && !lane.queue.empty()) {
    const std::shared_ptr<Request> request = *lane.queue.pop();
    if (request->is_ended()) continue;
    lane.busy = true;
    request->slot = kWriterSlot;
    if (request->transaction != nullptr) {
      user_->on_lane_granted(request, kWriterSlot);
    } else {
      run(request);
    }
  }
}

void WriteScheduler::run(const std::shared_ptr<Request>& request) {
  auto job = std::make_unique<Job>();
  job->database = request->database;
  job->slot = kWriterSlot;
  job->request = request;
  job->relaxed = is_relaxed(*request);
  request->stage = Request::Stage::kRunning;
  context_.executor.run_on_writer(std::move(job));
}

void WriteScheduler::on_job_done(std::unique_ptr<Job> job) {
  const std::shared_ptr<Request>& request = job->request;
  if (!request->is_ended()) {
    delivery_.deliver(*job);
    if (!request->is_ended()) park(request);  // rows are held for want of credit; the commit is long done
  }
  release(job->database);
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
  lanes_[database].busy = false;
  pump(database);
}

std::size_t WriteScheduler::waiting() const {
  std::size_t sum = 0;
  for (const Lane& lane : lanes_) sum += lane.queue.size();
  return sum;
}

std::size_t WriteScheduler::busy() const {
  std::size_t sum = 0;
  for (const Lane& lane : lanes_) sum += lane.busy ? 1 : 0;
  return sum;
}

}  // namespace skua
