// InlineLane: short reads on the loop thread, and the snapshot that is kept for them.
#include "daemon/engine/inline_lane.h"
#include "daemon/engine/slow_run.h"

#include <criterion/criterion.h>

#include "tests/engine/expectations.h"
#include "tests/engine/lane.h"

using namespace skua;
using namespace skua::test;

namespace {

struct Scene {
  Scene() {
    loop_thread.adopt();
    scratch.run({"CREATE TABLE t(id INTEGER PRIMARY KEY, a, body)", "INSERT INTO t VALUES (1, 'one', NULL), (2, 'two', NULL)"});
    lane = must(InlineLane::open(scratch.database()));
  }
  ~Scene() { lane.reset(); }

  Job job;
  InlineRead read(std::string_view sql, const std::vector<Value>& parameters = {}) {
    loop_thread.assert_here();
    job.forget_outcome();
    job.slot = kInlineSlot;
    job.request = execute_request(sql, parameters);
    return lane->run(job);
  }
  std::string text(std::string_view sql, const std::vector<Value>& parameters = {}) {
    require(read(sql, parameters) == InlineRead::kDone, "the read was not done");
    return text_of(job);
  }
  void expect_nothing() const {
    cr_expect(job.frames.empty() && job.error == nullptr && !job.ended && !job.cursor_open && !job.needs_writer);
  }
  void end_turn() {
    loop_thread.assert_here();
    lane->on_turn_end();
  }
  // As the daemon writes: handed over, run, done.
  void hand_over() {
    loop_thread.assert_here();
    scratch.database().write_watch().on_handed();
  }
  void write(const std::string& sql) {
    scratch.run({sql});
    scratch.database().write_watch().on_done(1);
  }

  ScratchDatabase scratch;
  std::unique_ptr<InlineLane> lane;
};

}  // namespace

Test(inline_lane, runs_short_reads) {
  Scene scene;
  expect_text(scene.text("SELECT a FROM t WHERE id = ?", {std::int64_t{2}}), "two");
  cr_expect(scene.job.was_short);
  expect_text(scene.text("SELECT a FROM t WHERE id = ?", {std::int64_t{7}}), "");
  expect_text(scene.text("SELECT max(id), upper(a) FROM t"), "2|TWO");
}

Test(inline_lane, refuses_what_writes) {
  Scene scene;
  cr_expect(scene.read("DELETE FROM t") == InlineRead::kRefused);
  scene.expect_nothing();
  expect_text(scene.text("SELECT sum(id) FROM t"), "3");
}

Test(inline_lane, stops_what_is_not_short_and_leaves_nothing_of_it) {
  struct Case {
    const char* what;
    const char* sql;
  };
  static const Case kCases[] = {
      {"instructions", "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000) SELECT max(i) FROM n"},
      {"rows", "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"},
      {"bytes of rows", "SELECT quote(zeroblob(9000))"},
      {"one value", "SELECT length(zeroblob(100000))"},
      {"one opcode that grows", "SELECT hex(zeroblob(40000))"},
      {"an error", "SELECT abs(-9223372036854775808)"},
      {"a mistake", "SELECT nothing FROM t"},
      {"a parameter too few", "SELECT ?"},
  };
  for (const Case& one : kCases) {
    Scene scene;
    for (int i = 0; i < 3; ++i) {
      cr_expect(scene.read(one.sql) == InlineRead::kOverrun, "%s", one.what);
      scene.expect_nothing();
      expect_text(scene.text("SELECT a FROM t WHERE id = 1"), "one");
    }
  }
}

Test(inline_lane, a_large_parameter_is_for_the_lanes) {
  Scene scene;
  const std::string most(kInlineValueBytesMax, 'x');
  expect_text(scene.text("SELECT length(?)", {most}), std::to_string(kInlineValueBytesMax));
  cr_expect(scene.read("SELECT length(?)", {most + "x"}) == InlineRead::kOverrun);
}

Test(inline_lane, a_turn_has_an_end_even_for_reads_that_are_short_enough_each) {
  Scene scene;
  const char* sql =
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50) SELECT max(i) FROM n";
  int done = 0;
  while (scene.read(sql) == InlineRead::kDone) ++done;
  cr_expect(done > 8 && done < 200, "%d", done);
  cr_expect(scene.read("SELECT 1") == InlineRead::kRefused);
  scene.end_turn();
  expect_text(scene.text("SELECT 1"), "1");
}

