// Streams that keep their thread from batch to batch: how far they go, and when they stop.
#include <criterion/criterion.h>

#include "tests/core/core_world.h"

namespace {

using namespace skua;
using namespace skua::test;

// As far ahead as a stream may be whose client wants everything.
std::uint64_t far_ahead(const Request& request) {
  loop_thread.assert_here();
  return request.sent_bytes + kRunAheadBytes;
}

}  // namespace

Test(stream_run, goes_on_as_far_as_its_credit) {
  CoreWorld world;
  CoreClient& client = world.connect();
  const auto id = world.execute(client, "SELECT * FROM big", 0, 0, 100'000);
  cr_expect(world.job().request->wanted_bytes == 0, "the first batch comes by itself");
  world.stream(8'000);
  cr_assert(world.job().kind == JobKind::kContinue);
  const Request& request = *world.job().request;
  cr_expect(request.wanted_bytes == 100'000);
  world.stream_on(60'000);
  cr_expect(world.job_count() == 1, "the job goes on");
  cr_expect(client.answers.size() == 3u, "its batches are sent meanwhile");
  cr_expect(request.wanted_bytes == 100'000, "it is told nothing new");
  world.grant(client, id, 50'000);
  cr_expect(request.wanted_bytes == 150'000);
  client.unsent = 5 * kMiB;
  world.stream_on(40'000);
  cr_expect(request.wanted_bytes < 110'000, "a client that does not read gets nothing ahead");
  client.unsent = 0;
  world.stream_on(1'000);
  cr_expect(request.wanted_bytes == 150'000);
  world.succeed();
  cr_expect_eq(client.terminal_answers_to(id), 1u);
}

Test(stream_run, leaves_its_thread_to_others_who_wait) {
  Limits limits;
  limits.reader_threads = 1;
  CoreWorld world(limits);
  CoreClient& client = world.connect();
  CoreClient& other = world.connect();
  world.execute(client, "SELECT * FROM big", 0, 0, 1'000'000);
  world.stream(8'000);
  const std::shared_ptr<Request> stream = world.job().request;
  cr_assert(stream->wanted_bytes == far_ahead(*stream));
  const auto id = world.execute(other, "SELECT 1");
  cr_expect(stream->wanted_bytes == 0, "it is to stop after its batch");
  world.stream_on(8'000);
  cr_expect(stream->wanted_bytes == 0, "the batch that was under way changes nothing");
  world.stream(8'000);
  cr_assert(world.job_count() == 1);
  cr_assert(world.job().request != stream, "it is the other's turn");
  world.succeed();
  cr_expect_eq(other.terminal_answers_to(id), 1u);
  cr_assert(world.job().request == stream);
  cr_expect(stream->wanted_bytes == far_ahead(*stream));
}

Test(stream_run, batches_for_a_client_that_is_gone_are_dropped) {
  CoreWorld world;
  CoreClient& client = world.connect();
  world.execute(client, "SELECT * FROM big", 0, 0, 1'000'000);
  world.stream(8'000);
  world.disconnect(client);
  cr_assert(world.job_count() == 1);
  world.stream_on(8'000);
  cr_expect(world.job().request->token.is_cancelled());
}

Test(stream_run, is_never_far_ahead_of_what_was_sent) {
  CoreWorld world;
  CoreClient& client = world.connect();
  world.execute(client, "SELECT * FROM big", 0, 0, 60 * kMiB);
  world.stream(8'000);
  const std::shared_ptr<Request> stream = world.job().request;
  for (int i = 0; i < 5; ++i) {
    cr_expect(stream->wanted_bytes == far_ahead(*stream));
    world.stream_on(60'000);
  }
}

Test(stream_run, stops_when_its_lease_is_over) {
  Limits limits;
  limits.stream_lease_ms_max = 1'000;
  CoreWorld world(limits);
  CoreClient& client = world.connect();
  world.execute(client, "SELECT * FROM big", 0, 0, 60 * kMiB);
  world.stream(8'000);
  const std::shared_ptr<Request> stream = world.job().request;
  world.pass_ms(500);
  world.stream_on(60'000);
  cr_expect(stream->wanted_bytes == far_ahead(*stream));
  world.pass_ms(600);
  world.stream_on(60'000);
  cr_expect(stream->wanted_bytes == 0, "the rest of its rows is for a file");
  world.stream(60'000);
  cr_assert(world.job_count() == 1);
  cr_expect(world.job().kind != JobKind::kContinue || stream->wanted_bytes == 0);
}

Test(stream_run, takes_memory_for_its_batches_ahead_and_gives_it_back) {
  Limits limits;
  // Of one half, batches ahead may be made.
  limits.response_memory_bytes_max = 2 * (kBatchBytes + kRunAheadBytes + 100'000);
  CoreWorld world(limits);
  CoreClient& client = world.connect();
  for (int i = 0; i < 10; ++i) {
    const auto first_id = world.execute(client, "SELECT * FROM big", 0, 0, kMiB);
    world.stream(8'000);
    const std::shared_ptr<Request> first = world.job().request;
    cr_assert(first->wanted_bytes == far_ahead(*first), "round %d", i);
    world.execute(client, "SELECT * FROM other", 0, 0, kMiB);
    world.stream(8'000, 1);
    // Alone it would get none of it; a batch at a time it goes on.
    for (std::size_t job = 1; job < world.job_count(); ++job) cr_expect(world.executor.jobs.at(job)->request->wanted_bytes == 0);
    world.stream_on(60'000);
    if (i % 2 == 0) world.cancel(client, first_id);
    while (world.job_count() > 0) {
      if (i % 2 == 0 && world.job().request == first && world.job().kind == JobKind::kContinue) {
        world.fail(ErrorCode::kCancelled, true);
      } else {
        world.succeed();
      }
    }
  }
}
