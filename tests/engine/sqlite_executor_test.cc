// SqliteExecutor: jobs on their way through the lanes and back.
#include "daemon/engine/sqlite_executor.h"

#include <criterion/criterion.h>

#include <semaphore>

#include "tests/engine/expectations.h"
#include "tests/engine/faulty_disk.h"
#include "tests/engine/lane.h"
#include "tests/support/process.h"
#include "tests/support/temporary_directory.h"

using namespace skua;
using namespace skua::test;

namespace {

struct Scene {
  explicit Scene(Limits limits = {}) {
    loop_thread.adopt();
    completions.set_waker([this] { woken.release(); });
    const std::vector<DatabaseOptions> databases = {{.name = "one", .file = folder / "one.db"},
                                                    {.name = "two", .file = folder / "two.db"}};
    executor = must(SqliteExecutor::open(databases, limits, completions));
  }

  static std::unique_ptr<Job> job(std::uint16_t database, std::uint32_t slot, std::string_view sql) {
    auto made = std::make_unique<Job>();
    made->database = database;
    made->slot = slot;
    made->request = execute_request(sql);
    return made;
  }
  void write(std::uint16_t database, std::string_view sql) {
    executor->run_on_writer(job(database, kWriterSlot, sql));
    executor->flush(false);
  }
  void read(std::uint16_t database, std::uint32_t slot, std::string_view sql) {
    executor->run_on_reader(job(database, slot, sql));
  }
  // The next jobs to come back, in the order in which they do.
  std::vector<std::unique_ptr<Job>> wait_for(std::size_t count) {
    std::vector<std::unique_ptr<Job>> done;
    while (done.size() < count) {
      require(woken.try_acquire_for(kPatience), "a job did not come back");
      for (std::unique_ptr<Job>& one : completions.take()) done.push_back(std::move(one));
    }
    return done;
  }

  TemporaryDirectory folder;
  std::counting_semaphore<> woken{0};
  CompletionQueue completions;
  std::unique_ptr<SqliteExecutor> executor;
};

}  // namespace

Test(sqlite_executor, jobs_come_back_with_their_answers) {
  Scene scene;
  scene.write(1, "CREATE TABLE t(a)");
  expect_text(text_of(*scene.wait_for(1)[0]), "");
  scene.write(1, "INSERT INTO t VALUES (7) RETURNING a");
  expect_text(text_of(*scene.wait_for(1)[0]), "7");
  scene.read(1, 5, "SELECT a FROM t");
  expect_text(text_of(*scene.wait_for(1)[0]), "7");
  scene.read(0, 0, "SELECT a FROM t");
  expect_error(error_of(*scene.wait_for(1)[0]), ErrorCode::kSql, "no such table");
}

Test(sqlite_executor, writes_of_one_database_keep_their_order) {
  Scene scene;
  scene.write(0, "CREATE TABLE t(id INTEGER PRIMARY KEY)");
  for (int i = 0; i < 100; ++i) scene.write(0, "INSERT INTO t DEFAULT VALUES RETURNING id");
  const auto done = scene.wait_for(101);
  for (std::size_t i = 1; i < done.size(); ++i) expect_text(text_of(*done[i]), std::to_string(i));
}

Test(sqlite_executor, as_many_reads_at_once_as_connections) {
  Limits limits;
  limits.reader_connections_max = 20;
  limits.reader_threads = 3;
  Scene scene(limits);
  for (std::uint32_t slot = 0; slot < 20; ++slot) scene.read(0, slot, fmt::format("SELECT {}", slot));
  for (const std::unique_ptr<Job>& job : scene.wait_for(20)) {
    expect_text(text_of(*job), std::to_string(job->slot));
  }
}

