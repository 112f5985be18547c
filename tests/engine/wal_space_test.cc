// WalSpace: that the log's file has room behind the log, again when the log was started anew, and not too much.
#include "daemon/engine/wal_space.h"

#include <criterion/criterion.h>
#include <fmt/format.h>

#include <filesystem>

#include "protocol/limits.h"
#include "tests/engine/lane.h"
#include "tests/engine/scratch_database.h"
#include "tests/support/failure.h"

using namespace skua;
using namespace skua::test;

namespace {

constexpr std::uint64_t kNoLimit = 1024 * kMiB;

// A commit of about `bytes` for each write, and the room made behind it as the writer's lane does it.
struct Scene {
  Scene() { write("CREATE TABLE t(body)"); }

  void write(std::string_view sql) {
    (void)answer_of(Lane(scratch.writer()).execute(sql));
    log_bytes = scratch.database().governor().report(scratch.writer()).bytes;
    scratch.database().wal_space().reserve(log_bytes, bytes_max);
  }
  void write_bytes(std::uint64_t bytes) { write(fmt::format("INSERT INTO t VALUES (zeroblob({}))", bytes)); }
  std::uint64_t file_bytes() { return std::filesystem::file_size(scratch.file() + "-wal"); }

  ScratchDatabase scratch;
  std::uint64_t bytes_max = kNoLimit;
  std::uint64_t log_bytes = 0;
};

}  // namespace

Test(wal_space, keeps_room_for_commits_behind_the_log) {
  Scene scene;
  for (int i = 0; i < 200; ++i) {
    scene.write_bytes(20 * kKiB);
    cr_assert_gt(scene.file_bytes(), scene.log_bytes + 100 * kKiB, "%llu of %llu",
                 static_cast<unsigned long long>(scene.log_bytes),
                 static_cast<unsigned long long>(scene.file_bytes()));
  }
}

Test(wal_space, keeps_room_behind_a_commit_longer_than_all_the_room_there_was) {
  Scene scene;
  scene.write_bytes(5 * kMiB);
  cr_assert_gt(scene.file_bytes(), scene.log_bytes + 100 * kKiB);
}

Test(wal_space, keeps_room_in_a_log_that_was_cut_and_started_anew) {
  Scene scene;
  while (scene.log_bytes <= kJournalSizeLimitBytes) scene.write_bytes(8 * kMiB);
  cr_assert(must(scene.scratch.database().governor().empty(scene.scratch.writer())));
  cr_assert_eq(scene.file_bytes(), 0u);
  scene.write_bytes(10);
  cr_assert_lt(scene.log_bytes, 100 * kKiB);
  cr_assert_gt(scene.file_bytes(), scene.log_bytes + 100 * kKiB);
}

Test(wal_space, makes_no_file_longer_than_it_may_be) {
  Scene scene;
  scene.bytes_max = 2 * kMiB;
  for (int i = 0; i < 50; ++i) scene.write_bytes(20 * kKiB);
  cr_assert_leq(scene.file_bytes(), scene.bytes_max);
  cr_assert_gt(scene.log_bytes, kMiB);
}
