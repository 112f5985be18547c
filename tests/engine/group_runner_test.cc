// GroupRunner: requests that share a transaction have the outcomes they would have alone. What that is, the same requests
// say, run one by one on a database of their own.
#include "daemon/engine/group_runner.h"

#include <criterion/criterion.h>

#include <cstring>
#include <map>
#include <random>
#include <thread>

#include "daemon/engine/job_runner.h"
#include "tests/engine/expectations.h"
#include "tests/engine/faulty_disk.h"
#include "tests/engine/lane.h"

using namespace skua;
using namespace skua::test;

namespace {

using Requests = std::vector<std::shared_ptr<Request>>;

const std::vector<std::string> kSchema = {
    "CREATE TABLE t(id INTEGER PRIMARY KEY, a UNIQUE, b)",
    "CREATE TABLE parent(id INTEGER PRIMARY KEY)",
    "CREATE TABLE child(id INTEGER PRIMARY KEY, parent REFERENCES parent DEFERRABLE INITIALLY DEFERRED)",
    "CREATE TABLE guarded(a)",
    "CREATE TRIGGER roll_back BEFORE INSERT ON guarded WHEN new.a = 'rollback' "
    "BEGIN INSERT INTO t(a) VALUES ('from the trigger'); SELECT RAISE(ROLLBACK, 'rolled back'); END",
    "CREATE TRIGGER abort BEFORE INSERT ON guarded WHEN new.a = 'abort' "
    "BEGIN INSERT INTO t(a) VALUES ('from the trigger'); SELECT RAISE(ABORT, 'aborted'); END",
    "CREATE TRIGGER fail BEFORE INSERT ON guarded WHEN new.a = 'fail' "
    "BEGIN INSERT INTO t(a) VALUES ('from the trigger'); SELECT RAISE(FAIL, 'failed'); END",
    "INSERT INTO t(a) VALUES ('taken')"};

struct Scene {
  explicit Scene(std::uint64_t held_bytes = Limits().held_result_bytes_max) : held_bytes_max(held_bytes) {
    scratch.run(kSchema);
  }

  std::vector<Job> make_jobs(const Requests& requests) {
    std::vector<Job> jobs(requests.size());
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      jobs[i].slot = kWriterSlot;
      jobs[i].request = requests[i];
      jobs[i].may_join_group = true;
    }
    return jobs;
  }
  std::vector<Job> run_as_group(const Requests& requests) {
    std::vector<Job> jobs = make_jobs(requests);
    std::vector<Job*> pointers;
    for (Job& job : jobs) pointers.push_back(&job);
    done = GroupRunner(scratch.writer(), pointers, held_bytes_max).run();
    cr_assert(not scratch.writer().in_transaction());
    return jobs;
  }
  std::vector<Job> run_alone(const Requests& requests) {
    std::vector<Job> jobs = make_jobs(requests);
    for (Job& job : jobs) JobRunner(scratch.writer(), job, held_bytes_max).run();
    return jobs;
  }
  // As another connection sees it, which is what is committed.
  std::string contents() {
    std::string text;
    for (const char* table : {"t", "parent", "child", "guarded"}) {
      text += std::string(table) + ": " +
              text_of(scratch.reader(), std::string("SELECT * FROM ") + table + " ORDER BY rowid") + "\n";
    }
    return text;
  }

  std::uint64_t held_bytes_max;
  ScratchDatabase scratch;
  std::size_t done = 0;
};

std::string outcome_of(const Job& job) {
  if (job.error != nullptr) {
    (void)error_of(job);
    return fmt::format("{} {} {} {}", to_string(job.error->code), job.error->sqlite_code, job.error->row,
                       job.error->message);
  }
  require(not job.transaction_open, "a transaction is left open");
  if (job.request->kind == wire::Request::PROGRAM) return program_text_of(job);
  const Answer answer = answer_of(job);
  return fmt::format("{} changes, rowid {}: {}", answer.done->changes, answer.done->last_insert_rowid,
                     to_text(answer.rows));
}

using MakeRequests = std::function<Requests()>;

