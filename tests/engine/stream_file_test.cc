// A stream's rows in a file: the same frames as from the cursor, in the room that they are given.
#include <criterion/criterion.h>

#include "daemon/engine/job_runner.h"
#include "daemon/engine/stream_file.h"
#include "tests/engine/expectations.h"
#include "tests/engine/lane.h"
#include "tests/support/failure.h"

using namespace skua;
using namespace skua::test;

namespace {

constexpr const char* kSql =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) "
    "SELECT i, 'text ' || i, CASE i % 2 WHEN 0 THEN NULL ELSE i / 7.0 END FROM n";

struct Scene {
  Scene() : connection(database.reader()), lane(connection) {}

  // A request whose first batch has left, and its first rows.
  std::shared_ptr<Request> start() {
    auto request = execute_request(kSql);
    request->serial = 7;
    const Job job = lane.run(request);
    require(job.cursor_open, "a stream");
    add_answer(job, answer);
    return request;
  }
  Job make(JobKind kind, const std::shared_ptr<Request>& request, std::uint64_t room_bytes = 0) const {
    Job job;
    job.kind = kind;
    job.slot = 0;
    job.request = request;
    job.spool_file = file;
    job.spool_room_bytes = room_bytes;
    return job;
  }
  Job fill(const std::shared_ptr<Request>& request, std::uint64_t room_bytes) {
    Job job = make(JobKind::kSpool, request, room_bytes);
    JobRunner(connection, job, kMiB).run();
    require(job.error == nullptr, "a slice");
    file = job.spool_file;
    return job;
  }
  Job read(const std::shared_ptr<Request>& request) {
    Job job = make(JobKind::kSpoolRead, request);
    StreamFile::read(job);
    add_answer(job, answer);
    return job;
  }

  ScratchDatabase database;
  Connection& connection;
  Lane lane;
  std::shared_ptr<SpoolFile> file;
  Answer answer;
};

}  // namespace

Test(stream_file, gives_back_what_the_cursor_would_have_given) {
  Scene scene;
  const auto request = scene.start();
  std::uint64_t slices = 0;
  while (true) {
    ++slices;
    const Job job = scene.fill(request, 100 * kMiB);
    cr_assert(job.spool_has_rows && job.frames.empty() && !job.ended);
    if (job.cursor_open) continue;
    cr_expect(job.spool_pending_bytes == 0);
    cr_expect(job.spool_bytes > kMiB);
    break;
  }
  cr_expect(scene.connection.find_cursor(request->serial) == nullptr, "its snapshot is released");
  while (true) {
    const Job job = scene.read(request);
    cr_assert(job.error == nullptr);
    cr_assert(job.frames.size() == 1);
    cr_assert(job.ended == !job.spool_has_rows);
    if (job.ended) break;
  }
  cr_assert(scene.answer.done.has_value());
  cr_expect(scene.answer.done->row_count == 100'000);
  cr_expect(to_text(scene.answer.rows) == text_of(scene.connection, kSql));
}

Test(stream_file, a_batch_without_room_stays_beside_it_and_is_the_last_to_be_read) {
  Scene scene;
  const auto request = scene.start();
  const Job first = scene.fill(request, 0);
  cr_assert(first.cursor_open && first.spool_has_rows);
  cr_expect(first.spool_bytes == 0);
  const std::uint64_t batch_bytes = first.spool_pending_bytes;
  cr_assert(batch_bytes > 0);
  const Job refused = scene.fill(request, batch_bytes - 1);
  cr_expect(refused.cursor_open && refused.spool_bytes == 0 && refused.spool_pending_bytes == batch_bytes);
  const Job taken = scene.fill(request, batch_bytes);
  cr_expect(taken.spool_bytes == batch_bytes, "to the last byte");
  const std::size_t before = scene.answer.rows.size();
  while (scene.read(request).spool_has_rows) {
  }
  cr_assert(scene.answer.rows.size() > before);
  for (std::size_t i = 0; i < scene.answer.rows.size(); ++i) {
    cr_assert(scene.answer.rows[i][0] == Value(static_cast<std::int64_t>(i + 1)));
  }
  // The cursor is where the file ends.
  const Job next = scene.lane.run(JobKind::kContinue, request);
  add_answer(next, scene.answer);
  cr_expect(scene.answer.rows.back()[0] == Value(static_cast<std::int64_t>(scene.answer.rows.size())));
}

Test(stream_file, a_slice_that_is_stopped_closes_its_cursor) {
  Scene scene;
  const auto request = scene.start();
  request->token.cancel(CancelReason::kClient);
  Job job = scene.make(JobKind::kSpool, request, kMiB);
  JobRunner(scene.connection, job, kMiB).run();
  cr_assert(job.error != nullptr);
  cr_expect(job.error->code == ErrorCode::kCancelled);
  cr_expect(!job.cursor_open && scene.connection.find_cursor(request->serial) == nullptr);
}

Test(stream_file, a_disk_without_room_is_an_error_and_closes_the_cursor) {
  Scene scene;
  const auto request = scene.start();
  Job job = scene.make(JobKind::kSpool, request, std::uint64_t{1} << 60);  // no disk has so much
  JobRunner(scene.connection, job, kMiB).run();
  cr_assert(job.error != nullptr);
  cr_expect(job.error->code == ErrorCode::kDiskFull);
  cr_expect(scene.connection.find_cursor(request->serial) == nullptr);
}

Test(stream_file, a_read_without_a_cursor_leaves_nothing_if_it_is_longer_than_a_batch) {
  Scene scene;
  for (const bool longer : {false, true}) {
    auto request = execute_request(longer ? kSql : "SELECT 1");
    request->serial = 8;
    Job job;
    job.slot = 0;
    job.request = request;
    job.without_cursor = true;
    JobRunner(scene.connection, job, kMiB).run();
    cr_assert(job.error == nullptr);
    cr_expect(job.needs_cursor == longer);
    cr_expect(job.frames.empty() == longer);
    cr_expect(!job.cursor_open && scene.connection.find_cursor(8) == nullptr);
  }
}
