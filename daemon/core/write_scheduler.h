// WriteScheduler: who has each database's one writer connection, and who waits for it, fairly between sessions.
//
// Writes that commit by themselves are handed to the lane as they come, up to two groups ahead: the lane commits together
// what has gathered while it was busy; but of each session no more than is expected to last for a part of a slice, because what the lane
// has cannot be overtaken. A write transaction gets the lane when those before it are done, and owns it until it
// ends; the others wait here meanwhile. An executeMany in slices waits here again after each of them. Loop thread.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "daemon/core/context.h"
#include "daemon/core/delivery.h"
#include "daemon/core/fair_queue.h"
#include "daemon/core/lane_user.h"
#include "protocol/locks.h"

namespace skua {

// Which of the waiting writes are handed to a lane; those in it go on.
enum class WriteAdmission : std::uint8_t {
  kAll,
  kSingles,  // none that opens a transaction, and no more than one group ahead
  kNone,
};

class WriteScheduler {
 public:
  WriteScheduler(CoreContext& context, Delivery& delivery);
  void set_lane_user(LaneUser& user) { user_ = &user; }

  // A write outside of a transaction, or a request that opens a write transaction.
  void submit(const std::shared_ptr<Request>& request) SKUA_REQUIRES(loop_thread);
  // The transaction that had the lane has ended.
  void release(std::uint16_t database) SKUA_REQUIRES(loop_thread);
  // A job of a write outside of a transaction.
  void on_job_done(std::unique_ptr<Job> job) SKUA_REQUIRES(loop_thread);

  void admit(std::uint16_t database, WriteAdmission admission) SKUA_REQUIRES(loop_thread);
  // A write transaction has the lane.
  bool is_owned(std::uint16_t database) const SKUA_REQUIRES(loop_thread) { return lanes_[database].owner != nullptr; }
  // Nothing runs in the lane or is on its way to it.
  bool is_free(std::uint16_t database) const SKUA_REQUIRES(loop_thread) {
    return lanes_[database].owner == nullptr && lanes_[database].handed.empty();
  }

  std::size_t waiting() const SKUA_REQUIRES(loop_thread);
  std::size_t busy() const SKUA_REQUIRES(loop_thread);

  // Who has the database's writer and who waits for it.
  DatabaseLock lock_of(std::uint16_t database) const SKUA_REQUIRES(loop_thread);
  // Who the request waits for, and how many others wait: a clause for its error. Empty if nobody is in its way.
  std::string blame(const Request& request) const SKUA_REQUIRES(loop_thread);

  // Takes back a write that the lane has not started; it never will. False if it has, or if it is no such write.
  static bool withdraw(Request& request) SKUA_REQUIRES(loop_thread);

 private:
  struct Handed {
    const Request* request;
    std::uint64_t since_us;
    // What it is expected to use of the lane.
    std::uint64_t expected_us;
  };
  struct Lane {
    FairQueue<std::shared_ptr<Request>> queue;
    WriteAdmission admission = WriteAdmission::kAll;
    // The write transaction that has it.
    std::shared_ptr<Transaction> owner;
    // The writes handed to the lane that commit by themselves, oldest first, and their bytes. Their jobs keep them
    // alive.
    std::deque<Handed> handed;
    std::uint64_t handed_bytes = 0;
    // By session: how long those are expected to take.
    std::unordered_map<std::uint64_t, std::uint64_t> handed_us;
  };

  std::optional<LockHolder> holder_in(const Lane& lane) const SKUA_REQUIRES(loop_thread);
  void pump(std::uint16_t database) SKUA_REQUIRES(loop_thread);
  bool has_room(const Lane& lane) const SKUA_REQUIRES(loop_thread);
  void enqueue(const std::shared_ptr<Request>& request) SKUA_REQUIRES(loop_thread);
  void watch_wait(const std::shared_ptr<Request>& request) SKUA_REQUIRES(loop_thread);
  void run(const std::shared_ptr<Request>& request) SKUA_REQUIRES(loop_thread);
  // Takes the progress of a request in slices out of its job. True if it has rows left and goes on.
  static bool take_slice(Job& job) SKUA_REQUIRES(loop_thread);
  void park(const std::shared_ptr<Request>& request) SKUA_REQUIRES(loop_thread);

  CoreContext& context_;
  Delivery& delivery_;
  LaneUser* user_ = nullptr;
  std::vector<Lane> lanes_ SKUA_GUARDED_BY(loop_thread);
};

}  // namespace skua
