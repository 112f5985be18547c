#include "daemon/core/backups.h"

#include <fmt/format.h>

#include "daemon/core/session_replies.h"

namespace skua {

namespace {

// For how many times as long as a slice took the lane belongs to the writes after it, if there are any: a sixth of the
// lane's time is for the backup, on any disk.
constexpr std::uint64_t kRestFactor = 5;
constexpr std::uint64_t kProgressUs = 100'000;

}  // namespace

Backups::Backups(CoreContext& context, Delivery& delivery, ReaderScheduler& readers, WriteScheduler& writers)
    : context_(context), delivery_(delivery), readers_(readers), writers_(writers) {
  loop_thread.assert_here();
  backups_.resize(context.database_names.size());
}

Status Backups::start(const std::shared_ptr<Request>& request) {
  Backup& backup = backups_[request->database];
  if (backup.stage != Stage::kNone) {
    return make_error(ErrorCode::kUnavailable, fmt::format("a backup of '{}' is under way already, and one at a time is all "
                                                           "there can be: retry later",
                                                           context_.database_names[request->database]));
  }
  backup = Backup();
  backup.stage = Stage::kCopying;
  backup.request = request;
  if (!writers_.is_owned(request->database)) copy_on(request->database);
  return {};
}

bool Backups::has_ended(const std::shared_ptr<Request>& request) {
  if (!request->is_ended() && request->token.is_cancelled()) {
    delivery_.fail(request, stopped_error(request->token.reason()));
  }
  return request->is_ended();
}

// ---- copying

void Backups::run_on_writer(std::uint16_t database, JobKind kind) {
  backups_[database].job_runs = true;
  auto job = std::make_unique<Job>();
  job->kind = kind;
  job->database = database;
  context_.run_on_writer(std::move(job));
}

void Backups::copy_on(std::uint16_t database) {
  Backup& backup = backups_[database];
  if (backup.stage != Stage::kCopying || backup.job_runs || backup.rest_timer != 0) return;
  backup.begun = true;
  backup.others_wrote = false;
  backup.request->stage = Request::Stage::kRunning;
  run_on_writer(database, JobKind::kBackupCopy);
}

void Backups::rest(std::uint16_t database, std::uint64_t slice_us) {
  backups_[database].rest_timer =
      context_.janitor.add(context_.now_us + kRestFactor * slice_us, [this, database] {
        loop_thread.assert_here();
        backups_[database].rest_timer = 0;
        if (!writers_.is_owned(database)) copy_on(database);
      });
}

void Backups::on_lane_turn(std::uint16_t database, bool others_wrote) {
  if (others_wrote) backups_[database].others_wrote = true;
  copy_on(database);
}

void Backups::on_slice_done(std::uint16_t database, Job& job) {
  Backup& backup = backups_[database];
  if (job.error != nullptr) {
    backup.begun = false;  // the lane has dropped it
    delivery_.fail(backup.request, *job.error);
  }
  if (job.backup_file != nullptr) {
    backup.begun = false;
    backup.file = std::move(job.backup_file);
  }
  if (has_ended(backup.request)) return drop(database);
  send_progress(backup, job);
  if (backup.file != nullptr) {
    backup.stage = Stage::kStreaming;
    return stream_on(database);
  }
  // Between two slices it can be stopped at once.
  backup.request->stage = Request::Stage::kQueued;
  if (backup.others_wrote || !writers_.is_free(database)) {
    rest(database, job.slice_us);
  } else {
    copy_on(database);  // nobody has it
  }
}

void Backups::send_progress(Backup& backup, const Job& job) {
  const bool is_due = context_.now_us >= backup.progress_us + kProgressUs || backup.file != nullptr;
  if (!is_due || backup.request->session == nullptr) return;
  backup.progress_us = context_.now_us;
  backup.request->session->sink->send(progress_response(backup.request->id, job.pages_done, job.pages_total));
}

// ---- streaming

void Backups::stream_on(std::uint16_t database) {
  Backup& backup = backups_[database];
  const std::shared_ptr<Request>& request = backup.request;
  if (!request->held.empty() || !delivery_.may_continue(*request)) return park(database);
  delivery_.unpark(request);
  delivery_.begin_batch(*request);
  backup.job_runs = true;
  auto job = std::make_unique<Job>();
  job->kind = JobKind::kBackupRead;
  job->database = database;
  job->slot = kNoSlot;
  job->request = request;
  job->backup_file = backup.file;
  job->backup_offset = backup.offset;
  readers_.run(std::move(job));
}

void Backups::park(std::uint16_t database) {
  const std::shared_ptr<Request>& request = backups_[database].request;
  delivery_.park(request, [this, request] {
    loop_thread.assert_here();
    request->idle_timer = 0;
    delivery_.fail(request, make_error(ErrorCode::kLimit, fmt::format("the backup was granted no credit for {} ms "
                                                                      "(stream_idle_ms_max)",
                                                                      context_.limits.stream_idle_ms_max)));
    on_request_ended(request);
  });
}

void Backups::on_piece_done(std::uint16_t database, Job& job) {
  Backup& backup = backups_[database];
  backup.offset = job.backup_offset;
  delivery_.deliver(job);
  if (has_ended(backup.request)) return drop(database);
  stream_on(database);
}

void Backups::resume(const std::shared_ptr<Request>& request) {
  if (request->stage != Request::Stage::kParked) return;
  delivery_.send_held(request);
  if (request->is_ended()) return on_request_ended(request);
  if (request->last_is_held) return;
  stream_on(request->database);
}

// ---- ends

void Backups::on_job_done(Job& job) {
  const std::uint16_t database = job.database;
  Backup& backup = backups_[database];
  backup.job_runs = false;
  switch (job.kind) {
    case JobKind::kBackupCopy: return on_slice_done(database, job);
    case JobKind::kBackupRead: return on_piece_done(database, job);
    default: backup = Backup();  // dropped
  }
}

void Backups::on_request_ended(const std::shared_ptr<Request>& request) {
  const Backup& backup = backups_[request->database];
  // A job under way comes back to the same end.
  if (backup.request == request && !backup.job_runs) drop(request->database);
}

void Backups::drop(std::uint16_t database) {
  Backup& backup = backups_[database];
  context_.janitor.cancel(std::exchange(backup.rest_timer, 0));
  backup.request = nullptr;
  backup.file = nullptr;
  if (!backup.begun) {
    backup = Backup();
    return;
  }
  backup.stage = Stage::kDropping;
  run_on_writer(database, JobKind::kBackupEnd);
}

}  // namespace skua
