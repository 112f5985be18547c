// Streams outside of transactions whose rows go into a file: when, in what order, how many, up to which caps; and who gets a
// connection when all are kept by streams.
#include <criterion/criterion.h>

#include <algorithm>

#include "tests/core/core_world.h"

namespace {

using namespace skua;
using skua::test::Answer;
using skua::test::CoreClient;
using skua::test::CoreWorld;

constexpr std::uint64_t kLeaseMs = 10'000;
constexpr std::uint64_t kBatch = 5'000;

Limits short_lease() {
  Limits limits;
  limits.stream_lease_ms_max = kLeaseMs;
  return limits;
}

void expect_error(const CoreClient& client, std::uint64_t id, ErrorCode code, const char* part = "") {
  const Answer* answer = client.answer_to(id);
  cr_assert(answer != nullptr, "request %lu has no answer", static_cast<unsigned long>(id));
  cr_assert(answer->error.has_value());
  cr_expect(answer->error->code == code);
  cr_expect(answer->error->message.find(part) != std::string::npos, "%s", answer->error->message.c_str());
}

void expect_success(const CoreClient& client, std::uint64_t id) {
  const Answer* answer = client.answer_to(id);
  cr_assert(answer != nullptr, "request %lu has no answer", static_cast<unsigned long>(id));
  cr_expect(not answer->error.has_value(), "%s", answer->error ? answer->error->message.c_str() : "");
}

struct Scene {
  explicit Scene(Limits limits = short_lease()) : world(limits) {}

  // A stream that waits for credit.
  std::uint64_t park_stream(CoreClient& client) {
    const std::uint64_t id = world.execute(client, "SELECT * FROM big", 0, 0, 1);
    world.stream(kBatch, world.job_count() - 1);
    return id;
  }
  std::uint64_t leased(CoreClient& client) { return world.counter(client, "reader_connections_leased"); }
  std::uint64_t spool_bytes(CoreClient& client) { return world.counter(client, "spool_bytes"); }
  bool job_is(JobKind kind, std::size_t index = 0) const {
    return index < world.job_count() && world.executor.jobs[index]->kind == kind;
  }

  CoreWorld world;
};

}  // namespace

