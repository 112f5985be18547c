// The echo peers: they answer as many bytes as they are told to, to each request that is complete.
#include <criterion/criterion.h>

#include "bench/peers/echo.h"
#include "bench/peers/loop_echo.h"
#include "bench/peers/socket_echo.h"
#include "tests/support/failure.h"
#include "tests/support/temporary_directory.h"

using namespace skua;
using namespace skua::bench;
using namespace skua::test;

namespace {

// Neither is a multiple of the other, nor of a buffer.
constexpr EchoSizes kSizes{136, 403};
Result<EchoSizes> sizes() { return kSizes; }

// Windows of `depth` requests, one after another: each has as many answers, or this would wait for ever.
void check_windows(Contestant& contestant, std::size_t depth) {
  constexpr std::size_t kWindows = 20;
  must(contestant.prepare());
  Tally tally;
  if (depth == 1) {
    const Operation operation = must(contestant.make_operation(0));
    for (std::size_t i = 0; i < kWindows; ++i) cr_assert_eq(must(operation()), 1u);
    return;
  }
  const Window window = must(contestant.make_window(0));
  for (std::size_t i = 0; i < kWindows; ++i) cr_assert_eq(must(window(tally)), depth);
  cr_assert_eq(tally.latencies.count(), kWindows * depth);
}

}  // namespace

Test(echo, a_request_counts_when_its_last_byte_came) {
  EchoCounter counter(10);
  cr_assert_eq(counter.take(9), 0u);
  cr_assert_eq(counter.take(1), 1u);
  cr_assert_eq(counter.take(25), 2u);
  cr_assert_eq(counter.take(5), 1u);
  cr_assert_eq(counter.take(0), 0u);
}

Test(echo, the_process_echo_answers_each_request_with_the_size_of_an_answer) {
  for (const std::size_t depth : {std::size_t{1}, std::size_t{16}, kDepthMax}) {
    SocketEcho contestant(sizes, depth);
    check_windows(contestant, depth);
  }
}

Test(echo, the_loop_echo_answers_each_request_with_the_size_of_an_answer) {
  const TemporaryDirectory directory;
  // The last is more than a socket holds: what does not fit waits in the loop.
  for (const std::size_t depth : {std::size_t{1}, std::size_t{16}, std::size_t{1'000}}) {
    LoopEcho contestant(directory / std::to_string(depth), sizes, depth);
    check_windows(contestant, depth);
  }
}

Test(echo, an_echo_of_bytes_that_cannot_be_measured_is_missing) {
  SocketEcho contestant([]() -> Result<EchoSizes> { return make_error(ErrorCode::kConnect, "nobody is there"); });
  const Status prepared = contestant.prepare();
  cr_assert(!prepared);
  cr_assert_eq(prepared.error().message, "nobody is there");
}
