#include "daemon/engine/reader_lanes.h"

#include <fmt/format.h>
#include <pthread.h>

#include "daemon/base/clock.h"
#include "daemon/base/thread_schedule.h"
#include "daemon/engine/backup_reader.h"
#include "daemon/engine/job_runner.h"
#include "daemon/engine/shared_snapshot.h"
#include "daemon/engine/stream_file.h"

namespace skua {

ReaderLanes::ReaderLanes(std::vector<std::unique_ptr<Database>>& databases, CompletionQueue& completions,
                         const std::atomic<std::uint64_t>& short_reads, std::uint32_t threads, std::uint64_t held_bytes_max)
    : databases_(databases), completions_(completions), short_reads_(short_reads), held_bytes_max_(held_bytes_max) {
  for (std::uint32_t i = 0; i < threads; ++i) {
    threads_.emplace_back([this] { run(); });
    pthread_setname_np(threads_.back().native_handle(), fmt::format("reader-{}", i).c_str());
  }
}

ReaderLanes::~ReaderLanes() {
  queue_.close();
  for (std::thread& thread : threads_) thread.join();
}

void ReaderLanes::run() {
  schedule_behind_others();
  StreamPace pace(short_reads_);
  while (std::unique_ptr<Job> job = queue_.pop()) {
    job->lane_begin_us = monotonic_us();
    run_job(*job, pace);
    job->lane_us = monotonic_us() - job->lane_begin_us;
    completions_.push(std::move(job));
  }
}

void ReaderLanes::run_job(Job& job, StreamPace& pace) {
  if (job.kind == JobKind::kBackupRead) return read_backup(job);
  if (job.kind == JobKind::kSpoolRead) return StreamFile::read(job);
  if (job.kind == JobKind::kSpoolDrop) return job.spool_file.reset();
  if (!job.group_slots.empty()) return begin_group(job);
  if (job.kind == JobKind::kDiscard) return databases_[job.database]->close_reader(job.slot);
  auto connection = databases_[job.database]->reader(job.slot);
  if (!connection) {
    job.error = std::make_unique<Error>(std::move(connection).error());
    return;
  }
  JobRunner(**connection, job, held_bytes_max_, &completions_, &pace).run();
}

void ReaderLanes::begin_group(Job& job) {
  Database& database = *databases_[job.database];
  std::vector<Connection*> connections;
  for (const std::uint32_t slot : job.group_slots) {
    auto connection = database.reader(slot);
    if (!connection) {
      job.error = std::make_unique<Error>(std::move(connection).error());
      return;
    }
    connections.push_back(*connection);
  }
  if (const Status begun = begin_on_one_snapshot(database.commit_gate(), connections); !begun) {
    job.error = std::make_unique<Error>(begun.error());
    return;
  }
  job.transaction_open = true;
}

}  // namespace skua