// Runs them both ways and compares.
void expect_same_as_alone(const MakeRequests& make, const std::string& what,
                          std::uint64_t held_bytes = Limits().held_result_bytes_max) {
  Scene group(held_bytes);
  Scene alone(held_bytes);
  const std::vector<Job> grouped = group.run_as_group(make());
  const std::vector<Job> single = alone.run_alone(make());
  cr_assert_eq(group.done, grouped.size());
  for (std::size_t i = 0; i < grouped.size(); ++i) {
    const std::string expected = outcome_of(single[i]);
    const std::string actual = outcome_of(grouped[i]);
    require(actual == expected, fmt::format("{}: request {} alone: {}; in a group: {}", what, i, expected, actual));
  }
  expect_text(group.contents(), alone.contents());
}

// Tells how many rows there are, so that a missing or doubled neighbour shows.
std::shared_ptr<Request> innocent(int number) {
  return execute_request("INSERT INTO t(a, b) VALUES (?, 'innocent') RETURNING id, (SELECT count(*) FROM t)",
                         {std::int64_t{number}});
}

// The same request, with the pointer to its one text parameter of that size pointing nowhere.
// capnproto.org/encoding.html#lists
std::shared_ptr<Request> with_malformed_text(const Request& request, std::size_t bytes) {
  FrameBuilder builder;
  builder.setRoot(request.message->root());
  Frame frame = builder.finish();
  constexpr std::uint64_t kListPointer = 1;
  constexpr std::uint64_t kByteElements = 2;
  std::size_t found = 0;
  for (std::size_t i = 0; i < frame.view().size(); ++i) {
    std::uint64_t word = 0;
    std::memcpy(&word, frame.words() + i, sizeof(word));
    if ((word & 3) != kListPointer || word >> 32 != (bytes << 3 | kByteElements)) continue;
    word |= 0x3fff'fff0;  // the offset, in words
    std::memcpy(reinterpret_cast<char*>(frame.words() + i), &word, sizeof(word));
    ++found;
  }
  require(found == 1, fmt::format("{} texts of {} bytes", found, bytes));
  auto malformed = std::make_shared<Request>();
  malformed->id = request.id;
  malformed->kind = request.kind;
  malformed->statement = request.statement;
  malformed->message.emplace(std::move(frame));
  if (malformed->kind == wire::Request::EXECUTE) malformed->open_execute();
  return malformed;
}

struct Case {
  const char* name;
  std::function<std::shared_ptr<Request>()> make;
};

