// WalGovernor: when the log is checkpointed, what a reader that needs old pages does to it, and how long it gets.
#include "daemon/engine/wal_governor.h"

#include <criterion/criterion.h>

#include <filesystem>

#include "tests/engine/expectations.h"
#include "tests/engine/lane.h"
#include "tests/support/failure.h"

using namespace skua;
using namespace skua::test;

namespace {

constexpr std::uint32_t kCheckpointPages = 100;
constexpr std::uintmax_t kPageBytes = 4096;

DatabaseOptions small_log() {
  DatabaseOptions options;
  options.checkpoint_pages = kCheckpointPages;
  return options;
}

// The writer lane, with a governor that looks at the log after every job.
struct Scene {
  Scene() : scratch(small_log()) { write("CREATE TABLE t(id INTEGER PRIMARY KEY, body)"); }

  void write(std::string_view sql) {
    (void)answer_of(Lane(scratch.writer()).execute(sql));
    (void)must(scratch.database().governor().after_job(scratch.writer()));
  }
  // About `pages` pages of log, in one transaction.
  void write_pages(std::uintmax_t pages) {
    write(fmt::format("INSERT INTO t(body) VALUES (zeroblob({}))", pages * kPageBytes));
  }
  WalReport report() { return scratch.database().governor().report(scratch.writer()); }
  bool empty() { return must(scratch.database().governor().empty(scratch.writer()), "emptying the log"); }
  std::uintmax_t log_bytes() { return std::filesystem::file_size(scratch.file() + "-wal"); }
  // What a checkpoint has brought into the database's own file.
  std::uintmax_t file_pages() { return std::filesystem::file_size(scratch.file()) / kPageBytes; }

  ScratchDatabase scratch;
};

}  // namespace

Test(wal_governor, leaves_a_short_log_alone) {
  Scene scene;
  for (int i = 0; i < 5; ++i) scene.write_pages(10);
  cr_assert_lt(scene.file_pages(), 10u);
  cr_assert_gt(scene.scratch.writer().wal_pages(), 50);
}

Test(wal_governor, checkpoints_once_the_log_has_enough_pages) {
  Scene scene;
  scene.write_pages(kCheckpointPages);
  cr_assert_geq(scene.file_pages(), kCheckpointPages);
  // The next write starts the log anew.
  scene.write_pages(1);
  cr_assert_lt(scene.scratch.writer().wal_pages(), 20);
}

Test(wal_governor, waits_for_the_end_of_a_transaction) {
  Scene scene;
  Lane lane(scene.scratch.writer());
  lane.begin();
  (void)answer_of(lane.execute("INSERT INTO t(body) VALUES (zeroblob(1000000))"));
  must(scene.scratch.database().governor().after_job(scene.scratch.writer()));
  cr_assert_lt(scene.file_pages(), 10u);
  lane.commit();
  must(scene.scratch.database().governor().after_job(scene.scratch.writer()));
  cr_assert_geq(scene.file_pages(), 1'000'000 / kPageBytes);
}

Test(wal_governor, a_rollback_is_no_reason_to_checkpoint) {
  Scene scene;
  Lane lane(scene.scratch.writer());
  lane.begin();
  (void)answer_of(lane.execute("INSERT INTO t(body) VALUES (zeroblob(1000000))"));
  lane.rollback();
  must(scene.scratch.database().governor().after_job(scene.scratch.writer()));
  cr_assert_lt(scene.file_pages(), 10u);
}

Test(wal_governor, what_a_reader_holds_back_is_taken_up_once_it_is_gone) {
  Scene scene;
  scene.write_pages(10);
  Lane reader(scene.scratch.reader());
  reader.begin(true);
  expect_text(text_of(reader.execute("SELECT count(*) FROM t")), "1");
  scene.write_pages(2 * kCheckpointPages);
  // Nothing behind the reader's snapshot may go into the file.
  cr_assert_lt(scene.file_pages(), 50u);
  expect_text(text_of(reader.execute("SELECT count(*) FROM t")), "1");
  reader.rollback();
  scene.write_pages(kCheckpointPages);
  cr_assert_geq(scene.file_pages(), 3 * kCheckpointPages);
  expect_text(text_of(scene.scratch.reader(), "SELECT count(*) FROM t"), "3");
}

Test(wal_governor, the_log_does_not_grow_with_the_number_of_writes) {
  Scene scene;
  for (int i = 0; i < 500; ++i) {
    scene.write_pages(5);
    expect_text(text_of(scene.scratch.reader(), "SELECT count(*) FROM t"), std::to_string(i + 1));
  }
  cr_assert_leq(scene.log_bytes(), 2 * kCheckpointPages * (kPageBytes + 24) + 32);
  cr_assert_geq(scene.file_pages(), 2400u);
}

