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
    executor->flush();
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
    scene.executor->flush();
    auto read = Scene::job(0, kInlineSlot, "SELECT a FROM t");
    cr_assert(scene.executor->read_inline(*read) == InlineRead::kDone);
    expect_text(text_of(*read), std::to_string(i));
    if (i % 2 == 0) scene.executor->flush();
  }
}

Test(sqlite_executor, a_snapshot_for_the_loop_thread_is_not_in_the_way_of_a_checkpoint) {
  Scene scene;
  scene.write(0, "CREATE TABLE t(a)");
  scene.wait_for(1);
  auto read = Scene::job(0, kInlineSlot, "SELECT a FROM t");
  cr_assert(scene.executor->read_inline(*read) == InlineRead::kDone);
  scene.executor->flush();
  auto checkpoint = std::make_unique<Job>();
  checkpoint->kind = JobKind::kCheckpoint;
  scene.executor->run_on_writer(std::move(checkpoint));
  scene.executor->flush();
  cr_expect(scene.wait_for(1)[0]->log_emptied);
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
  scene.executor->flush();
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
  scene.executor->flush();
  cr_expect_eq(error_of(*scene.wait_for(1)[0]).sqlite_code, SQLITE_IOERR_FSYNC);
  scene.write(0, "INSERT INTO t VALUES (1)");
  expect_error(error_of(*scene.wait_for(1)[0]), ErrorCode::kUnavailable, "takes no writes");
}
