// When a thread that streams rests, and for how long.
#include <criterion/criterion.h>

#include <atomic>
#include <cstdint>

#include "daemon/engine/stream_pace.h"

using skua::StreamPace;

Test(stream_pace, rests_as_long_as_a_batch_took_that_had_to_share_the_core_with_short_reads) {
  cr_expect_eq(StreamPace::rest_us({1'000, 5, 2}, {1'300, 6, 3}), 300u);
}

Test(stream_pace, does_not_rest_where_there_is_a_core_for_everyone) {
  cr_expect_eq(StreamPace::rest_us({1'000, 5, 2}, {1'300, 900, 2}), 0u);
}

Test(stream_pace, does_not_rest_for_others_than_short_reads) {
  cr_expect_eq(StreamPace::rest_us({1'000, 5, 2}, {1'300, 5, 9}), 0u);
}

Test(stream_pace, does_not_rest_longer_for_a_batch_that_took_long) {
  cr_expect_eq(StreamPace::rest_us({1'000, 5, 2}, {900'000, 6, 3}), StreamPace::kRestUsMax);
}

Test(stream_pace, sees_what_happens_between_two_batches_of_its_own_thread) {
  const std::atomic<std::uint64_t> short_reads = 0;
  StreamPace pace(short_reads);
  pace.begin_batch();
  cr_expect(!pace.rest(), "nobody read");
}