Test(sqlite_executor, finishes_what_it_was_given_before_it_stops_and_takes_no_more) {
  Scene scene;
  scene.write(0, "CREATE TABLE t(a)");
  for (int i = 0; i < 20; ++i) scene.write(0, "INSERT INTO t VALUES (1)");
  for (std::uint32_t slot = 0; slot < 8; ++slot) scene.read(1, slot, "SELECT 1");
  scene.executor->stop();
  scene.write(0, "INSERT INTO t VALUES (2)");
  scene.read(0, 0, "SELECT 1");
  const auto done = scene.completions.take();
  cr_assert_eq(done.size(), 29u);
  for (const std::unique_ptr<Job>& job : done) cr_assert(job->ended);
  const DatabaseOptions options = {.name = "one", .file = scene.folder / "one.db"};
  expect_text(text_of(must(Database::open(options, 1))->writer(), "SELECT count(*) FROM t"), "20");
}

Test(sqlite_executor, what_may_run_at_once_is_done_when_it_is_given_or_else_on_a_lane) {
  Scene scene;
  const auto run_at_once = [&](std::string_view sql) {
    auto job = Scene::job(0, 3, sql);
    job->at_once = true;
    scene.executor->run_on_reader(std::move(job));
    auto done = scene.completions.take();
    if (!done.empty()) return std::move(done.front());
    return std::move(scene.wait_for(1).front());
  };
  cr_expect_not(run_at_once("SELECT 1")->at_once, "nobody has opened the connection yet");
  const auto job = run_at_once("SELECT 2");
  cr_expect(job->at_once);
  cr_expect(job->was_short);
  expect_text(text_of(*job), "2");
  // What takes long, what has a large value on its way, and what fails.
  for (const auto& [sql, text] : {std::pair("WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 9999) "
                                            "SELECT max(i) FROM n",
                                            "9999"),
                                  std::pair("SELECT length(hex(zeroblob(50000)))", "100000")}) {
    const auto long_one = run_at_once(sql);
    cr_expect_not(long_one->at_once, "%s", sql);
    expect_text(text_of(*long_one), text);
  }
  expect_error(error_of(*run_at_once("SELECT a FROM nowhere")), ErrorCode::kSql, "no such table");
  cr_expect(run_at_once("SELECT 3")->at_once);
}

Test(sqlite_executor, a_read_on_the_loop_thread_sees_what_was_acknowledged_before_its_turn) {
  Scene scene;
  scene.write(0, "CREATE TABLE t(a)");
  scene.write(0, "INSERT INTO t VALUES (0)");
  scene.wait_for(2);
  for (int i = 1; i <= 200; ++i) {
    scene.write(0, fmt::format("UPDATE t SET a = {}", i));
    // Reads while the write is somewhere on its way; what they see is either.
    auto early = Scene::job(0, kInlineSlot, "SELECT a FROM t");
    cr_assert(scene.executor->read_inline(*early) == InlineRead::kDone);
    scene.wait_for(1);
    scene.executor->flush(false);
    auto read = Scene::job(0, kInlineSlot, "SELECT a FROM t");
    cr_assert(scene.executor->read_inline(*read) == InlineRead::kDone);
    expect_text(text_of(*read), std::to_string(i));
    if (i % 2 == 0) scene.executor->flush(false);
  }
}

Test(sqlite_executor, a_snapshot_for_the_loop_thread_is_not_in_the_way_of_a_checkpoint) {
  Scene scene;
  scene.write(0, "CREATE TABLE t(a)");
  scene.wait_for(1);
  auto read = Scene::job(0, kInlineSlot, "SELECT a FROM t");
  cr_assert(scene.executor->read_inline(*read) == InlineRead::kDone);
  scene.executor->flush(false);
  auto checkpoint = std::make_unique<Job>();
  checkpoint->kind = JobKind::kCheckpoint;
  scene.executor->run_on_writer(std::move(checkpoint));
  scene.executor->flush(false);
  cr_expect(scene.wait_for(1)[0]->log_emptied);
}

