// Attempts: what is sent again after which error, and how long.
#include "client/engine/attempts.h"

#include <thread>

#include "tests/engine_client/co_test.h"

using namespace skua;

namespace {

EngineOptions quick() {
  EngineOptions options;
  options.wait_ms_max = 50;
  options.reconnect_ms_min = 4;
  options.reconnect_ms_max = 10;
  return options;
}

}  // namespace

Test(attempts, what_cannot_have_happened_is_sent_again) {
  const EngineOptions engine = quick();
  Attempts attempts(engine, {});
  cr_assert(attempts.pause_after(make_error(ErrorCode::kLost, "not sent, or only read")) == 0u);
  cr_assert(!attempts.pause_after(make_error(ErrorCode::kInDoubt, "may be committed")));
  for (const ErrorCode code : {ErrorCode::kSql, ErrorCode::kConstraint, ErrorCode::kDeadline, ErrorCode::kCancelled,
                               ErrorCode::kConnect, ErrorCode::kProtocol, ErrorCode::kInternal, ErrorCode::kDiskFull}) {
    cr_assert(!attempts.pause_after(make_error(code, "")));
  }
}

Test(attempts, with_a_key_what_may_have_happened_is_sent_again) {
  const EngineOptions engine = quick();
  Attempts attempts(engine, RequestOptions().with_idempotency_key("key"));
  cr_assert(attempts.pause_after(make_error(ErrorCode::kInDoubt, "may be committed")) == 0u);
}

Test(attempts, pauses_grow_to_their_limit) {
  const EngineOptions engine = quick();
  Attempts attempts(engine, {});
  const Error busy = make_error(ErrorCode::kUnavailable, "not now");
  cr_assert(attempts.pause_after(busy) == 4u);
  cr_assert(attempts.pause_after(busy) == 8u);
  cr_assert(attempts.pause_after(busy) == 10u);
  cr_assert(attempts.pause_after(busy) == 10u);
}

Test(attempts, end_with_the_deadline_of_all_of_them) {
  const EngineOptions engine = quick();
  Attempts attempts(engine, RequestOptions().with_deadline_ms(30));
  cr_assert_leq(attempts.next().deadline_ms, 30);
  cr_assert(!attempts.is_again());
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  cr_assert_leq(attempts.next().deadline_ms, 10);
  cr_assert(attempts.is_again());
  std::this_thread::sleep_for(std::chrono::milliseconds(15));
  cr_assert(!attempts.pause_after(make_error(ErrorCode::kLost, "")));
}

Test(attempts, stay_in_doubt_until_an_answer_tells) {
  const EngineOptions engine = quick();
  Attempts attempts(engine, RequestOptions().with_idempotency_key("key"));
  cr_assert(attempts.final_error(make_error(ErrorCode::kConnect, "nobody")).code == ErrorCode::kConnect);
  static_cast<void>(attempts.pause_after(make_error(ErrorCode::kInDoubt, "may be committed")));
  for (const ErrorCode code : {ErrorCode::kConnect, ErrorCode::kDeadline, ErrorCode::kUnavailable, ErrorCode::kLost,
                               ErrorCode::kCancelled, ErrorCode::kLimit}) {
    cr_assert(attempts.final_error(make_error(code, "")).code == ErrorCode::kInDoubt);
  }
  // The key was not known, or this would have been the first answer.
  cr_assert(attempts.final_error(make_error(ErrorCode::kConstraint, "")).code == ErrorCode::kConstraint);
}
