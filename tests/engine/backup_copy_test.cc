// BackupCopy: whatever happens between two slices, the copy is the database as of the last commit.
#include "daemon/engine/backup_copy.h"

#include <criterion/criterion.h>
#include <fmt/format.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>

#include "daemon/engine/sqlite_error.h"
#include "tests/engine/expectations.h"
#include "tests/engine/faulty_disk.h"
#include "tests/engine/lane.h"
#include "tests/support/failure.h"
#include "tests/support/random.h"

using namespace skua;
using namespace skua::test;

namespace {

// As little as a step does.
constexpr std::chrono::microseconds kNoTime{0};
constexpr std::string_view kAllRows = "SELECT id, length(body), hex(substr(body, 1, 8)) FROM t ORDER BY id";

struct Scene {
  explicit Scene(std::uint32_t page_bytes = 4096, std::string_view pragmas = {}) {
    scratch.close();
    std::filesystem::remove(scratch.file());
    sqlite3* db = nullptr;
    require(sqlite3_open(scratch.file().c_str(), &db) == SQLITE_OK, "cannot create a database");
    const std::string sql = fmt::format(
        "PRAGMA page_size={}; {}; CREATE TABLE t(id INTEGER PRIMARY KEY, body BLOB)", page_bytes, pragmas);
    require(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK, "cannot create a table");
    sqlite3_close(db);
    scratch.reopen();
    require(writer().page_bytes() == page_bytes, "another page size");
  }

  Connection& writer() { return scratch.writer(); }
  WalGovernor& governor() { return scratch.database().governor(); }
  void run(std::string_view sql) { (void)answer_of(Lane(writer()).execute(sql)); }
  // About so many bytes of rows.
  void fill(int bytes) {
    run(fmt::format(
        "INSERT INTO t(body) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) "
        "SELECT randomblob(500) FROM n",
        bytes / 500));
  }
  void empty_log() { require(must(governor().empty(writer())), "the log is not empty"); }

  void start() { copy = must(BackupCopy::start(writer(), governor(), scratch.file()), "starting a copy"); }
  bool step() { return must(copy->step(kNoTime), "a step"); }
  void finish() {
    while (!step()) {
    }
  }
  // The copy's rows, which are checked to be those of the database; it must have come to its end.
  std::string rows() {
    const auto file = std::static_pointer_cast<UnlinkedFile>(copy->take_file());
    const std::uint64_t bytes = must(file->byte_count());
    const std::string path = folder / "copy.db";
    std::ofstream(path, std::ios::binary) << must(file->read(0, static_cast<std::size_t>(bytes)));
    DatabaseOptions options;
    options.file = path;
    const auto opened = must(Connection::open(options, ConnectionRole::kWriter), "opening the copy");
    require(opened->page_bytes() == writer().page_bytes(), "the copy has another page size");
    expect_text(text_of(*opened, "SELECT * FROM pragma_integrity_check"), "ok");
    std::string text = text_of(*opened, kAllRows);
    require(text == text_of(writer(), kAllRows), "the copy has other rows than the database");
    require(must(opened->page_count()) == must(writer().page_count()), "the copy has another size");
    return text;
  }

