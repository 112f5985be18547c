#include "daemon/engine/writer_lane.h"

#include <pthread.h>

#include "daemon/engine/job_runner.h"

namespace skua {

WriterLane::WriterLane(Database& database, CompletionQueue& completions, std::uint64_t held_bytes_max)
    : database_(database), completions_(completions), held_bytes_max_(held_bytes_max) {
  thread_ = std::thread([this] { run(); });
  pthread_setname_np(thread_.native_handle(), ("w-" + database.options().name).substr(0, 15).c_str());
}

WriterLane::~WriterLane() {
  queue_.close();
  thread_.join();
}

void WriterLane::run() {
  while (std::unique_ptr<Job> job = queue_.pop()) {
    JobRunner(database_.writer(), *job, held_bytes_max_).run();
    completions_.push(std::move(job));
    // After the answer is on its way: a checkpoint is nobody's waiting time but the next writer's.
    database_.governor().after_job(database_.writer());
  }
}

}  // namespace skua