Test(sqlite_executor, the_loop_thread_starts_a_stream_that_a_lane_goes_on_with) {
  Scene scene;
  constexpr std::string_view kMany = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) SELECT i FROM n";
  auto early = Scene::job(0, 0, kMany);
  cr_assert(scene.executor->start_inline(*early) == InlineRead::kRefused, "nobody opened the connection yet");
  scene.read(0, 0, "SELECT 1");
  scene.wait_for(1);
  auto start = Scene::job(0, 0, kMany);
  start->first_batch_bytes = 1'000;
  cr_assert(scene.executor->start_inline(*start) == InlineRead::kDone);
  cr_assert(start->cursor_open && start->started_shortly && start->frames.size() == 1);
  Answer answer;
  add_answer(*start, answer);
  cr_assert_leq(answer.rows.size(), 126u);
  auto rest = std::make_unique<Job>();
  rest->kind = JobKind::kContinue;
  rest->slot = 0;
  rest->request = start->request;
  rest->request->wanted_bytes = 1 << 30;
  scene.executor->run_on_reader(std::move(rest));
  while (!answer.done) {
    for (const std::unique_ptr<Job>& job : scene.wait_for(1)) add_answer(*job, answer);
  }
  cr_assert_eq(answer.rows.size(), 20'000u);
  expect_text(to_text({answer.rows.front(), answer.rows.back()}), "1\n20000");
}

Test(sqlite_executor, a_stream_that_takes_long_to_start_is_stopped_on_the_loop_thread) {
  Scene scene;
  scene.read(0, 0, "SELECT 1");
  scene.wait_for(1);
  auto start = Scene::job(0, 0, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
                                "SELECT i FROM n ORDER BY -i");
  cr_assert(scene.executor->start_inline(*start) == InlineRead::kOverrun);
  cr_assert(start->frames.empty() && start->error == nullptr && !start->cursor_open);
  // The connection is as good as before.
  scene.read(0, 0, "SELECT 2");
  expect_text(text_of(*scene.wait_for(1)[0]), "2");
}

Test(sqlite_executor, one_database_that_cannot_be_opened_is_named) {
  TemporaryDirectory folder;
  CompletionQueue completions;
  const auto executor = SqliteExecutor::open(
      {{.name = "good", .file = folder / "good.db"}, {.name = "bad", .file = folder / "missing/bad.db"}}, Limits(),
      completions);
  cr_assert(!executor);
  expect_error(executor.error(), ErrorCode::kNotFound, "database 'bad'");
  // The first one was closed again.
  (void)must(Database::open({.name = "good", .file = folder / "good.db"}, 1));
}

Test(sqlite_executor, after_a_failed_sync_a_database_takes_no_writes_and_the_others_do) {
  FaultyDisk disk;
  Scene scene;
  for (const std::uint16_t database : {0, 1}) {
    scene.write(database, "CREATE TABLE t(a)");
    scene.write(database, "INSERT INTO t VALUES (1)");
  }
  for (const auto& done : scene.wait_for(4)) cr_assert(done->error == nullptr);
  disk.sync.set(SQLITE_IOERR_FSYNC, 1);
  scene.write(0, "INSERT INTO t VALUES (2)");
  expect_error(error_of(*scene.wait_for(1)[0]), ErrorCode::kIo, "is not certain");
  scene.write(0, "INSERT INTO t VALUES (3)");
  expect_error(error_of(*scene.wait_for(1)[0]), ErrorCode::kUnavailable, "takes no writes");
  scene.read(0, 0, "SELECT a FROM t");
  expect_text(text_of(*scene.wait_for(1)[0]), "1");
  scene.write(1, "INSERT INTO t VALUES (2) RETURNING a");
  expect_text(text_of(*scene.wait_for(1)[0]), "2");
}

Test(sqlite_executor, writes_that_gather_are_committed_together_in_their_order) {
  FaultyDisk disk;
  Scene scene;
  scene.write(0, "CREATE TABLE t(a)");
  scene.wait_for(1);
  disk.syncs = 0;
  for (int i = 0; i < 100; ++i) {
    auto job = Scene::job(0, kWriterSlot, fmt::format("INSERT INTO t VALUES ({}) RETURNING rowid", i));
    job->may_join_group = true;
    scene.executor->run_on_writer(std::move(job));
  }
  scene.executor->flush(false);
  const auto jobs = scene.wait_for(100);
  for (std::size_t i = 0; i < jobs.size(); ++i) expect_text(text_of(*jobs[i]), std::to_string(i + 1));
  // One, unless the lane woke up by itself in between.
  cr_expect_leq(disk.syncs, 3);
}