std::function<std::shared_ptr<Request>()> sql(std::string text) {
  return [text] { return execute_request(text); };
}

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"constraint", sql("INSERT INTO t(a) VALUES ('taken')")},
      {"constraint half way", sql("INSERT INTO t(a) VALUES ('new'), ('taken'), ('newer')")},
      {"OR ROLLBACK", sql("INSERT OR ROLLBACK INTO t(a) VALUES ('new'), ('taken')")},
      {"OR FAIL", sql("INSERT OR FAIL INTO t(a) VALUES ('new'), ('taken'), ('newer')")},
      {"OR REPLACE", sql("INSERT OR REPLACE INTO t(a, b) VALUES ('taken', 'again')")},
      {"OR IGNORE", sql("INSERT OR IGNORE INTO t(a, b) VALUES ('taken', 'again'), ('new', 1)")},
      {"RAISE(ROLLBACK)", sql("INSERT INTO guarded VALUES ('fine'), ('rollback')")},
      {"RAISE(ABORT)", sql("INSERT INTO guarded VALUES ('fine'), ('abort')")},
      {"RAISE(FAIL)", sql("INSERT INTO guarded VALUES ('fine'), ('fail')")},
      {"deferred foreign key", sql("INSERT INTO child(parent) VALUES (77)")},
      {"deferred foreign key of a delete", sql("DELETE FROM parent")},
      {"parent", sql("INSERT INTO parent VALUES (1)")},
      {"child", sql("INSERT INTO child(parent) VALUES (1)")},
      {"syntax", sql("INSERT INTO t(a) VALUES (")},
      {"no table", sql("INSERT INTO nowhere VALUES (1)")},
      {"too few parameters", sql("INSERT INTO t(a) VALUES (?)")},
      {"an overflow half way", sql("UPDATE t SET b = abs(iif(id > 1, -9223372036854775807 - 1, 1))")},
      {"a result that is too large", sql("UPDATE t SET b = b RETURNING hex(zeroblob(20000))")},
      {"many rows", [] { return execute_many_request("INSERT INTO t(a) VALUES (?)", {{"m1"}, {"m2"}, {"m3"}}); }},
      {"many rows, one bad",
       [] { return execute_many_request("INSERT INTO t(a) VALUES (?)", {{"m1"}, {"taken"}, {"m3"}}); }},
      {"many rows, one rolls back",
       [] { return execute_many_request("INSERT OR ROLLBACK INTO t(a) VALUES (?)", {{"m1"}, {"taken"}}); }},
      {"many rows with a deferred violation",
       [] { return execute_many_request("INSERT INTO child(parent) VALUES (?)", {{1}, {88}}); }},
      {"program",
       [] { return program_request({{"INSERT INTO t(a) VALUES ('p1')"}, {"SELECT count(*) FROM t"}}); }},
      {"program that fails",
       [] { return program_request({{"INSERT INTO t(a) VALUES ('p1')"}, {"INSERT INTO t(a) VALUES ('taken')"}}); }},
      {"program with a step that may fail",
       [] {
         return program_request({{"INSERT INTO t(a) VALUES ('p1')"},
                                 {.sql = "INSERT OR FAIL INTO t(a) VALUES ('p2'), ('taken')", .may_fail = true},
                                 {"SELECT count(*) FROM t"}});
       }},
      {"program that rolls back",
       [] {
         return program_request(
             {{"INSERT INTO t(a) VALUES ('p1')"}, {.sql = "INSERT INTO guarded VALUES ('rollback')", .may_fail = true}});
       }},
  };
  return all;
}

// How often the connection ran a statement that begins so.
class RunCounter {
 public:
  explicit RunCounter(sqlite3* db) {
    sqlite3_trace_v2(
        db, SQLITE_TRACE_STMT,
        [](unsigned, void* self, void*, void* text) {
          ++static_cast<RunCounter*>(self)->runs_[static_cast<const char*>(text)];
          return 0;
        },
        this);
  }
  int of(const std::string& text) const {
    const auto found = runs_.find(text);
    return found == runs_.end() ? 0 : found->second;
  }

 private:
  std::map<std::string, int> runs_;
};

}  // namespace

