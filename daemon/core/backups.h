// Backups: the requests for a copy of a database, at most one of each database at a time.
//
//   start ─► copying ─────────────────────────────► streaming ─► gone
//               │ cancelled, deadline, session gone     │          ▲
//               └─► dropping ───────────────────────────┴──────────┘
//
// While copying, the writer's lane copies a slice between the writes of others, never inside of somebody's transaction, and
// if others write it rests after each slice for a multiple of the time that it took. While streaming, a reader thread reads
// a piece of the finished copy when the request has credit for it; neither the writer nor a snapshot is held, nor a thread
// between two pieces. In dropping the lane forgets what it has copied. Loop thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "daemon/core/context.h"
#include "daemon/core/delivery.h"
#include "daemon/core/reader_scheduler.h"
#include "daemon/core/write_scheduler.h"

namespace skua {

class Backups {
 public:
  Backups(CoreContext& context, Delivery& delivery, ReaderScheduler& readers, WriteScheduler& writers);

  // kUnavailable if there is one of this database already.
  Status start(const std::shared_ptr<Request>& request) SKUA_REQUIRES(loop_thread);
  // A job of this class's own.
  void on_job_done(Job& job) SKUA_REQUIRES(loop_thread);
  // A writer's job has come back, and nobody's transaction is open behind it. Before others get the lane: their
  // transactions could follow each other without end.
  void on_lane_turn(std::uint16_t database, bool others_wrote) SKUA_REQUIRES(loop_thread);
  // The client granted credit, or took its responses.
  void resume(const std::shared_ptr<Request>& request) SKUA_REQUIRES(loop_thread);
  // The request was ended from outside.
  void on_request_ended(const std::shared_ptr<Request>& request) SKUA_REQUIRES(loop_thread);

 private:
  enum class Stage : std::uint8_t { kNone, kCopying, kDropping, kStreaming };

  struct Backup {
    Stage stage = Stage::kNone;
    std::shared_ptr<Request> request;  // null in kNone and kDropping
    std::shared_ptr<BackupFile> file;  // once it streams
    std::uint64_t offset = 0;
    bool job_runs = false;
    bool begun = false;         // the lane has a copy
    bool others_wrote = false;  // since the last slice began
    std::uint64_t rest_timer = 0;
    std::uint64_t progress_us = 0;  // when the client was last told
  };

  // The next slice, unless one is under way or it has to rest. The lane must be nobody's.
  void copy_on(std::uint16_t database) SKUA_REQUIRES(loop_thread);
  void rest(std::uint16_t database, std::uint64_t slice_us) SKUA_REQUIRES(loop_thread);
  void on_slice_done(std::uint16_t database, Job& job) SKUA_REQUIRES(loop_thread);
  void on_piece_done(std::uint16_t database, Job& job) SKUA_REQUIRES(loop_thread);
  // The next piece, if there is credit for it.
  void stream_on(std::uint16_t database) SKUA_REQUIRES(loop_thread);
  void park(std::uint16_t database) SKUA_REQUIRES(loop_thread);
  void send_progress(Backup& backup, const Job& job) SKUA_REQUIRES(loop_thread);
  // The request has ended: forgets it, and the copy.
  void drop(std::uint16_t database) SKUA_REQUIRES(loop_thread);
  void run_on_writer(std::uint16_t database, JobKind kind) SKUA_REQUIRES(loop_thread);
  // Ends the request if it was stopped while its job ran.
  bool has_ended(const std::shared_ptr<Request>& request) SKUA_REQUIRES(loop_thread);

  CoreContext& context_;
  Delivery& delivery_;
  ReaderScheduler& readers_;
  WriteScheduler& writers_;
  std::vector<Backup> backups_ SKUA_GUARDED_BY(loop_thread);
};

}  // namespace skua