Test(sqlite_executor, after_a_checkpoint_whose_sync_failed_a_database_takes_no_writes_either) {
  FaultyDisk disk;
  Scene scene;
  scene.write(0, "CREATE TABLE t(a)");
  scene.wait_for(1);
  disk.sync.set(SQLITE_IOERR_FSYNC, 1);
  auto checkpoint = std::make_unique<Job>();
  checkpoint->kind = JobKind::kCheckpoint;
  scene.executor->run_on_writer(std::move(checkpoint));
  scene.executor->flush(false);
  cr_expect_eq(error_of(*scene.wait_for(1)[0]).sqlite_code, SQLITE_IOERR_FSYNC);
  scene.write(0, "INSERT INTO t VALUES (1)");
  expect_error(error_of(*scene.wait_for(1)[0]), ErrorCode::kUnavailable, "takes no writes");
}

Test(sqlite_executor, a_backup_ends_when_a_sync_fails_and_none_begins_after_it) {
  FaultyDisk disk;
  Scene scene;
  scene.write(0, "CREATE TABLE t(a)");
  scene.write(0, "INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) "
                 "SELECT zeroblob(1000000) FROM n");
  scene.wait_for(2);
  const auto copy_slice = [&] {
    auto slice = std::make_unique<Job>();
    slice->kind = JobKind::kBackupCopy;
    scene.executor->run_on_writer(std::move(slice));
    scene.executor->flush(false);
    return std::move(scene.wait_for(1)[0]);
  };
  const auto first = copy_slice();
  cr_assert(first->error == nullptr);
  cr_expect_gt(first->pages_done, 0u);
  cr_expect_lt(first->pages_done, first->pages_total);
  cr_expect_gt(first->slice_us, 0u);
  disk.sync.set(SQLITE_IOERR_FSYNC, 1);
  scene.write(0, "INSERT INTO t VALUES (2)");
  expect_error(error_of(*scene.wait_for(1)[0]), ErrorCode::kIo, "is not certain");
  for (int i = 0; i < 2; ++i) expect_error(error_of(*copy_slice()), ErrorCode::kUnavailable, "cannot be copied");
}

// ---- writes on the calling thread

namespace {

// Writes by one session that is alone.
struct LonelyScene : Scene {
  // How late the lane may call it after its job is there to be taken.
  static constexpr std::chrono::milliseconds kWakerPatience{100};
  LonelyScene() {
    write(0, "CREATE TABLE t(a)");
    wait_for(1);
  }

  // The job, and whether it was done by this thread: only the lane's own calls the waker.
  std::pair<std::unique_ptr<Job>, bool> write_here(std::string_view sql) {
    auto made = job(0, kWriterSlot, sql);
    made->may_join_group = true;
    executor->run_on_writer(std::move(made));
    executor->flush(true);
    if (auto done = completions.take(); !done.empty()) return {std::move(done[0]), !woken.try_acquire_for(waker_patience)};
    return {std::move(wait_for(1)[0]), false};
  }
  std::chrono::milliseconds waker_patience = kWakerPatience;

  // Writes again until it was done by this thread: the lane's own may be tidying up, or the disk have been slow.
  bool write_until_here(std::string_view sql = "INSERT INTO t VALUES (1)") {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (std::chrono::steady_clock::now() < until) {
      const auto [done, here] = write_here(sql);
      require(done->error == nullptr, "the write failed");
      if (here) return true;
    }
    return false;
  }
};

}  // namespace

Test(sqlite_executor, a_short_write_that_comes_alone_is_done_on_the_calling_thread) {
  LonelyScene scene;
  cr_assert(scene.write_until_here());
}

Test(sqlite_executor, a_write_is_not_done_on_the_calling_thread_beside_others) {
  LonelyScene scene;
  cr_assert(scene.write_until_here());
  for (int i = 0; i < 50; ++i) {
    for (int k = 0; k < 2; ++k) {
      auto job = Scene::job(0, kWriterSlot, "INSERT INTO t VALUES (1)");
      job->may_join_group = true;
      scene.executor->run_on_writer(std::move(job));
    }
    scene.executor->flush(true);
    scene.wait_for(2);
  }
}

