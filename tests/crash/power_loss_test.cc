// The power loss itself: SQLite on a database in this process, whose files are copied while it is open, struck,
// and opened again.
#include <criterion/criterion.h>

#include <cstdlib>
#include <filesystem>

#include "tests/crash/offline_database.h"
#include "tests/crash/power_loss.h"
#include "tests/support/temporary_directory.h"

using namespace skua::test;

namespace {

// A database in WAL mode with a synced table t, open.
struct Story {
  Story() : database(directory / "d", "unix-excl") {
    database.run("PRAGMA journal_mode=WAL");
    database.run("PRAGMA synchronous=FULL");
    database.run("CREATE TABLE t (a INTEGER)");
  }
  // What is in t after the power failed now.
  std::int64_t rows_after(PowerLossKind kind, std::uint64_t seed = 1) const {
    const TemporaryDirectory other;
    for (const char* name : {"d", "d-wal", "d-undo", "d-wal-undo"}) {
      if (std::filesystem::exists(directory / name)) std::filesystem::copy(directory / name, other / name);
    }
    Random random(seed);
    PowerLoss(kind, random).strike_database(other / "d");
    OfflineDatabase survivor(other / "d");
    cr_assert(survivor.text("PRAGMA integrity_check") == "ok");
    return survivor.number("SELECT count(*) FROM t");
  }

  TemporaryDirectory directory;
  OfflineDatabase database;
};

}  // namespace

Test(power_loss, leaves_what_was_synced) {
  Story story;
  story.database.run("INSERT INTO t VALUES (1)");
  cr_assert_eq(story.rows_after(PowerLossKind::kEverything), 1);
  cr_assert_eq(story.rows_after(PowerLossKind::kSuffix), 1);
  cr_assert_eq(story.rows_after(PowerLossKind::kSectors), 1);
}

Test(power_loss, undoes_what_was_not_synced) {
  Story story;
  story.database.run("INSERT INTO t VALUES (1)");
  story.database.run("PRAGMA synchronous=NORMAL");
  story.database.run("INSERT INTO t VALUES (2)");
  story.database.run("INSERT INTO t VALUES (3)");
  cr_assert_eq(story.rows_after(PowerLossKind::kEverything), 1);
}

Test(power_loss, keeps_any_part_of_what_was_not_synced) {
  Story story;
  story.database.run("PRAGMA synchronous=NORMAL");
  for (int i = 0; i < 8; ++i) story.database.run("INSERT INTO t VALUES (1)");
  bool some = false;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const std::int64_t rows = story.rows_after(PowerLossKind::kSuffix, seed);
    cr_assert(rows <= 8);
    some = some || (rows > 0 && rows < 8);
    cr_assert(story.rows_after(PowerLossKind::kSectors, seed) <= 8);
  }
  cr_assert(some, "a suffix was never a part");
}

Test(power_loss, undoes_a_checkpoint_that_was_not_finished) {
  Story story;
  story.database.run(
      "INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) "
      "SELECT i FROM n");
  // The log is synced before the checkpoint writes to the database, and the database before the log starts
  // anew.
  ::setenv("SKUA_TEST_IGNORE_SYNC", "1", 1);
  story.database.run("PRAGMA wal_checkpoint");
  for (const PowerLossKind kind :
       {PowerLossKind::kEverything, PowerLossKind::kSuffix, PowerLossKind::kSectors}) {
    cr_assert_eq(story.rows_after(kind), 5000);
  }
}

Test(power_loss, finds_a_disk_that_lies) {
  Story story;
  ::setenv("SKUA_TEST_IGNORE_SYNC", "1", 1);
  story.database.run("INSERT INTO t VALUES (1)");
  cr_assert_eq(story.rows_after(PowerLossKind::kEverything), 0);
}