Test(inline_lane, the_reads_of_a_turn_share_a_snapshot) {
  Scene scene;
  expect_text(scene.text("SELECT a FROM t WHERE id = 1"), "one");
  scene.hand_over();
  scene.write("UPDATE t SET a = 'new'");
  expect_text(scene.text("SELECT a FROM t WHERE id = 2"), "two");
  scene.end_turn();
  expect_text(scene.text("SELECT a FROM t WHERE id = 2"), "new");
}

Test(inline_lane, a_snapshot_is_kept_until_a_write_is_handed_over) {
  Scene scene;
  scene.read("SELECT a FROM t WHERE id = 1");
  for (int i = 0; i < 3; ++i) {
    scene.end_turn();
    cr_expect(scene.lane->holds_snapshot());
  }
  scene.hand_over();
  scene.end_turn();
  cr_expect(!scene.lane->holds_snapshot());
}

Test(inline_lane, while_a_write_is_under_way_no_snapshot_is_kept) {
  Scene scene;
  scene.hand_over();
  for (int i = 0; i < 3; ++i) {
    expect_text(scene.text("SELECT a FROM t WHERE id = 1"), "one");
    scene.end_turn();
    cr_expect(!scene.lane->holds_snapshot());
  }
  // Taken before the commit, and its turn ends after it.
  scene.read("SELECT a FROM t WHERE id = 1");
  scene.write("UPDATE t SET a = 'new'");
  scene.end_turn();
  cr_expect(!scene.lane->holds_snapshot());
  expect_text(scene.text("SELECT a FROM t WHERE id = 1"), "new");
  scene.end_turn();
  cr_expect(scene.lane->holds_snapshot());
}

Test(inline_lane, a_snapshot_that_is_let_go_is_not_in_the_way_of_a_checkpoint) {
  Scene scene;
  scene.read("SELECT a FROM t WHERE id = 1");
  cr_expect(!must(scene.scratch.database().governor().empty(scene.scratch.writer())));
  loop_thread.assert_here();
  scene.lane->let_go();
  cr_expect(must(scene.scratch.database().governor().empty(scene.scratch.writer())));
  expect_text(scene.text("SELECT a FROM t WHERE id = 1"), "one");
}

Test(inline_lane, sees_a_changed_schema) {
  Scene scene;
  expect_text(scene.text("SELECT * FROM t WHERE id = 1"), "1|one|NULL");
  scene.end_turn();
  scene.hand_over();
  scene.write("ALTER TABLE t ADD COLUMN more DEFAULT 'm'");
  scene.end_turn();
  expect_text(scene.text("SELECT * FROM t WHERE id = 1"), "1|one|NULL|m");
  cr_expect_eq(answer_of(scene.job).columns.size(), 4u);
}

Test(inline_lane, a_schema_that_takes_longer_than_a_read_may_is_read_all_the_same) {
  Scene scene;
  for (int i = 0; i < 400; ++i) scene.scratch.run({fmt::format("CREATE TABLE t{}(a)", i)});
  int tries = 0;
  while (scene.read("SELECT a FROM t WHERE id = 1") != InlineRead::kDone) cr_assert(++tries < 3);
  expect_text(text_of(scene.job), "one");
}

Test(inline_lane, a_lane_says_what_was_short) {
  Scene scene;
  Lane lane(scene.scratch.reader());
  scene.scratch.run({"CREATE VIEW v AS SELECT a LIKE 'o%' FROM t"});
  for (const char* sql : {"SELECT a FROM t WHERE id = 1", "SELECT 1", "SELECT max(id), upper(a) FROM t", "EXPLAIN SELECT 1"}) {
    for (int i = 0; i < 3; ++i) cr_expect(lane.execute(sql).was_short, "%s", sql);
  }
  for (const char* sql :
       {"SELECT count(*) FROM t", "SELECT a FROM t WHERE a LIKE 'o%'", "SELECT * FROM v", "SELECT hex(a) FROM t",
        "PRAGMA table_info(t)", "SELECT * FROM pragma_integrity_check", "SELECT nothing",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) SELECT max(i) FROM n",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"}) {
    for (int i = 0; i < 3; ++i) cr_expect(!lane.execute(sql).was_short, "%s", sql);
  }
}

Test(slow_run, is_excused_by_an_interruption_alone) {
  SlowRun run;
  cr_assert(run.judge(0, 7), "interrupted");
  cr_assert(!run.judge(0, 7), "neither interrupted nor reading: it waited for something");
  cr_assert(!run.judge(3, 8), "a block was read");
  cr_assert(run.judge(3, 9));
}