Test(wal_governor, the_log_starts_anew_after_a_reader_that_held_it_is_gone) {
  Scene scene;
  Lane reader(scene.scratch.reader());
  for (int round = 0; round < 5; ++round) {
    reader.begin(true);
    for (int i = 0; i < 50; ++i) scene.write_pages(5);
    reader.rollback();
    for (int i = 0; i < 50; ++i) scene.write_pages(5);
  }
  // One round with a reader and the wait for the next attempt, not five of them.
  cr_assert_leq(scene.log_bytes(), 6 * kCheckpointPages * (kPageBytes + 24));
}

Test(wal_governor, a_reader_at_the_end_of_the_log_does_not_make_every_write_checkpoint) {
  Scene scene;
  Lane older(scene.scratch.reader(0));
  Lane newer(scene.scratch.reader(1));
  older.begin(true);
  int grown = 0;
  std::uintmax_t before = scene.file_pages();
  // Two readers that relieve each other: one of them always needs the log, none of them an old part of it.
  for (int i = 0; i < 300; ++i) {
    scene.write_pages(1);
    grown += scene.file_pages() != before ? 1 : 0;
    before = scene.file_pages();
    Lane& next = i % 2 == 0 ? newer : older;
    Lane& last = i % 2 == 0 ? older : newer;
    next.begin(true);
    last.rollback();
  }
  cr_assert_leq(grown, 30, "%d of 300 writes made a checkpoint", grown);
}

Test(wal_governor, a_reader_at_the_very_end_of_the_log_does_not_make_every_write_checkpoint) {
  Scene scene;
  Lane reader(scene.scratch.reader());
  scene.write_pages(kCheckpointPages - 10);
  reader.begin(true);
  const std::uint64_t before = scene.report().checkpoints;
  for (int i = 0; i < 100; ++i) {
    scene.write_pages(1);
    reader.rollback();
    reader.begin(true);
  }
  cr_assert_leq(scene.report().checkpoints - before, 6u);
}

Test(wal_governor, reports_the_bytes_of_the_log_in_use) {
  Scene scene;
  scene.write_pages(20);
  cr_assert_eq(scene.report().bytes, scene.log_bytes());
  cr_assert(scene.empty());
  cr_assert_eq(scene.report().bytes, 0u);
  scene.write_pages(5);
  cr_assert_leq(scene.report().bytes, 10 * (kPageBytes + 24));
}

Test(wal_governor, empties_the_log_when_nobody_reads_it) {
  Scene scene;
  scene.write_pages(50);
  cr_assert(scene.empty());
  cr_assert_geq(scene.file_pages(), 50u);
  const std::uintmax_t bytes = scene.log_bytes();
  scene.write_pages(20);
  cr_assert_eq(scene.log_bytes(), bytes, "the log was not started anew");
  expect_text(text_of(scene.scratch.reader(), "SELECT count(*) FROM t"), "2");
}

Test(wal_governor, cannot_empty_the_log_while_a_snapshot_is_in_it) {
  Scene scene;
  scene.write_pages(10);
  Lane reader(scene.scratch.reader());
  reader.begin(true);
  cr_assert_not(scene.empty());
  const WalReport blocked = scene.report();
  cr_assert_eq(blocked.checkpoints_blocked, 1u);
  cr_assert_gt(blocked.bytes, 0u);
  reader.rollback();
  cr_assert(scene.empty());
  cr_assert_eq(scene.report().checkpoints, blocked.checkpoints + 1);
  cr_assert_eq(scene.report().checkpoints_blocked, 1u);
}

Test(wal_governor, a_reader_that_stands_still_does_not_keep_a_long_log_from_being_emptied) {
  Scene scene;
  scene.write_pages(10);
  (void)scene.scratch.reader(0);
  expect_text(text_of(scene.scratch.reader(0), "SELECT count(*) FROM t"), "1");
  cr_assert(scene.empty());
}

Test(wal_governor, a_log_beyond_the_size_it_is_cut_back_to_gives_its_file_back) {
  Scene scene;
  scene.write_pages(kJournalSizeLimitBytes / kPageBytes + 10);
  cr_assert_gt(scene.log_bytes(), kJournalSizeLimitBytes);
  cr_assert(scene.empty());
  cr_assert_eq(scene.log_bytes(), 0u);
}
