// GroupRunner: writes of different requests in one transaction, so that one sync to the disk makes all of them durable.
//
// Nobody notices the company: each request sees what those before it left, and has the outcome it would have had alone.
// A request that rolls the transaction back, or must be undone by rolling it back, is taken out: those before it are run
// once more and committed without it, then it is run by itself if its outcome may have been the company's fault, then those
// behind it go on as a group. Belongs to the writer's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "daemon/core/executor.h"
#include "daemon/engine/connection.h"

namespace skua {

class GroupRunner {
 public:
  using Jobs = std::vector<Job*>;

  GroupRunner(Connection& connection, const Jobs& jobs, std::uint64_t held_bytes_max)
      : connection_(connection), jobs_(jobs), held_bytes_max_(held_bytes_max) {}

  // What has succeeded is committed. Returns how many jobs have their outcome: all, unless a sync to the disk failed; those
  // behind have none.
  std::size_t run();

 private:
  // Runs and commits jobs from `begin` on. Returns the first that is still to be run.
  std::size_t run_from(std::size_t begin);
  // The same for jobs that ran and were rolled back through no fault of theirs.
  std::size_t run_again(std::size_t begin, std::size_t end);
  // Runs jobs until one of them demands a rollback; returns that, or `end`.
  std::size_t run_members(std::size_t begin, std::size_t end);
  // Commits what ran_members() ran. False if nothing of it is committed, and it may be tried again.
  bool commit(std::size_t begin, std::size_t end);
  // Returns the first that is still to be run: `end`, unless a sync failed.
  std::size_t run_alone(std::size_t begin, std::size_t end);
  bool is_relaxed(std::size_t begin, std::size_t end) const;

  Connection& connection_;
  const Jobs& jobs_;
  const std::uint64_t held_bytes_max_;
  bool sync_failed_ = false;
};

}  // namespace skua
