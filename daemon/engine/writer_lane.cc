#include "daemon/engine/writer_lane.h"

#include <fmt/format.h>
#include <pthread.h>
#include <spdlog/spdlog.h>

#include "daemon/engine/group_runner.h"
#include "daemon/engine/job_runner.h"
#include "daemon/engine/sqlite_error.h"

namespace skua {

WriterLane::WriterLane(Database& database, CompletionQueue& completions, const Limits& limits)
    : database_(database), completions_(completions), limits_(limits) {
  thread_ = std::thread([this] { run(); });
  pthread_setname_np(thread_.native_handle(), ("w-" + database.options().name).substr(0, 15).c_str());
}

WriterLane::~WriterLane() {
  queue_.close();
  thread_.join();
}

void WriterLane::run() {
  reserve_log_space();
  while (true) {
    Jobs jobs = next_group();
    if (jobs.empty()) return;
    run_jobs(jobs);
    look_for_sync_failure(jobs);
    for (const auto& job : jobs) job->wal = database_.governor().report(database_.writer());
    // Before anyone can learn of what they committed.
    database_.write_watch().on_done(jobs.size());
    completions_.push(std::move(jobs));
    // After the answers are on their way: a checkpoint is nobody's waiting time but the next writer's.
    if (sync_failed_) continue;
    if (const Status status = database_.governor().after_job(database_.writer()); !status) {
      stop_trusting(status.error());
      continue;
    }
    reserve_log_space();
  }
}

void WriterLane::reserve_log_space() {
  if (database_.writer().in_transaction()) return;
  database_.wal_space().reserve(database_.governor().report(database_.writer()).bytes, limits_.wal_bytes_max);
}

WriterLane::Jobs WriterLane::next_group() {
  std::uint64_t bytes = 0;
  const auto joins = [&](const Jobs& group, const Job& next) {
    if (!group.front()->may_join_group || !next.may_join_group) return false;
    bytes += group.back()->request->message->byte_count();
    return group.size() < limits_.group_requests_max &&
           bytes + next.request->message->byte_count() <= limits_.group_bytes_max;
  };
  if (limits_.group_wait_us != 0) {
    queue_.wait_for(limits_.group_requests_max, std::chrono::microseconds(limits_.group_wait_us));
  }
  return queue_.pop_group(joins);
}

void WriterLane::run_jobs(const Jobs& jobs) {
  std::vector<Job*> started;
  for (const auto& job : jobs) {
    // What commits by itself could be withdrawn until now.
    const bool alone = job->kind == JobKind::kRequest && job->transaction == nullptr;
    if (!alone || job->request->token.start()) started.push_back(job.get());
  }
  std::size_t done = 0;
  if (!sync_failed_ && started.size() > 1) {
    done = GroupRunner(database_.writer(), started, limits_.held_result_bytes_max).run();
  }
  for (; done < started.size(); ++done) {
    Job& job = *started[done];
    if (job.kind == JobKind::kCheckpoint) {
      empty_log(job);
      continue;
    }
    const bool refused = sync_failed_ || started.size() > 1;
    if (refused && (job.kind == JobKind::kRequest || job.kind == JobKind::kBegin)) {
      job.error = std::make_unique<Error>(make_error(
          ErrorCode::kUnavailable,
          fmt::format("database '{}' takes no writes since a sync to the disk failed: look at the daemon's log, and start "
                      "it again when the disk is well",
                      database_.options().name)));
    } else {
      JobRunner(database_.writer(), job, limits_.held_result_bytes_max).run();
    }
  }
}

void WriterLane::empty_log(Job& job) {
  if (sync_failed_) {
    job.error = std::make_unique<Error>(make_error(ErrorCode::kIo, "a sync to the disk failed"));
    return;
  }
  auto emptied = database_.governor().empty(database_.writer());
  if (emptied) {
    job.log_emptied = *emptied;
  } else {
    job.error = std::make_unique<Error>(std::move(emptied).error());
  }
}

void WriterLane::look_for_sync_failure(const Jobs& jobs) {
  for (const auto& job : jobs) {
    if (job->error == nullptr || !is_sync_failure(job->error->sqlite_code)) continue;
    stop_trusting(*job->error);
    if (job->kind == JobKind::kCheckpoint) continue;
    job->error->message = fmt::format(
        "the disk failed to sync the commit ({}): whether it will survive is not certain. Database '{}' takes no more writes "
        "until the daemon is started again",
        job->error->message, database_.options().name);
  }
}

void WriterLane::stop_trusting(const Error& error) {
  if (sync_failed_ || !is_sync_failure(error.sqlite_code)) return;
  spdlog::critical("database '{}': a sync to the disk failed ({}); it takes no more writes until it is opened anew",
                   database_.options().name, error.message);
  sync_failed_ = true;
}

}  // namespace skua