  ScratchDatabase scratch;
  TemporaryDirectory folder;
  std::unique_ptr<BackupCopy> copy;
};

class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const struct rlimit limit = {bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  struct rlimit before_ = {};
};

// One of the things that happen to a database between two slices.
void disturb(Scene& scene, Random& random) {
  switch (random.between(0, 8)) {
    case 0:
      return scene.run("DELETE FROM t WHERE id % 7 = 0");
    case 1:
      return scene.fill(static_cast<int>(random.between(1, 200'000)));
    case 2:
      return scene.run("UPDATE t SET body = randomblob(800) WHERE id % 13 = 5");
    case 3:
      return (void)must(scene.governor().checkpoint_now(scene.writer()));
    case 4:
      return scene.empty_log();
    case 5:
      return scene.run("VACUUM");
    case 6: {
      Lane lane(scene.writer());
      lane.begin();
      (void)answer_of(lane.execute("UPDATE t SET body = zeroblob(900)"));
      lane.rollback();
      return;
    }
    case 7:
      return scene.run("DELETE FROM t WHERE id > (SELECT max(id) / 2 FROM t)");
    default:
      return scene.run("UPDATE t SET body = randomblob(400) WHERE id = 1");
  }
}

void disturb_and_compare(std::uint32_t page_bytes, std::string_view pragmas) {
  Random random;
  for (int round = 0; round < 15; ++round) {
    Scene scene(page_bytes, pragmas);
    scene.fill(2'000'000);
    std::optional<Lane> reader;
    if (random.one_in(2)) reader.emplace(scene.scratch.reader()).begin(true);
    scene.run("UPDATE t SET body = randomblob(600) WHERE id % 3 = 0");
    scene.start();
    for (bool complete = false; !complete; complete = scene.step()) {
      // A reader that stays keeps the log from being emptied, and leaves at some time.
      if (reader && random.one_in(3)) {
        reader->rollback();
        reader.reset();
      }
      if (reader) {
        scene.run("UPDATE t SET body = randomblob(700) WHERE id % 11 = 4");
      } else {
        disturb(scene, random);
      }
    }
    scene.rows();
  }
}

}  // namespace

Test(backup_copy, of_a_database_at_rest) {
  Scene scene;
  scene.fill(3'000'000);
  scene.start();
  cr_expect_eq(scene.copy->pages_done(), 0u);
  cr_assert(not scene.step());
  cr_expect_gt(scene.copy->pages_done(), 0u);
  cr_expect_lt(scene.copy->pages_done(), scene.copy->pages_total());
  scene.finish();
  cr_expect_eq(scene.copy->pages_done(), scene.copy->pages_total());
  scene.rows();
}

Test(backup_copy, of_a_database_whose_changes_are_all_in_the_log) {
  Scene scene;
  Lane reader(scene.scratch.reader());
  reader.begin(true);
  scene.fill(1'000'000);
  scene.start();
  scene.finish();
  scene.rows();
}

Test(backup_copy, of_a_database_that_was_just_opened_and_has_a_log) {
  Scene scene;
  scene.fill(1'000'000);
  // As a daemon finds it that was killed.
  const TemporaryDirectory folder;
  DatabaseOptions options;
  options.name = "found";
  options.file = folder / "found.db";
  std::filesystem::copy(scene.scratch.file(), options.file);
  std::filesystem::copy(scene.scratch.file() + "-wal", options.file + "-wal");
  const auto found = must(Database::open(options, 1));
  const auto copy = must(BackupCopy::start(found->writer(), found->governor(), options.file));
  while (!must(copy->step(kNoTime))) {
  }
  const auto file = std::static_pointer_cast<UnlinkedFile>(copy->take_file());
  cr_assert_gt(must(file->byte_count()), 1'000'000u);
  cr_assert_eq(must(file->byte_count()), std::uint64_t{must(found->writer().page_count())} * 4096);
}

Test(backup_copy, takes_along_what_is_committed_meanwhile) {
  Scene scene;
  scene.fill(2'000'000);
  scene.start();
  scene.step();
  scene.run("UPDATE t SET body = x'01' WHERE id = 1");
  scene.run("UPDATE t SET body = x'02' WHERE id = (SELECT max(id) FROM t)");
  scene.fill(1'000'000);
  scene.finish();
  cr_assert_eq(scene.rows().find("1|1|01"), 0u);
}

Test(backup_copy, goes_on_where_it_was_after_a_rollback) {
  Scene scene;
  scene.fill(3'000'000);
  scene.start();
  scene.step();
  std::uint64_t before = scene.copy->pages_done();
  for (bool complete = false; !complete; before = scene.copy->pages_done()) {
    Lane lane(scene.writer());
    lane.begin();
    // More than the page cache holds goes into the log before the transaction ends.
    (void)answer_of(lane.execute("INSERT INTO t(body) VALUES (zeroblob(20000000))"));
    lane.rollback();
    cr_assert(lane.execute("INSERT INTO t VALUES (0, x''), (0, x'')").error != nullptr);
    complete = scene.step();
    cr_assert_gt(scene.copy->pages_done(), before);
  }
  scene.rows();
}

Test(backup_copy, forgets_what_it_has_still_to_take_from_a_log_that_starts_anew) {
  Scene scene;
  scene.empty_log();
  Lane reader(scene.scratch.reader());
  reader.begin(true);
  scene.fill(1'000'000);
  scene.start();
  reader.rollback();
  scene.empty_log();
  scene.run("UPDATE t SET body = x'03' WHERE id = 5");
  scene.finish();
  scene.rows();
}

Test(backup_copy, of_a_database_that_shrinks_is_as_small) {
  Scene scene;
  scene.fill(3'000'000);
  scene.start();
  for (int i = 0; i < 5; ++i) scene.step();
  scene.run("DELETE FROM t WHERE id > 100");
  scene.run("VACUUM");
  scene.finish();
  scene.rows();
  cr_expect_lt(scene.copy->pages_total(), 50u);
}

Test(backup_copy, whatever_happens_meanwhile) { disturb_and_compare(4096, ""); }
Test(backup_copy, with_small_pages) { disturb_and_compare(512, ""); }
Test(backup_copy, with_large_pages) { disturb_and_compare(65536, ""); }
Test(backup_copy, of_a_database_that_shrinks_by_itself) {
  disturb_and_compare(4096, "PRAGMA auto_vacuum=FULL");
}

Test(backup_copy, without_room_for_it_fails_and_the_database_goes_on) {
  Scene scene;
  scene.fill(3'000'000);
  scene.empty_log();
  scene.start();
  {
    const FileSizeLimit limit(1'000'000);
    Result<bool> done = false;
    while (done && !*done) done = scene.copy->step(kNoTime);
    cr_assert(not done);
    expect_error(done.error(), ErrorCode::kDiskFull, "cannot write");
    scene.run("UPDATE t SET body = x'01' WHERE id = 1");
  }
  scene.copy.reset();
  scene.start();
  scene.finish();
  scene.rows();
}

Test(backup_copy, that_cannot_take_a_commit_along_does_not_harm_it) {
  Scene scene;
  scene.fill(3'000'000);
  scene.empty_log();
  scene.start();
  {
    const FileSizeLimit limit(1'000'000);
    scene.run("UPDATE t SET body = x'09' WHERE id = (SELECT max(id) FROM t)");
  }
  const Result<bool> done = scene.copy->step(kNoTime);
  cr_assert(not done);
  expect_error(done.error(), ErrorCode::kDiskFull, "cannot write");
  expect_text(text_of(scene.writer(), "SELECT hex(body) FROM t WHERE id = (SELECT max(id) FROM t)"), "09");
}

Test(backup_copy, on_a_disk_that_fails_to_sync_its_checkpoint_does_not_begin) {
  FaultyDisk disk;
  Scene scene;
  scene.fill(100'000);
  disk.sync.set(SQLITE_IOERR_FSYNC, 1);
  const auto copy = BackupCopy::start(scene.writer(), scene.governor(), scene.scratch.file());
  cr_assert(not copy);
  cr_expect(is_sync_failure(copy.error().sqlite_code));
}
