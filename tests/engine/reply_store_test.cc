// Requests with an idempotency key: done once, answered each time.
#include "daemon/engine/reply_store.h"

#include <criterion/criterion.h>

#include <chrono>
#include <thread>

#include "daemon/engine/group_runner.h"
#include "daemon/engine/job_runner.h"
#include "tests/engine/expectations.h"
#include "tests/engine/lane.h"

using namespace skua;
using namespace skua::test;

namespace {

// A request as a client sends it again: the same content under another id.
std::shared_ptr<Request> keyed(const std::shared_ptr<Request>& request, std::string_view key, std::uint64_t id) {
  FrameBuilder frame;
  frame.setRoot(request->message->root());
  auto root = frame.getRoot<wire::Request>();
  root.setId(id);
  root.setIdempotencyKey(kj::arrayPtr(reinterpret_cast<const kj::byte*>(key.data()), key.size()));
  auto result = std::make_shared<Request>();
  result->id = id;
  result->kind = request->kind;
  result->statement = request->statement;
  result->has_key = true;
  result->message.emplace(frame.finish());
  if (result->kind == wire::Request::EXECUTE) result->open_execute();
  return result;
}

struct Scene {
  Scene() { scratch.run({"CREATE TABLE t(id INTEGER PRIMARY KEY, a UNIQUE)", "INSERT INTO t(a) VALUES ('taken')"}); }

  std::shared_ptr<Request> insert(std::string_view value, std::string_view key) {
    return keyed(execute_request("INSERT INTO t(a) VALUES (?) RETURNING id, a", {std::string(value)}), key, ++last_id);
  }
  std::string rows() { return text_of(scratch.reader(), "SELECT a FROM t ORDER BY id"); }

  std::uint64_t last_id = 100;
  ScratchDatabase scratch;
  Lane lane{scratch.writer()};
};

}  // namespace

Test(idempotency, a_request_sent_again_is_answered_and_not_done_again) {
  Scene scene;
  const Job first = scene.lane.run(scene.insert("one", "k1"));
  expect_text(text_of(first), "2|one");
  const Job again = scene.lane.run(scene.insert("one", "k1"));
  expect_text(text_of(again), "2|one");
  expect_text(text_of(scene.lane.run(scene.insert("two", "k2"))), "3|two");
  expect_text(scene.rows(), "taken\none\ntwo");
}

Test(idempotency, survives_a_restart) {
  Scene scene;
  (void)answer_of(scene.lane.run(scene.insert("one", "k1")));
  scene.scratch.reopen();
  Lane lane(scene.scratch.writer());
  expect_text(text_of(lane.run(scene.insert("one", "k1"))), "2|one");
  expect_text(scene.rows(), "taken\none");
}

Test(idempotency, a_key_belongs_to_one_request) {
  Scene scene;
  (void)answer_of(scene.lane.run(scene.insert("one", "k1")));
  expect_error(error_of(scene.lane.run(scene.insert("two", "k1"))), ErrorCode::kProtocol, "another request");
  expect_text(scene.rows(), "taken\none");
}

Test(idempotency, a_request_that_fails_leaves_nothing_and_may_be_sent_again) {
  Scene scene;
  expect_error(error_of(scene.lane.run(scene.insert("taken", "k1"))), ErrorCode::kConstraint);
  scene.scratch.run({"DELETE FROM t WHERE a = 'taken'"});
  expect_text(text_of(scene.lane.run(scene.insert("taken", "k1"))), "1|taken");
}

Test(idempotency, an_answer_too_large_to_keep_undoes_the_request) {
  Scene scene;
  const auto large = keyed(
      execute_request("INSERT INTO t(a) VALUES ('large') RETURNING hex(zeroblob(50000))"), "k1", ++scene.last_id);
  expect_error(error_of(scene.lane.run(large)), ErrorCode::kLimit, "idempotency_reply_bytes_max");
  expect_text(scene.rows(), "taken");
}

Test(idempotency, many_rows_and_programs_have_keys_too) {
  Scene scene;
  for (int i = 0; i < 2; ++i) {
    const auto many = keyed(execute_many_request("INSERT INTO t(a) VALUES (?)", {{"m1"}, {"m2"}}), "k1", ++scene.last_id);
    cr_expect_eq(answer_of(scene.lane.run(many)).done->changes, 2u);
    const auto program = keyed(program_request({{"INSERT INTO t(a) VALUES ('p')"}, {"SELECT count(*) FROM t"}}), "k2",
                               ++scene.last_id);
    expect_text(program_text_of(scene.lane.run(program)), "();(4)");
  }
  expect_text(scene.rows(), "taken\nm1\nm2\np");
}

Test(idempotency, the_same_request_twice_in_one_group_is_done_once) {
  Scene scene;
  std::vector<Job> jobs(5);
  const char* values[] = {"one", "one", "taken", "one", "two"};
  const char* keys[] = {"k1", "k1", "k2", "k1", "k3"};
  std::vector<Job*> pointers;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    jobs[i].slot = kWriterSlot;
    jobs[i].request = scene.insert(values[i], keys[i]);
    pointers.push_back(&jobs[i]);
  }
  GroupRunner(scene.scratch.writer(), pointers, Limits().held_result_bytes_max).run();
  for (const std::size_t i : {0, 1, 3}) expect_text(text_of(jobs[i]), "2|one");
  expect_error(error_of(jobs[2]), ErrorCode::kConstraint);
  expect_text(scene.rows(), "taken\none\ntwo");
}

Test(idempotency, answers_are_forgotten_after_their_time) {
  DatabaseOptions options;
  options.idempotency_keep_ms = 0;
  ScratchDatabase scratch(options);
  scratch.run({"CREATE TABLE t(a)"});
  Lane lane(scratch.writer());
  for (int i = 0; i < 20; ++i) {
    (void)answer_of(lane.run(keyed(execute_request("INSERT INTO t VALUES (1)"), fmt::format("k{}", i), 10 + i)));
  }
  const std::string kept = text_of(scratch.reader(), "SELECT count(*) FROM skua_replies");
  cr_expect_leq(std::stoi(kept), 20);
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  for (int i = 0; i < 20; ++i) {
    (void)answer_of(lane.run(keyed(execute_request("INSERT INTO t VALUES (1)"), fmt::format("l{}", i), 50 + i)));
  }
  expect_text(text_of(scratch.reader(), "SELECT count(*) < 20 FROM skua_replies"), "1");
}

Test(reply_store, an_answer_that_is_kept_has_its_columns) {
  FrameBuilder frame;
  frame.initRoot<wire::Request>().initExecute().setKnownColumns(1234);
  Request request;
  request.message.emplace(frame.finish());
  request.has_key = true;
  request.open_execute();
  // Who asks again may be another client, who does not know them.
  cr_assert_eq(request.known_columns, 0u);
  request.has_key = false;
  request.open_execute();
  cr_assert_eq(request.known_columns, 1234u);
}