Test(group_runner, each_kind_of_company_at_each_place) {
  for (const Case& guilty : cases()) {
    for (int place = 0; place < 4; ++place) {
      const auto make = [&] {
        Requests requests;
        for (int i = 0; i < 4; ++i) requests.push_back(i == place ? guilty.make() : innocent(i));
        return requests;
      };
      expect_same_as_alone(make, fmt::format("{} at {}", guilty.name, place), 10'000);
    }
  }
}

Test(group_runner, random_groups) {
  for (unsigned seed = 0; seed < 150; ++seed) {
    const auto make = [&] {
      std::mt19937 random(seed);
      Requests requests;
      const std::size_t count = 2 + random() % 12;
      for (std::size_t i = 0; i < count; ++i) {
        const bool is_case = random() % 3 != 0;
        requests.push_back(is_case ? cases()[random() % cases().size()].make() : innocent(static_cast<int>(i)));
      }
      return requests;
    };
    expect_same_as_alone(make, fmt::format("seed {}", seed), 10'000);
  }
}

Test(group_runner, one_sync_for_all) {
  FaultyDisk disk;
  Scene scene;
  disk.syncs = 0;
  const std::vector<Job> jobs = scene.run_as_group({innocent(1), innocent(2), innocent(3), innocent(4), innocent(5)});
  for (const Job& job : jobs) (void)answer_of(job);
  cr_expect_eq(disk.syncs, 1);
}

Test(group_runner, a_relaxed_member_does_not_make_the_others_relaxed) {
  FaultyDisk disk;
  Scene scene;
  std::vector<Job> jobs = scene.make_jobs({innocent(1), innocent(2)});
  const auto run = [&] {
    std::vector<Job*> pointers;
    for (Job& job : jobs) pointers.push_back(&job);
    disk.syncs = 0;
    GroupRunner(scene.scratch.writer(), pointers, scene.held_bytes_max).run();
    return disk.syncs.load();
  };
  jobs[0].relaxed = true;
  cr_expect_eq(run(), 1);
  for (Job& job : jobs) job.request = innocent(job.relaxed ? 3 : 4);
  jobs[1].relaxed = true;
  cr_expect_eq(run(), 0);
}

Test(group_runner, innocent_members_are_replayed_once_and_those_behind_the_guilty_not_at_all) {
  Scene scene;
  RunCounter runs(scene.scratch.writer().handle());
  const auto insert = [](const char* value) { return fmt::format("INSERT INTO t(a) VALUES ('{}')", value); };
  const std::string guilty = "INSERT OR ROLLBACK INTO t(a) VALUES ('taken')";
  const std::vector<Job> jobs =
      scene.run_as_group({execute_request(insert("before")), execute_request(insert("too")), execute_request(guilty),
                          execute_request(insert("behind")), execute_request(insert("last"))});
  cr_expect_eq(runs.of(insert("before")), 2);
  cr_expect_eq(runs.of(insert("too")), 2);
  cr_expect_eq(runs.of(guilty), 1);
  cr_expect_eq(runs.of(insert("behind")), 1);
  cr_expect_eq(runs.of(insert("last")), 1);
  expect_error(error_of(jobs[2]), ErrorCode::kConstraint, "UNIQUE");
}

Test(group_runner, a_member_stopped_in_the_middle_takes_nobody_along) {
  Scene scene;
  const auto endless = execute_request(
      "INSERT INTO t(a) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT 'x' || i FROM n");
  std::thread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    endless->token.cancel(CancelReason::kDeadline);
  });
  const std::vector<Job> jobs = scene.run_as_group({innocent(1), endless, innocent(2)});
  stopper.join();
  expect_error(error_of(jobs[1]), ErrorCode::kDeadline);
  expect_text(text_of(jobs[0]), "2|2");
  expect_text(text_of(jobs[2]), "3|3");
}

Test(group_runner, a_member_stopped_before_its_turn_is_left_out) {
  Scene scene;
  const auto stopped = innocent(9);
  stopped->token.cancel(CancelReason::kClient);
  const std::vector<Job> jobs = scene.run_as_group({innocent(1), stopped, innocent(2)});
  expect_error(error_of(jobs[1]), ErrorCode::kCancelled);
  expect_text(text_of(jobs[2]), "3|3");
}

Test(group_runner, a_full_disk_is_the_error_of_who_fills_it) {
  const auto make = [] {
    return Requests{innocent(1), execute_request("INSERT INTO t(a) VALUES (zeroblob(3000000))"), innocent(2),
                    execute_request("INSERT INTO t(a) VALUES (zeroblob(100000))"), innocent(3)};
  };
  Scene group;
  Scene alone;
  for (Scene* scene : {&group, &alone}) (void)must(scene->scratch.writer().run_internal("PRAGMA max_page_count=100"));
  const std::vector<Job> grouped = group.run_as_group(make());
  const std::vector<Job> single = alone.run_alone(make());
  for (std::size_t i = 0; i < grouped.size(); ++i) expect_text(outcome_of(grouped[i]), outcome_of(single[i]));
  expect_error(error_of(grouped[1]), ErrorCode::kDiskFull);
  expect_text(group.contents(), alone.contents());
}

Test(group_runner, want_of_memory_is_the_error_of_who_wants_it) {
  Scene scene;
  scene.run_as_group({innocent(1), innocent(2)});
  const std::int64_t limit_before = sqlite3_hard_heap_limit64(sqlite3_memory_used() + 20'000'000);
  const std::vector<Job> jobs =
      scene.run_as_group({innocent(3), execute_request("INSERT INTO t(a) VALUES (hex(zeroblob(30000000)))"), innocent(4)});
  sqlite3_hard_heap_limit64(limit_before);
  cr_assert(jobs[1].error != nullptr);
  cr_expect_eq(jobs[1].error->sqlite_code & 0xff, SQLITE_NOMEM);
  expect_text(text_of(jobs[0]), "4|4");
  expect_text(text_of(jobs[2]), "5|5");
}