Test(stream_spools, a_stream_whose_lease_is_over_gives_its_connection_back_and_goes_on_from_its_file) {
  Scene scene;
  CoreClient& client = scene.world.connect();
  const auto id = scene.park_stream(client);
  scene.world.pass_ms(kLeaseMs - 1);
  cr_expect(scene.world.job_count() == 0);
  scene.world.pass_ms(1);
  cr_assert(scene.job_is(JobKind::kSpool));
  scene.world.spool(50'000, true);
  cr_assert(scene.job_is(JobKind::kSpool), "slice after slice");
  cr_expect(scene.leased(client) == 1);
  scene.world.spool(30'000, false);
  cr_expect(scene.world.job_count() == 0);
  cr_expect(scene.leased(client) == 0);
  cr_expect(scene.spool_bytes(client) == 80'000);
  cr_expect(scene.world.counter(client, "streams_spooled_total") == 1);
  scene.world.grant(client, id, 40'000);
  cr_assert(scene.job_is(JobKind::kSpoolRead));
  cr_expect(scene.world.job().slot == kNoSlot);
  scene.world.read_spool(50'000, true);
  cr_expect(scene.world.job_count() == 0, "the credit is used");
  scene.world.grant(client, id, 40'000);
  scene.world.read_spool(30'000, false);
  expect_success(client, id);
  cr_expect(scene.spool_bytes(client) == 0);
  scene.world.pass_turn();
  cr_assert(scene.job_is(JobKind::kSpoolDrop), "a thread lets the file go");
}

Test(stream_spools, without_a_lease_a_stream_that_nobody_minds_keeps_its_cursor) {
  Limits limits;
  limits.stream_lease_ms_max = 0;
  Scene scene(limits);
  CoreClient& client = scene.world.connect();
  scene.park_stream(client);
  scene.world.pass_ms(Limits().stream_idle_ms_max - 1);
  cr_expect(scene.world.job_count() == 0);
}

Test(stream_spools, a_stream_that_is_being_read_is_put_into_a_file_between_two_batches) {
  Scene scene;
  CoreClient& client = scene.world.connect();
  const auto id = scene.world.execute(client, "SELECT * FROM big", 0, 0, 60 * kMiB);
  scene.world.stream(kBatch);
  cr_assert(scene.job_is(JobKind::kContinue));
  scene.world.pass_ms(kLeaseMs);
  scene.world.stream(kBatch);
  cr_assert(scene.job_is(JobKind::kSpool));
  scene.world.spool(50'000, true);
  // A client with credit goes on meanwhile, some batches for each slice.
  for (std::uint32_t i = 0; i < StreamSpools::kReadsPerSlice; ++i) {
    cr_assert(scene.job_is(JobKind::kSpoolRead));
    scene.world.read_spool(kBatch, true);
  }
  cr_assert(scene.job_is(JobKind::kSpool));
  scene.world.spool(kBatch, false);
  cr_assert(scene.job_is(JobKind::kSpoolRead));
  scene.world.read_spool(kBatch, false);
  expect_success(client, id);
}

Test(stream_spools, two_are_filled_at_a_time_the_oldest_first) {
  Scene scene;
  CoreClient& client = scene.world.connect();
  std::vector<std::uint64_t> ids;
  for (int i = 0; i < 4; ++i) {
    ids.push_back(scene.park_stream(client));
    scene.world.pass_ms(1);
  }
  scene.world.pass_ms(kLeaseMs);
  cr_assert(scene.world.job_count() == 2);
  cr_expect(scene.world.executor.jobs[0]->request->id == ids[0]);
  cr_expect(scene.world.executor.jobs[1]->request->id == ids[1]);
  scene.world.spool(1'000, false, 1);
  cr_assert(scene.world.job_count() == 2);
  cr_expect(scene.world.executor.jobs[1]->request->id == ids[2]);
  scene.world.spool(1'000, false);
  scene.world.spool(1'000, false);
  scene.world.spool(1'000, false);
  cr_expect(scene.leased(client) == 0);
}

Test(stream_spools, caps_at_max_and_one_more) {
  for (const bool total : {false, true}) {
    for (const std::uint64_t over : {0u, 1u}) {
      Limits limits = short_lease();
      (total ? limits.spool_total_bytes_max : limits.spool_bytes_max) = 100'000;
      Scene scene(limits);
      CoreClient& client = scene.world.connect();
      const auto id = scene.park_stream(client);
      scene.world.pass_ms(kLeaseMs);
      scene.world.spool(60'000, true);
      scene.world.spool(40'000 + over, true);
      if (over == 0) {
        cr_assert(scene.job_is(JobKind::kSpool), "it has its room to the last byte");
        scene.world.spool(0, false);
        cr_expect(scene.spool_bytes(client) == 100'000);
        cr_expect(scene.leased(client) == 0);
        continue;
      }
      cr_expect(scene.spool_bytes(client) == 60'000);
      cr_expect(scene.world.job_count() == 0);
      cr_expect(scene.world.counter(client, "response_memory_bytes") == 40'001, "the batch beside the file");
      scene.world.pass_ms(kLeaseMs - 1);
      cr_expect(client.answer_to(id) == nullptr);
      scene.world.pass_ms(1);
      expect_error(client, id, ErrorCode::kLimit, total ? "spool_total_bytes_max" : "spool_bytes_max");
      cr_expect(scene.world.counter(client, "response_memory_bytes") == 0);
      cr_expect(scene.spool_bytes(client) == 0);
      cr_assert(scene.job_is(JobKind::kClose));
      scene.world.succeed();
      cr_expect(scene.leased(client) == 0);
    }
  }
}

Test(stream_spools, a_client_that_reads_a_full_file_in_time_goes_on_from_the_cursor) {
  Limits limits = short_lease();
  limits.spool_bytes_max = 100'000;
  Scene scene(limits);
  CoreClient& client = scene.world.connect();
  const auto id = scene.park_stream(client);
  scene.world.pass_ms(kLeaseMs);
  scene.world.spool(60'000, true);
  scene.world.spool(50'000, true);
  scene.world.pass_ms(kLeaseMs - 1);
  scene.world.grant(client, id, 120'000);
  scene.world.read_spool(60'000, true);
  scene.world.read_spool(50'000, false);
  cr_assert(scene.job_is(JobKind::kContinue));
  cr_expect(scene.spool_bytes(client) == 0);
  scene.world.stream(50'000);
  scene.world.pass_ms(kLeaseMs - 1);
  cr_expect(not scene.job_is(JobKind::kSpool), "the lease is a new one");
  scene.world.pass_ms(1);
  cr_expect(scene.job_is(JobKind::kSpoolDrop) || scene.job_is(JobKind::kSpool));
}

Test(stream_spools, a_disk_without_room_ends_that_stream) {
  Scene scene;
  CoreClient& client = scene.world.connect();
  const auto id = scene.park_stream(client);
  const auto other = scene.park_stream(client);
  scene.world.pass_ms(kLeaseMs);
  scene.world.fail(ErrorCode::kDiskFull, false);
  expect_error(client, id, ErrorCode::kDiskFull);
  cr_expect(client.answer_to(other) == nullptr);
  cr_expect(scene.leased(client) == 1);
}

// Where a stream can be when it is stopped.
enum class At { kFilling, kFillingWaits, kReadingWhileFilling, kFull, kComplete, kReading };
enum class End { kCancel, kDeadline, kIdle, kDeath };

Test(stream_spools, stopped_anywhere_it_ends_once_and_leaves_nothing) {
  for (const At at : {At::kFilling, At::kFillingWaits, At::kReadingWhileFilling, At::kFull, At::kComplete, At::kReading}) {
    for (const End end : {End::kCancel, End::kDeadline, End::kIdle, End::kDeath}) {
      Limits limits;
      limits.stream_lease_ms_max = 100;
      limits.spool_bytes_max = 100'000;
      limits.stream_idle_ms_max = 180;
      limits.reader_threads = 1;
      Scene scene(limits);
      CoreClient& client = scene.world.connect();
      CoreClient& other = scene.world.connect();
      const auto id = scene.world.execute(client, "SELECT * FROM big", 0, 190, 1);
      scene.world.stream(kBatch);
      if (at == At::kFillingWaits) scene.world.execute(other, "SELECT 1");  // has the only thread
      scene.world.pass_ms(100);
      if (at != At::kFilling && at != At::kFillingWaits) {
        if (at == At::kReadingWhileFilling) scene.world.grant(client, id, 10'000);
        scene.world.spool(60'000, at == At::kFull || at == At::kReadingWhileFilling);
        if (at == At::kFull) scene.world.spool(60'000, true);
        if (at == At::kReading) scene.world.grant(client, id, 10'000);
      }
      // While it has credit and takes it, it is not idle.
      const bool takes = at == At::kReading || at == At::kReadingWhileFilling;
      if (end == End::kCancel) scene.world.cancel(client, id);
      if (end == End::kDeadline) scene.world.pass_ms(90);
      if (end == End::kIdle) scene.world.pass_ms(takes ? 90 : 80);
      if (end == End::kDeath) scene.world.disconnect(client);
      while (scene.world.job_count() > 0) {
        if (scene.job_is(JobKind::kSpool)) {
          scene.world.spool(1'000, true);
        } else {
          scene.world.succeed();
        }
        scene.world.pass_turn();
      }
      if (end != End::kDeath) cr_expect(client.terminal_answers_to(id) == 1, "at %d, end %d", static_cast<int>(at), static_cast<int>(end));
      scene.world.pass_turn();
      scene.world.settle();
      for (const char* name : {"reader_connections_leased", "spool_bytes", "response_memory_bytes"}) {
        cr_expect(scene.world.counter(other, name) == 0, "%s at %d, end %d", name, static_cast<int>(at), static_cast<int>(end));
      }
      // Whoever comes next is put into a file like the first.
      scene.park_stream(other);
      scene.world.pass_ms(100);
      cr_expect(scene.job_is(JobKind::kSpool), "at %d, end %d: %d", static_cast<int>(at), static_cast<int>(end), scene.world.job_count() > 0 ? static_cast<int>(scene.world.job().kind) : -1);
    }
  }
}

// ---- the log

constexpr std::uint64_t kBudget = 10 * kMiB;

struct LogScene : Scene {
  LogScene() : Scene(limits()) {}
  static Limits limits() {
    Limits limits;
    limits.wal_bytes_max = kBudget;
    return limits;
  }
  void write(CoreClient& client, std::uint64_t bytes) {
    world.execute(client, "DELETE FROM t");
    world.log_bytes[0] = bytes;
    world.succeed(world.job_count() - 1);
  }
};

Test(stream_spools, a_log_at_a_quarter_of_its_budget_puts_streams_into_files) {
  LogScene scene;
  CoreClient& client = scene.world.connect();
  scene.park_stream(client);
  scene.write(client, kBudget / 4);
  cr_expect(scene.world.job_count() == 0);
  scene.write(client, kBudget / 4 + 1);
  cr_assert(scene.job_is(JobKind::kSpool));
  scene.world.spool(1'000, false);
  cr_expect(scene.leased(client) == 0);
}

Test(stream_spools, a_stream_that_is_in_its_file_in_time_survives_a_drain) {
  LogScene scene;
  CoreClient& client = scene.world.connect();
  const auto first = scene.park_stream(client);
  const auto second = scene.park_stream(client);
  scene.write(client, kBudget / 2 + 1);
  cr_assert(scene.world.job_count() == 3, "two slices and a checkpoint");
  scene.world.checkpoint(false, 2);
  scene.world.spool(1'000, false);
  scene.world.spool(1'000, true);
  scene.world.pass_ms(Limits().wal_drain_ms_max);
  cr_expect(client.answer_to(first) == nullptr);
  scene.world.fail(ErrorCode::kCancelled, false);  // its slice is stopped by its token
  cr_assert(scene.world.job_count() == 1);
  scene.world.checkpoint(true);
  cr_expect(client.terminal_answers_to(second) == 1);
  scene.world.grant(client, first, 100'000);
  cr_assert(scene.job_is(JobKind::kSpoolRead));
  scene.world.read_spool(1'000, false);
  expect_success(client, first);
}

// ---- connections

Limits few_connections() {
  Limits limits;
  limits.reader_connections_max = 32;  // two of them for what is done at once
  return limits;
}

Test(stream_spools, a_read_does_not_wait_behind_parked_streams) {
  Scene scene(few_connections());
  CoreClient& client = scene.world.connect();
  CoreClient& other = scene.world.connect();
  for (int i = 0; i < 30; ++i) scene.park_stream(client);
  const auto read = scene.world.execute(other, "SELECT 1");
  cr_assert(scene.world.job_count() == 1);
  cr_expect(scene.world.job().without_cursor);
  scene.world.succeed();
  expect_success(other, read);
  cr_expect(scene.world.job_count() == 0, "nobody waits: no stream has to go");
}

Test(stream_spools, a_stream_that_finds_no_connection_to_keep_gets_the_one_of_the_oldest) {
  Scene scene(few_connections());
  CoreClient& client = scene.world.connect();
  CoreClient& other = scene.world.connect();
  const auto oldest = scene.park_stream(client);
  for (int i = 1; i < 30; ++i) scene.park_stream(client);
  const auto stream = scene.world.execute(other, "SELECT * FROM big", 0, 0, 1);
  const auto begin = scene.world.begin(other, 1, true);
  cr_assert(scene.world.job_count() == 3, "the read, and two streams that are put into files");
  scene.world.need_cursor();
  cr_expect(other.answer_to(stream) == nullptr);
  cr_expect(scene.world.job().request->id == oldest);
  scene.world.spool(1'000, false);
  // A transaction keeps its connection as well: it was the first to wait.
  const auto& jobs = scene.world.executor.jobs;
  cr_expect(std::any_of(jobs.begin(), jobs.end(), [](const auto& job) { return job->kind == JobKind::kBegin; }));
  scene.world.spool(1'000, false);
  cr_expect(std::any_of(jobs.begin(), jobs.end(), [&](const auto& job) {
    return job->kind == JobKind::kRequest && job->request->id == stream && !job->without_cursor;
  }));
  while (scene.world.job_count() > 0) scene.job_is(JobKind::kSpool) ? scene.world.spool(1, false) : scene.world.succeed();
  expect_success(other, stream);
  expect_success(other, begin);
}

Test(stream_spools, who_waits_for_a_connection_to_keep_can_be_cancelled) {
  Scene scene(few_connections());
  CoreClient& client = scene.world.connect();
  CoreClient& other = scene.world.connect();
  for (int i = 0; i < 30; ++i) scene.park_stream(client);
  const auto stream = scene.world.execute(other, "SELECT * FROM big");
  scene.world.need_cursor();
  scene.world.cancel(other, stream);
  expect_error(other, stream, ErrorCode::kCancelled);
}

Test(stream_spools, a_pool_of_one_connection_is_shared_by_streams_in_turn) {
  Limits limits;
  limits.reader_connections_max = 1;
  Scene scene(limits);
  CoreClient& client = scene.world.connect();
  CoreClient& other = scene.world.connect();
  scene.park_stream(client);
  const auto read = scene.world.execute(other, "SELECT 1");
  cr_assert(scene.job_is(JobKind::kSpool));
  scene.world.spool(1'000, false);
  cr_assert(scene.job_is(JobKind::kRequest));
  scene.world.succeed();
  expect_success(other, read);
}

// ---- memory

struct MemoryScene : Scene {
  MemoryScene() : Scene(limits()) {}
  static Limits limits() {
    Limits limits;
    limits.response_memory_bytes_max = 4 * kMiB;
    return limits;
  }
  // What the client has not read.
  void leave_unread(CoreClient& client, std::uint64_t bytes) {
    loop_thread.assert_here();
    world.dispatcher->on_unsent_changed(static_cast<std::int64_t>(bytes) - static_cast<std::int64_t>(client.unsent));
    client.unsent = bytes;
  }
};

Test(response_memory, at_its_budget_a_session_gets_a_batch_only_if_it_has_taken_all_before) {
  MemoryScene scene;
  CoreClient& slow = scene.world.connect();
  CoreClient& reading = scene.world.connect();
  CoreClient& waiting = scene.world.connect();
  scene.leave_unread(slow, 4 * kMiB - kBatchBytes);
  const auto first = scene.world.execute(reading, "SELECT * FROM big", 0, 0, 60 * kMiB);
  scene.world.stream(kBatch);
  cr_assert(scene.job_is(JobKind::kContinue), "at the budget to the last byte");
  scene.leave_unread(slow, 4 * kMiB);
  const auto second = scene.world.execute(waiting, "SELECT * FROM big", 0, 0, 60 * kMiB);
  scene.leave_unread(waiting, 1);
  scene.world.stream(kBatch, 1);
  cr_expect(scene.world.job_count() == 1, "one has taken all, and has its batch under way; the other has not");
  scene.world.stream(kBatch);
  cr_assert(scene.world.job_count() == 1);
  cr_expect(scene.world.job().request->id == first);
  scene.world.pass_turn();
  cr_expect(scene.world.job_count() == 1);
  // It has: it goes on, whoever else has not.
  scene.leave_unread(waiting, 0);
  scene.world.pass_turn();
  cr_assert(scene.world.job_count() == 2);
  cr_expect(scene.world.executor.jobs[1]->request->id == second);
}

Test(response_memory, streams_that_wait_for_it_go_on_in_turn) {
  MemoryScene scene;
  CoreClient& slow = scene.world.connect();
  scene.leave_unread(slow, 4 * kMiB);
  std::vector<CoreClient*> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(&scene.world.connect());
    for (int stream = 0; stream < 2; ++stream) {
      scene.world.execute(*clients[i], "SELECT * FROM big", 0, 0, 60 * kMiB);
      scene.leave_unread(*clients[i], 1);
      scene.world.stream(kBatch);
    }
  }
  cr_assert(scene.world.job_count() == 0);
  scene.leave_unread(slow, 4 * kMiB - 3 * kBatchBytes - 3);
  scene.world.pass_turn();
  cr_assert(scene.world.job_count() == 3, "there is memory for three batches");
  for (std::size_t i = 0; i < 3; ++i) {
    cr_expect(scene.world.executor.jobs[i]->request->session_id == clients[i]->state->id);
  }
}

Test(response_memory, over_its_budget_a_session_with_more_than_its_share_is_refused) {
  MemoryScene scene;
  CoreClient& slow = scene.world.connect();
  CoreClient& other = scene.world.connect();
  scene.leave_unread(slow, 4 * kMiB);
  scene.world.succeed(scene.world.execute(slow, "SELECT 1") * 0);
  scene.leave_unread(slow, 4 * kMiB + 1);
  expect_error(slow, scene.world.execute(slow, "SELECT 1"), ErrorCode::kLimit, "response_memory_bytes_max");
  const auto read = scene.world.execute(other, "SELECT 1");
  scene.world.succeed();
  expect_success(other, read);
}

Test(request_memory, at_its_limit_and_one_more) {
  Limits limits;
  limits.request_memory_bytes_max = 1'000'000;
  Scene scene(limits);
  CoreClient& client = scene.world.connect();
  CoreClient& other = scene.world.connect();
  scene.world.execute(client, "SELECT '" + std::string(600'000, 'x') + "'");
  const std::uint64_t used = scene.world.counter(client, "request_memory_bytes");
  scene.world.execute(other, "SELECT 1");
  const std::uint64_t small = scene.world.counter(client, "request_memory_bytes") - used;
  const auto fill = [&](std::uint64_t bytes) { return "SELECT '" + std::string(bytes, 'x') + "'"; };
  // Text is padded to words: what a statement takes beside it is found out by one that ends.
  scene.world.execute(other, fill(80'000));
  const std::uint64_t around = scene.world.counter(client, "request_memory_bytes") - used - small - 80'000;
  const std::uint64_t left = 1'000'000 - used - small - 80'000 - around;
  const auto too_much = scene.world.execute(other, fill(left - around + 8));
  expect_error(other, too_much, ErrorCode::kLimit, "request_memory_bytes_max");
  const auto fits = scene.world.execute(other, fill(left - around));
  cr_expect(other.answer_to(fits) == nullptr);
  cr_expect(scene.world.counter(client, "request_memory_bytes") == 1'000'000);
  scene.world.settle();
  cr_expect(scene.world.counter(client, "request_memory_bytes") == 0);
}
