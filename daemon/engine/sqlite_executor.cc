#include "daemon/engine/sqlite_executor.h"

#include <sqlite3.h>

#include <algorithm>

#include "daemon/base/clock.h"
#include "daemon/engine/database.h"
#include "daemon/engine/inline_lane.h"
#include "daemon/engine/job_runner.h"
#include "daemon/engine/reader_lanes.h"
#include "daemon/engine/writer_lane.h"

namespace skua {

namespace {

// What the first batch of a stream may take on the loop thread, in ticks of a reader connection: several times what such a batch
// takes that comes row by row.
constexpr std::uint32_t kStartTicksMax = 200;
// What another job of a reader connection may take there, in the same ticks.
constexpr std::uint32_t kJobTicksMax = 100;

}  // namespace

SqliteExecutor::SqliteExecutor(const Limits& limits, CompletionQueue& completions)
    : limits_(limits), completions_(completions) {}

SqliteExecutor::~SqliteExecutor() { stop(); }

void SqliteExecutor::stop() {
  readers_.reset();
  reading_.clear();
  inline_lanes_.clear();
  asleep_.clear();
  writers_.clear();
  databases_.clear();
}

void SqliteExecutor::configure_process() {
  // Connections are opened without mutexes in any case; this spares those that belong to none.
  sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
  // Counting what it allocates takes one mutex for the whole process, at every malloc(3) and free(3), and nobody reads it.
  sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

Result<std::unique_ptr<SqliteExecutor>> SqliteExecutor::open(const std::vector<DatabaseOptions>& databases,
                                                             const Limits& limits, CompletionQueue& completions) {
  std::unique_ptr<SqliteExecutor> executor(new SqliteExecutor(limits, completions));
  for (const DatabaseOptions& options : databases) {
    SKUA_ASSIGN(std::unique_ptr<Database> database, Database::open(options, limits.reader_connections_max));
    SKUA_ASSIGN(std::unique_ptr<InlineLane> inline_lane, InlineLane::open(*database));
    executor->databases_.push_back(std::move(database));
    executor->inline_lanes_.push_back(std::move(inline_lane));
  }
  executor->writers_.resize(databases.size());
  executor->readers_ = std::make_unique<ReaderLanes>(executor->databases_, completions, executor->short_reads_,
                                                     limits.reader_threads, limits.held_result_bytes_max);
  return executor;
}

void SqliteExecutor::run_on_reader(std::unique_ptr<Job> job) {
  loop_thread.assert_here();
  if (readers_ == nullptr) return;
  if (job->at_once && run_at_once(*job)) {
    std::vector<std::unique_ptr<Job>> done;
    done.push_back(std::move(job));
    completions_.push_quietly(std::move(done));
    return;
  }
  job->at_once = false;
  readers_->push(std::move(job));
}

bool SqliteExecutor::run_at_once(Job& job) {
  Connection* connection = databases_[job.database]->open_reader(job.slot);
  if (connection == nullptr) return false;
  {
    job.lane_begin_us = monotonic_us();
    const Connection::Budget budget(*connection, kJobTicksMax);
    const Connection::ShortValues short_values(*connection);
    JobRunner(*connection, job, 0).run();
    job.lane_us = monotonic_us() - job.lane_begin_us;
  }
  if (job.error == nullptr) return true;
  // Whatever it was, a lane does the same again and says what there is to say.
  job.forget_outcome();
  job.lane_us = 0;
  return false;
}

void SqliteExecutor::run_on_writer(std::unique_ptr<Job> job) {
  loop_thread.assert_here();
  if (databases_.empty()) return;
  // Some checkpoints need a moment without readers; a snapshot that is only kept must not take it from them.
  if (job->kind == JobKind::kCheckpoint) inline_lanes_[job->database]->let_go();
  databases_[job->database]->write_watch().on_handed();
  std::unique_ptr<WriterLane>& writer = writers_[job->database];
  if (writer == nullptr) {
    writer = std::make_unique<WriterLane>(*databases_[job->database], completions_, limits_);
  }
  writer->push(std::move(job));
  if (std::find(asleep_.begin(), asleep_.end(), writer.get()) == asleep_.end()) asleep_.push_back(writer.get());
}

InlineRead SqliteExecutor::read_inline(Job& job) {
  loop_thread.assert_here();
  if (databases_.empty()) return InlineRead::kRefused;
  InlineLane& lane = *inline_lanes_[job.database];
  if (std::find(reading_.begin(), reading_.end(), &lane) == reading_.end()) reading_.push_back(&lane);
  // Nobody else counts.
  short_reads_.store(short_reads_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  return lane.run(job);
}

InlineRead SqliteExecutor::start_inline(Job& job) {
  loop_thread.assert_here();
  Connection* connection = databases_.empty() ? nullptr : databases_[job.database]->open_reader(job.slot);
  if (connection == nullptr) return InlineRead::kRefused;
  {
    const Connection::Budget budget(*connection, kStartTicksMax);
    JobRunner(*connection, job, 0).run();
  }
  if (job.error == nullptr && !job.needs_writer) return InlineRead::kDone;
  // Whatever it was, a lane does the same again and says what there is to say.
  job.forget_outcome();
  return InlineRead::kOverrun;
}

void SqliteExecutor::end_inline_snapshot(std::uint16_t database) {
  loop_thread.assert_here();
  if (!databases_.empty()) inline_lanes_[database]->let_go();
}

void SqliteExecutor::flush(bool lonely) {
  loop_thread.assert_here();
  // Before the writers are awake: what they write and checkpoint must not find an old snapshot in its way.
  std::erase_if(reading_, [](InlineLane* lane) {
    loop_thread.assert_here();
    lane->on_turn_end();
    return !lane->holds_snapshot();
  });
  for (WriterLane* writer : asleep_) {
    if (!lonely || asleep_.size() > 1 || !writer->run_lonely()) writer->wake();
  }
  asleep_.clear();
}

std::string SqliteExecutor::sqlite_version() { return sqlite3_libversion(); }

}  // namespace skua