Test(group_runner, a_commit_that_fails_is_tried_again_one_by_one) {
  FaultyDisk disk;
  Scene scene;
  disk.write.set(SQLITE_IOERR_WRITE, 1);
  const std::vector<Job> jobs = scene.run_as_group({innocent(1), innocent(2), innocent(3)});
  expect_text(text_of(jobs[0]), "2|2");
  expect_text(text_of(jobs[1]), "3|3");
  expect_text(text_of(jobs[2]), "4|4");
  expect_text(text_of(scene.scratch.reader(), "SELECT count(*) FROM t"), "4");
}

Test(group_runner, a_disk_that_always_fails_is_everybodys_error) {
  FaultyDisk disk;
  Scene scene;
  const std::string before = scene.contents();
  disk.write.set(SQLITE_IOERR_WRITE, 1'000'000);
  const std::vector<Job> jobs = scene.run_as_group({innocent(1), innocent(2), innocent(3)});
  disk.write.set(SQLITE_OK, 0);
  for (const Job& job : jobs) expect_error(error_of(job), ErrorCode::kIo);
  expect_text(scene.contents(), before);
}

Test(group_runner, a_failed_commit_and_then_a_failed_sync_leave_no_answer_behind) {
  FaultyDisk disk;
  Scene scene;
  disk.write.set(SQLITE_IOERR_WRITE, 1);
  disk.sync.set(SQLITE_IOERR_FSYNC, 1);
  const std::vector<Job> jobs = scene.run_as_group({innocent(1), innocent(2), innocent(3)});
  cr_expect_eq(scene.done, 1u);
  cr_expect_eq(error_of(jobs[0]).sqlite_code, SQLITE_IOERR_FSYNC);
  for (const std::size_t i : {1, 2}) cr_expect(jobs[i].frames.empty() and not jobs[i].ended, "%zu", i);
}

Test(group_runner, a_program_whose_message_is_malformed_leaves_nothing) {
  const auto make = [] {
    const auto broken = program_request({{"INSERT INTO t(a) VALUES ('done before')"},
                                         {.sql = "INSERT INTO t(a) VALUES (?)", .parameters = {std::string("malformed")}}});
    return Requests{innocent(1), with_malformed_text(*broken, std::string_view("malformed").size()), innocent(2)};
  };
  expect_same_as_alone(make, "malformed");
  Scene scene;
  const std::vector<Job> jobs = scene.run_as_group(make());
  expect_error(error_of(jobs[1]), ErrorCode::kProtocol);
  expect_text(text_of(scene.scratch.reader(), "SELECT count(*) FROM t WHERE a = 'done before'"), "0");
}

Test(group_runner, after_a_failed_sync_nobody_is_told_success_and_nothing_more_is_run) {
  FaultyDisk disk;
  Scene scene;
  RunCounter runs(scene.scratch.writer().handle());
  disk.sync.set(SQLITE_IOERR_FSYNC, 1);
  const std::vector<Job> jobs = scene.run_as_group({innocent(1), innocent(2), innocent(3)});
  cr_expect_eq(scene.done, 3u);
  for (const Job& job : jobs) cr_expect_eq(error_of(job).sqlite_code, SQLITE_IOERR_FSYNC);
  // The same while those before a guilty one are committed: those behind it are not run.
  disk.sync.set(SQLITE_IOERR_FSYNC, 1);
  const std::vector<Job> cut = scene.run_as_group(
      {innocent(1), innocent(2), execute_request("INSERT OR ROLLBACK INTO t(a) VALUES ('taken')"), innocent(3)});
  cr_expect_eq(scene.done, 2u);
  cr_expect(cut[3].error == nullptr and cut[3].frames.empty());
}
