#include "daemon/engine/sqlite_executor.h"

#include <sqlite3.h>

#include <algorithm>

#include "daemon/engine/database.h"
#include "daemon/engine/reader_lanes.h"
#include "daemon/engine/writer_lane.h"

namespace skua {

SqliteExecutor::SqliteExecutor(const Limits& limits, CompletionQueue& completions)
    : limits_(limits), completions_(completions) {}

SqliteExecutor::~SqliteExecutor() { stop(); }

void SqliteExecutor::stop() {
  readers_.reset();
  asleep_.clear();
  writers_.clear();
  databases_.clear();
}

Result<std::unique_ptr<SqliteExecutor>> SqliteExecutor::open(const std::vector<DatabaseOptions>& databases,
                                                             const Limits& limits, CompletionQueue& completions) {
  std::unique_ptr<SqliteExecutor> executor(new SqliteExecutor(limits, completions));
  for (const DatabaseOptions& options : databases) {
    SKUA_ASSIGN(std::unique_ptr<Database> database, Database::open(options, limits.reader_connections_max));
    executor->databases_.push_back(std::move(database));
  }
  executor->writers_.resize(databases.size());
  executor->readers_ = std::make_unique<ReaderLanes>(executor->databases_, completions, limits.reader_threads,
                                                     limits.held_result_bytes_max);
  return executor;
}

void SqliteExecutor::run_on_reader(std::unique_ptr<Job> job) {
  if (readers_ != nullptr) readers_->push(std::move(job));
}

void SqliteExecutor::run_on_writer(std::unique_ptr<Job> job) {
  if (databases_.empty()) return;
  std::unique_ptr<WriterLane>& writer = writers_[job->database];
  if (writer == nullptr) {
    writer = std::make_unique<WriterLane>(*databases_[job->database], completions_, limits_);
  }
  writer->push(std::move(job));
  if (std::find(asleep_.begin(), asleep_.end(), writer.get()) == asleep_.end()) asleep_.push_back(writer.get());
}

void SqliteExecutor::flush(bool lonely) {
  for (WriterLane* writer : asleep_) {
    if (!lonely || asleep_.size() > 1 || !writer->run_lonely()) writer->wake();
  }
  asleep_.clear();
}

std::string SqliteExecutor::sqlite_version() { return sqlite3_libversion(); }

}  // namespace skua
