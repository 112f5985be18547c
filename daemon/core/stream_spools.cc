#include "daemon/core/stream_spools.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace skua {

namespace {

using SpoolState = StreamSpool::State;

constexpr std::uint32_t kFillingMax = 1;
constexpr std::uint32_t kNeededFillingMax = 2;
// A stream is begun only if this part of spool_total_bytes_max is left: else many would be begun and none would get far.
constexpr std::uint64_t kTotalPart = 8;

std::uint64_t less(std::uint64_t from, std::uint64_t what) { return from > what ? from - what : 0; }

// By a thread that has time: to close a file that has no name is to free its blocks.
void drop(CoreContext& context, std::shared_ptr<SpoolFile> file) {
  if (file != nullptr) context.spools.dropped.push_back(std::move(file));
}

}  // namespace

void StreamSpools::start_lease(Request& request) const {
  request.lease_until_us = context_.now_us + std::uint64_t{context_.limits.stream_lease_ms_max} * 1000;
}

bool StreamSpools::is_lease_over(const Request& request) const {
  return context_.limits.stream_lease_ms_max != 0 && context_.now_us >= request.lease_until_us;
}

std::uint64_t StreamSpools::time_us_of(const Request& request) const {
  if (context_.limits.stream_lease_ms_max == 0 || !request.cursor_open || request.is_ended()) return UINT64_MAX;
  if (request.spool == nullptr) return request.lease_until_us;
  return request.spool->state == SpoolState::kFull ? request.spool->full_until_us : UINT64_MAX;
}

std::uint64_t StreamSpools::total_room_bytes() const {
  return less(context_.limits.spool_total_bytes_max, context_.spools.bytes + context_.spools.promised);
}

std::uint64_t StreamSpools::room_bytes(const StreamSpool& spool) const {
  return std::min(less(context_.limits.spool_bytes_max, spool.bytes), total_room_bytes());
}

bool StreamSpools::may_begin(bool needed) const {
  const std::uint32_t filling_max = std::min(needed ? kNeededFillingMax : kFillingMax, context_.limits.reader_threads);
  return context_.limits.spool_total_bytes_max != 0 && context_.spools.filling < filling_max &&
         total_room_bytes() >= (context_.limits.spool_total_bytes_max + kTotalPart - 1) / kTotalPart;
}

void StreamSpools::begin(Request& request) {
  SKUA_CHECK(request.spool == nullptr && request.cursor_open);
  request.spool = std::make_unique<StreamSpool>();
  ++context_.spools.filling;
  ++context_.spools.streams_total;
}

std::unique_ptr<Job> StreamSpools::make_slice(const std::shared_ptr<Request>& request) {
  const StreamSpool& spool = *request->spool;
  SKUA_CHECK(spool.state == SpoolState::kFilling && request->cursor_open);
  auto job = std::make_unique<Job>();
  job->kind = JobKind::kSpool;
  job->database = request->database;
  job->slot = request->slot;
  job->request = request;
  job->spool_file = spool.file;
  job->spool_room_bytes = std::min(room_bytes(spool), std::max(kSliceBytes, spool.pending_bytes));
  context_.spools.promised += job->spool_room_bytes;
  return job;
}

std::unique_ptr<Job> StreamSpools::make_read(const std::shared_ptr<Request>& request) {
  StreamSpool& spool = *request->spool;
  SKUA_CHECK(spool.has_rows);
  if (spool.reads_left > 0) --spool.reads_left;
  auto job = std::make_unique<Job>();
  job->kind = JobKind::kSpoolRead;
  job->database = request->database;
  job->slot = kNoSlot;
  job->request = request;
  job->spool_file = spool.file;
  return job;
}

void StreamSpools::on_slice_done(Request& request, Job& job) {
  context_.spools.promised -= job.spool_room_bytes;
  if (request.spool == nullptr) {
    drop(context_, std::move(job.spool_file));
    return;
  }
  StreamSpool& spool = *request.spool;
  spool.file = job.spool_file;
  if (job.error != nullptr) return;  // the request ends with it
  context_.spools.bytes += job.spool_bytes - spool.bytes;
  spool.bytes = job.spool_bytes;
  take_pending(spool, job);
  spool.has_rows = job.spool_has_rows;
  spool.reads_left = kReadsPerSlice;
  if (!job.cursor_open) {
    spool.state = SpoolState::kComplete;
  } else if (spool.pending_bytes > room_bytes(spool)) {
    spool.state = SpoolState::kFull;
    spool.total_is_full = spool.pending_bytes > total_room_bytes();
    spool.full_until_us = context_.now_us + std::uint64_t{context_.limits.stream_lease_ms_max} * 1000;
  }
  if (spool.state != SpoolState::kFilling) --context_.spools.filling;
}

void StreamSpools::on_read_done(Request& request, Job& job) {
  if (request.spool == nullptr) {
    drop(context_, std::move(job.spool_file));
  } else {
    take_pending(*request.spool, job);
    request.spool->has_rows = job.spool_has_rows;
  }
}

void StreamSpools::take_pending(StreamSpool& spool, const Job& job) {
  context_.memory.held += job.spool_pending_bytes;
  context_.memory.held -= std::exchange(spool.pending_bytes, job.spool_pending_bytes);
}

void StreamSpools::end_full(Request& request) {
  SKUA_CHECK(request.spool->state == SpoolState::kFull && !request.spool->has_rows);
  forget(context_, request);
  start_lease(request);
}

Error StreamSpools::full_error(const Request& request) const {
  const bool total = request.spool->total_is_full;
  return make_error(
      ErrorCode::kLimit,
      fmt::format("the stream was read too slowly: it was open for longer than stream_lease_ms_max ({} ms), and the rest of its "
                  "rows does not fit into {} ({} bytes): read it sooner, or raise the limit",
                  context_.limits.stream_lease_ms_max, total ? "spool_total_bytes_max, which all streams share" : "spool_bytes_max",
                  total ? context_.limits.spool_total_bytes_max : context_.limits.spool_bytes_max));
}

void StreamSpools::forget(CoreContext& context, Request& request) {
  if (request.spool == nullptr) return;
  const std::unique_ptr<StreamSpool> spool = std::move(request.spool);
  context.spools.bytes -= spool->bytes;
  context.memory.held -= spool->pending_bytes;
  if (spool->state == SpoolState::kFilling) --context.spools.filling;
  drop(context, std::move(spool->file));
}

}  // namespace skua