Test(sqlite_executor, a_long_write_is_stopped_on_the_calling_thread_and_done_by_the_lane) {
  constexpr const char* kLong =
      "WITH RECURSIVE c(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM c WHERE i < 300000) "
      "INSERT INTO t SELECT max(i) FROM c RETURNING a";
  LonelyScene scene;
  for (int i = 0; i < 3; ++i) {
    cr_assert(scene.write_until_here());
    const auto [done, here] = scene.write_here(kLong);
    cr_expect_not(here);
    expect_text(text_of(*done), "300000");
  }
  scene.read(0, 0, "SELECT count(*) FROM t WHERE a = 300000");
  expect_text(text_of(*scene.wait_for(1)[0]), "3");
}

Test(sqlite_executor, a_function_that_may_take_long_is_left_to_the_lane) {
  LonelyScene scene;
  scene.write(0, "CREATE TABLE u(a)");
  scene.write(0, "CREATE TRIGGER r AFTER INSERT ON u BEGIN INSERT INTO t VALUES (hex(randomblob(10))); END");
  scene.wait_for(2);
  for (const char* sql : {"INSERT INTO t VALUES (hex(randomblob(10)))", "INSERT INTO t SELECT 1 WHERE 'a' LIKE 'b'",
                          "INSERT INTO u VALUES (1)"}) {
    for (int i = 0; i < 3; ++i) {
      cr_assert(scene.write_until_here());
      const auto [done, here] = scene.write_here(sql);
      cr_expect_not(here, "%s", sql);
      cr_assert_null(done->error.get());
    }
  }
  cr_assert(scene.write_until_here("INSERT INTO t VALUES (max(length('a'), abs(-2)))"));
}

Test(sqlite_executor, an_error_on_the_calling_thread_is_the_statements_own) {
  LonelyScene scene;
  scene.write(0, "CREATE TABLE u(a UNIQUE)");
  scene.write(0, "INSERT INTO u VALUES (1)");
  scene.wait_for(2);
  cr_assert(scene.write_until_here());
  const auto [done, here] = scene.write_here("INSERT INTO u VALUES (1)");
  expect_error(error_of(*done), ErrorCode::kConstraint, "UNIQUE");
  cr_assert(scene.write_until_here());
}

Test(sqlite_executor, a_withdrawn_write_is_done_on_no_thread) {
  LonelyScene scene;
  cr_assert(scene.write_until_here());
  auto job = Scene::job(0, kWriterSlot, "INSERT INTO t VALUES ('withdrawn')");
  job->may_join_group = true;
  cr_assert(job->request->token.withdraw());
  scene.executor->run_on_writer(std::move(job));
  scene.executor->flush(true);
  if (scene.completions.take().empty()) scene.wait_for(1);
  scene.read(0, 0, "SELECT count(*) FROM t WHERE a = 'withdrawn'");
  expect_text(text_of(*scene.wait_for(1)[0]), "0");
}

Test(sqlite_executor, after_a_sync_that_failed_on_the_calling_thread_a_database_takes_no_writes) {
  FaultyDisk disk;
  LonelyScene scene;
  cr_assert(scene.write_until_here());
  disk.sync.set(SQLITE_IOERR_FSYNC, 1);
  const auto [done, here] = scene.write_here("INSERT INTO t VALUES (2)");
  expect_error(error_of(*done), ErrorCode::kIo, "is not certain");
  const auto [next, next_here] = scene.write_here("INSERT INTO t VALUES (3)");
  cr_expect_not(next_here);
  expect_error(error_of(*next), ErrorCode::kUnavailable, "takes no writes");
}

Test(sqlite_executor, the_log_is_checkpointed_though_all_writes_are_done_on_the_calling_thread) {
  LonelyScene scene;
  scene.waker_patience = {};
  for (int i = 0; i < 3000; ++i) {
    const auto [done, here] = scene.write_here("INSERT INTO t VALUES (1)");
    cr_assert_null(done->error.get());
    // By default it is due at 1000 pages of 4120 bytes.
    cr_assert_lt(done->wal.bytes, 1100u * 4120u);
    if (done->wal.checkpoints > 1) return;
  }
  cr_assert_fail("no checkpoint");
}
