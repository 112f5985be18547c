#include "daemon/engine/group_runner.h"

#include <algorithm>
#include <memory>

#include "daemon/engine/job_runner.h"
#include "daemon/engine/sqlite_error.h"

namespace skua {

namespace {

// The request itself is the reason: by itself it would fail in the same way, and leave nothing.
bool is_own_fault(const Job& job) {
  if (job.error == nullptr) return false;
  switch (job.error->sqlite_code & 0xff) {
    case SQLITE_CONSTRAINT:  // OR ROLLBACK, RAISE(ROLLBACK), a deferred foreign key
    case SQLITE_INTERRUPT: return true;
    case SQLITE_OK: return true;  // a limit of ours
    default: return false;       // the disk or the memory may have been full of the others' changes
  }
}

}  // namespace

std::size_t GroupRunner::run() {
  std::size_t next = 0;
  while (next < jobs_.size() && !sync_failed_) next = run_from(next);
  // They may have run in a group that was then rolled back: nothing of that may be told.
  for (std::size_t i = next; i < jobs_.size(); ++i) jobs_[i]->forget_outcome();
  return next;
}

std::size_t GroupRunner::run_from(std::size_t begin) {
  const std::size_t end = jobs_.size();
  if (end - begin == 1 || !connection_.begin(false, is_relaxed(begin, end))) return run_alone(begin, end);
  const std::size_t broken = run_members(begin, end);
  if (broken == end) return commit(begin, end) ? end : run_alone(begin, end);
  connection_.rollback();
  const std::size_t done = run_again(begin, broken);
  if (sync_failed_ || is_own_fault(*jobs_[broken])) return sync_failed_ ? done : broken + 1;
  return run_alone(broken, broken + 1);
}

std::size_t GroupRunner::run_again(std::size_t begin, std::size_t end) {
  if (end - begin > 1 && connection_.begin(false, is_relaxed(begin, end))) {
    if (run_members(begin, end) == end && commit(begin, end)) return end;
    connection_.rollback();
  }
  return run_alone(begin, end);
}

std::size_t GroupRunner::run_members(std::size_t begin, std::size_t end) {
  for (std::size_t i = begin; i < end; ++i) {
    jobs_[i]->forget_outcome();
    if (!JobRunner(connection_, *jobs_[i], held_bytes_max_).run_in_group()) return i;
  }
  return end;
}

bool GroupRunner::commit(std::size_t begin, std::size_t end) {
  const Status committed = connection_.run_internal("COMMIT");
  if (committed) return true;
  connection_.rollback();
  sync_failed_ = is_sync_failure(committed.error().sqlite_code);
  if (!sync_failed_) return false;
  // Whether any of it is on the disk nobody knows, so nobody may try again as if it were not.
  for (std::size_t i = begin; i < end; ++i) {
    jobs_[i]->forget_outcome();
    jobs_[i]->error = std::make_unique<Error>(committed.error());
  }
  return true;
}

std::size_t GroupRunner::run_alone(std::size_t begin, std::size_t end) {
  for (std::size_t i = begin; i < end; ++i) {
    Job& job = *jobs_[i];
    job.forget_outcome();
    JobRunner(connection_, job, held_bytes_max_).run();
    sync_failed_ = job.error != nullptr && is_sync_failure(job.error->sqlite_code);
    if (sync_failed_) return i + 1;
  }
  return end;
}

bool GroupRunner::is_relaxed(std::size_t begin, std::size_t end) const {
  const auto first = jobs_.begin();
  return std::all_of(first + static_cast<std::ptrdiff_t>(begin), first + static_cast<std::ptrdiff_t>(end),
                     [](const Job* job) { return job->relaxed; });
}

}  // namespace skua
