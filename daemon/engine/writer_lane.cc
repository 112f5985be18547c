#include "daemon/engine/writer_lane.h"

#include <fmt/format.h>
#include <pthread.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "daemon/base/clock.h"
#include "daemon/base/thread_schedule.h"
#include "daemon/engine/group_runner.h"
#include "daemon/engine/job_runner.h"
#include "daemon/engine/sqlite_error.h"
#include "protocol/codec.h"

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
  schedule_promptly();
  {
    const MutexLock lock(use_);
    tidy_up();
  }
  while (true) {
    Jobs jobs = next_group();
    if (jobs.empty()) return;
    const MutexLock lock(use_);
    const std::uint64_t begin_us = monotonic_us();
    run_jobs(jobs);
    // A backup's slice says nothing about who writes and how long a commit takes.
    if (jobs.front()->kind != JobKind::kBackupCopy) {
      pacer_.on_group_done(jobs.size(), queue_.size(), monotonic_us() - begin_us);
    }
    finish_jobs(jobs);
    completions_.push(std::move(jobs));
    tidy_up();
  }
}

bool WriterLane::run_lonely() {
  if (limits_.group_wait_us != 0 || !use_.try_lock()) return false;
  Jobs jobs;
  // Beside a backup a commit writes to the copy, too.
  if (!sync_failed_ && database_.backup_copy() == nullptr && is_tidy()) {
    // The compiler cannot follow into a function of the queue's that use_ is held.
    const ShortWrites* short_writes = &short_writes_;
    std::unique_ptr<Job> job =
        queue_.pop_only([&](const Job& waiting) { return short_writes->may_run(waiting, monotonic_us()); });
    if (job != nullptr && run_within_budget(*job)) {
      jobs.push_back(std::move(job));
      finish_jobs(jobs);
    } else if (job != nullptr) {
      queue_.put_back(std::move(job));
    }
  }
  use_.unlock();
  if (jobs.empty()) return false;
  completions_.push_quietly(std::move(jobs));
  return true;
}

bool WriterLane::may_stall(const Job& job) {
  const auto statement = database_.writer().lease(job.request->sql);
  return statement && (*statement)->may_stall();
}

bool WriterLane::run_within_budget(Job& job) {
  if (may_stall(job)) return false;
  if (!job.request->token.start()) return true;  // withdrawn
  const std::uint64_t begin_us = monotonic_us();
  const Connection::TimeBudget budget(database_.writer(), ShortWrites::kBudgetUs);
  JobRunner(database_.writer(), job, limits_.held_result_bytes_max).run();
  if (job.error != nullptr && budget.is_spent()) {
    short_writes_.add_long(job);
    job.forget_outcome();
    return false;
  }
  short_writes_.on_run(begin_us, monotonic_us());
  return true;
}

void WriterLane::finish_jobs(const Jobs& jobs) {
  look_for_sync_failure(jobs);
  for (const auto& job : jobs) job->wal = database_.governor().report(database_.writer());
  // Before anyone can learn of what they committed.
  database_.write_watch().on_done(jobs.size());
}

bool WriterLane::is_tidy() const {
  const std::uint64_t log_bytes = database_.governor().report(database_.writer()).bytes;
  return !database_.governor().is_due(database_.writer()) && database_.wal_space().has_room(log_bytes);
}

void WriterLane::tidy_up() {
  if (sync_failed_) return;
  if (const Status status = database_.governor().after_job(database_.writer()); !status) {
    return stop_trusting(status.error());
  }
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
  } else if (const GroupPacer::Plan plan = pacer_.plan(); plan.count > 1) {
    pacer_.on_waited(queue_.wait_for(std::min<std::size_t>(plan.count, limits_.group_requests_max), plan.wait));
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
    if (run_file_job(job)) continue;
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

bool WriterLane::run_file_job(Job& job) {
  switch (job.kind) {
    case JobKind::kCheckpoint: empty_log(job); return true;
    case JobKind::kBackupEnd: database_.backup_copy().reset(); return true;
    case JobKind::kBackupCopy:
      if (const Status status = copy_slice(job); !status) {
        database_.backup_copy().reset();
        job.error = std::make_unique<Error>(status.error());
      }
      return true;
    default: return false;
  }
}

Status WriterLane::copy_slice(Job& job) {
  if (sync_failed_) {
    return make_error(
        ErrorCode::kUnavailable,
        fmt::format("database '{}' cannot be copied since a sync to the disk failed: look at the daemon's log, "
                    "and start it again when the disk is well",
                    database_.options().name));
  }
  const std::uint64_t begin_us = monotonic_us();
  std::unique_ptr<BackupCopy>& copy = database_.backup_copy();
  if (copy == nullptr) {
    SKUA_ASSIGN(copy, BackupCopy::start(database_.writer(), database_.governor(), database_.options().file));
  }
  SKUA_ASSIGN(const bool complete, copy->step(kBackupSliceTime));
  job.slice_us = monotonic_us() - begin_us;
  job.pages_done = copy->pages_done();
  job.pages_total = copy->pages_total();
  job.transaction_open = database_.writer().in_transaction();
  if (!complete) return {};
  job.backup_file = copy->take_file();
  copy.reset();
  return {};
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
    if (job->kind == JobKind::kCheckpoint || job->kind == JobKind::kBackupCopy) continue;
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
