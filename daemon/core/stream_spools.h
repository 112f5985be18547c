// StreamSpools: the leases of streams' cursors, and how much of the files that take their rows is used.
//
// Says whether a cursor's time is over, how much of its rows may be put into its file, and what is to be done when a job of it
// is done; ReaderScheduler, which has the connections, says when. Few streams are put into files at a time: two that are done
// give back more than ten that are half done, and everybody else's reads wait behind two. Loop thread.
#pragma once

#include <cstdint>
#include <memory>

#include "daemon/core/context.h"
#include "daemon/core/executor.h"
#include "daemon/core/request.h"

namespace skua {

class StreamSpools {
 public:
  // What one slice adds to a file at the most, unless one batch alone is larger.
  static constexpr std::uint64_t kSliceBytes = 4 * kMiB;
  // How many batches a client that has credit takes between two slices: enough that it hardly notices, and so few that the
  // cursor comes to its end much sooner than the client.
  static constexpr std::uint32_t kReadsPerSlice = 8;

  explicit StreamSpools(CoreContext& context) : context_(context) {}

  // The request's cursor was opened, or its file was read to the end.
  void start_lease(Request& request) const SKUA_REQUIRES(loop_thread);
  // The cursor has been kept for stream_lease_ms_max.
  bool is_lease_over(const Request& request) const SKUA_REQUIRES(loop_thread);
  // What the lease of a cursor, or the time to read a full file, ends at. UINT64_MAX if it does not.
  std::uint64_t time_us_of(const Request& request) const SKUA_REQUIRES(loop_thread);

  // True if one more stream may be put into a file now.
  bool may_begin() const SKUA_REQUIRES(loop_thread);
  // cursor → filling.
  void begin(Request& request) SKUA_REQUIRES(loop_thread);
  // The next kSpool or kSpoolRead; the connection is up to the caller.
  std::unique_ptr<Job> make_slice(const std::shared_ptr<Request>& request) SKUA_REQUIRES(loop_thread);
  std::unique_ptr<Job> make_read(const std::shared_ptr<Request>& request) SKUA_REQUIRES(loop_thread);
  // Such a job has come back. filling → filling, full or complete. The request may have ended meanwhile.
  void on_slice_done(Request& request, Job& job) SKUA_REQUIRES(loop_thread);
  void on_read_done(Request& request, Job& job) SKUA_REQUIRES(loop_thread);
  // full → cursor: the client has read all.
  void end_full(Request& request) SKUA_REQUIRES(loop_thread);
  // Why a stream whose file was full for too long ends.
  Error full_error(const Request& request) const SKUA_REQUIRES(loop_thread);

  // Delivery, for a request that has ended: its file goes.
  static void forget(CoreContext& context, Request& request) SKUA_REQUIRES(loop_thread);

 private:
  // By how much the file may still grow, beside what slices under way were promised.
  std::uint64_t room_bytes(const StreamSpool& spool) const SKUA_REQUIRES(loop_thread);
  std::uint64_t total_room_bytes() const SKUA_REQUIRES(loop_thread);
  // The batch beside the file is in memory.
  void take_pending(StreamSpool& spool, const Job& job) SKUA_REQUIRES(loop_thread);

  CoreContext& context_;
};

}  // namespace skua
