// Read transactions on one snapshot: what they see, what they wait for and what they do not.
#include "daemon/engine/shared_snapshot.h"

#include <criterion/criterion.h>

#include <atomic>
#include <thread>

#include "tests/engine/expectations.h"
#include "tests/engine/lane.h"

using namespace skua;
using namespace skua::test;

namespace {

struct Scene {
  Scene() { scratch.run({"CREATE TABLE t(id INTEGER PRIMARY KEY, a INTEGER NOT NULL)", "INSERT INTO t VALUES (1, 0)"}); }

  CommitGate& gate() { return scratch.database().commit_gate(); }
  std::vector<Connection*> readers(std::uint32_t count) {
    std::vector<Connection*> connections;
    for (std::uint32_t slot = 0; slot < count; ++slot) connections.push_back(&scratch.reader(slot));
    return connections;
  }
  // What each sees, all the same or joined by a space.
  static std::string seen_by(const std::vector<Connection*>& readers) {
    std::string first = text_of(*readers.front(), "SELECT a FROM t WHERE id = 1");
    std::string all = first;
    bool same = true;
    for (std::size_t i = 1; i < readers.size(); ++i) {
      const std::string text = text_of(*readers[i], "SELECT a FROM t WHERE id = 1");
      same = same && text == first;
      all += " " + text;
    }
    return same ? first : all;
  }
  static void end(const std::vector<Connection*>& readers) {
    for (Connection* reader : readers) reader->rollback();
  }

  ScratchDatabase scratch;
};

}  // namespace

Test(shared_snapshot, is_kept_by_all_whatever_is_committed) {
  Scene scene;
  const auto readers = scene.readers(4);
  must(begin_on_one_snapshot(scene.gate(), readers));
  scene.scratch.run({"UPDATE t SET a = 1"});
  expect_text(Scene::seen_by(readers), "0");
  Scene::end(readers);
  must(begin_on_one_snapshot(scene.gate(), readers));
  expect_text(Scene::seen_by(readers), "1");
  Scene::end(readers);
}

Test(shared_snapshot, is_one_while_somebody_commits_as_fast_as_he_can) {
  Scene scene;
  const auto readers = scene.readers(6);
  std::atomic<bool> enough{false};
  std::thread writer([&] {
    Lane lane(scene.scratch.writer());
    lane.relaxed = true;
    while (!enough) (void)answer_of(lane.execute("UPDATE t SET a = a + 1"));
  });
  std::string mixed;
  for (int round = 0; round < 500 && mixed.empty(); ++round) {
    must(begin_on_one_snapshot(scene.gate(), readers));
    const std::string seen = Scene::seen_by(readers);
    if (seen.find(' ') != std::string::npos) mixed = seen;
    Scene::end(readers);
  }
  enough = true;
  writer.join();
  expect_text(mixed, "");
}

Test(shared_snapshot, does_not_wait_for_a_write_that_is_not_being_committed) {
  Scene scene;
  const auto readers = scene.readers(3);
  Lane lane(scene.scratch.writer());
  lane.begin();
  (void)answer_of(lane.execute("UPDATE t SET a = 5"));
  must(begin_on_one_snapshot(scene.gate(), readers));
  expect_text(Scene::seen_by(readers), "0");
  Scene::end(readers);
  cr_assert(lane.commit().error == nullptr);
  must(begin_on_one_snapshot(scene.gate(), readers));
  expect_text(Scene::seen_by(readers), "5");
  Scene::end(readers);
}

// Each in a way of its own of being committed; none keeps the gate when it is done.
Test(shared_snapshot, every_commit_goes_through_the_gate_and_leaves_it) {
  Scene scene;
  Lane lane(scene.scratch.writer());
  const auto expect_pass = [&](const char* what, const auto& commit) {
    const std::uint64_t before = scene.gate().passes();
    commit();
    cr_expect_gt(scene.gate().passes(), before, "%s did not enter the gate, or did not leave it", what);
  };
  expect_pass("a statement", [&] { (void)answer_of(lane.execute("UPDATE t SET a = a + 1")); });
  expect_pass("RETURNING", [&] { (void)answer_of(lane.execute("UPDATE t SET a = a + 1 RETURNING a")); });
  expect_pass("DDL", [&] { (void)answer_of(lane.execute("CREATE TABLE u(a)")); });
  expect_pass("OR FAIL", [&] {
    (void)error_of(lane.execute("INSERT OR FAIL INTO t VALUES (2, 2), (1, 1)"));
  });
  expect_text(text_of(scene.scratch.writer(), "SELECT count(*) FROM t"), "2");
  expect_pass("a transaction", [&] {
    lane.begin();
    (void)answer_of(lane.execute("UPDATE t SET a = a + 1"));
    cr_assert(lane.commit().error == nullptr);
  });
  expect_pass("an empty transaction", [&] {
    lane.begin();
    cr_assert(lane.commit().error == nullptr);
  });
  expect_pass("executeMany", [&] {
    (void)answer_of(lane.run(execute_many_request("UPDATE t SET a = a + ?", {{std::int64_t{1}}, {std::int64_t{2}}})));
  });
  expect_pass("a slice", [&] {
    (void)lane.run_slice(execute_many_request("UPDATE t SET a = a + ?", {{std::int64_t{1}}}));
  });
}

Test(shared_snapshot, a_commit_that_is_refused_leaves_the_gate) {
  Scene scene;
  scene.scratch.run({"CREATE TABLE child(a REFERENCES t(id) DEFERRABLE INITIALLY DEFERRED)"});
  Lane lane(scene.scratch.writer());
  (void)error_of(lane.execute("INSERT INTO child VALUES (99)"));
  const auto readers = scene.readers(2);
  must(begin_on_one_snapshot(scene.gate(), readers));
  Scene::end(readers);
}

Test(shared_snapshot, survives_a_vacuum_and_a_log_that_starts_anew) {
  Scene scene;
  const auto readers = scene.readers(4);
  std::atomic<bool> enough{false};
  std::thread writer([&] {
    Lane lane(scene.scratch.writer());
    while (!enough) {
      (void)answer_of(lane.execute("UPDATE t SET a = a + 1"));
      (void)answer_of(lane.execute("VACUUM"));
      sqlite3_wal_checkpoint_v2(scene.scratch.writer().handle(), "main", SQLITE_CHECKPOINT_RESTART, nullptr, nullptr);
    }
  });
  std::string mixed;
  for (int round = 0; round < 200 && mixed.empty(); ++round) {
    must(begin_on_one_snapshot(scene.gate(), readers));
    const std::string seen = Scene::seen_by(readers);
    if (seen.find(' ') != std::string::npos) mixed = seen;
    Scene::end(readers);
  }
  enough = true;
  writer.join();
  expect_text(mixed, "");
}

Test(shared_snapshot, is_taken_on_none_if_one_cannot_be_begun) {
  Scene scene;
  const auto readers = scene.readers(3);
  must(readers.back()->begin(true, false));
  const Status begun = begin_on_one_snapshot(scene.gate(), readers);
  cr_assert(!begun, "one of them was in a transaction already");
  for (const Connection* reader : readers) cr_expect(!reader->in_transaction());
  must(begin_on_one_snapshot(scene.gate(), readers));
  Scene::end(readers);
}
