// Frame, FrameBuilder, MessageView: one message in memory.
#include "protocol/frame.h"

#include <criterion/criterion.h>

#include <cstring>
#include <string>

#include "protocol/codec.h"

using namespace skua;

namespace {

// A request that holds the SQL text.
Frame describe_frame(const std::string& sql, std::size_t words_hint) {
  FrameBuilder builder(words_hint);
  auto request = builder.initRoot<wire::Request>();
  request.setId(7);
  fill_text(request.initDescribe().initSql(static_cast<kj::uint>(sql.size())), sql);
  return builder.finish();
}

std::string sql_in(const Frame& frame) {
  MessageView view(frame.view());
  return std::string(view_of(view.root<wire::Request>().getDescribe().getSql()));
}

std::uint32_t segment_count(const Frame& frame) {
  std::uint32_t segments_less_one = 0;
  std::memcpy(&segments_less_one, frame.bytes().data(), sizeof(segments_less_one));
  return segments_less_one + 1;
}

}  // namespace

Test(frame, keeps_what_it_has_when_it_grows) {
  for (const std::size_t words : {std::size_t{1}, std::size_t{1} << 18}) {
    Frame frame = Frame::uninitialised(words);
    std::memset(static_cast<void*>(frame.words()), 'x', frame.byte_count());
    frame.grow(2 * words + 1);
    cr_assert_eq(frame.byte_count(), (2 * words + 1) * sizeof(capnp::word));
    cr_assert(frame.bytes().substr(0, words * sizeof(capnp::word)) == std::string(words * sizeof(capnp::word), 'x'));
  }
  Frame empty;
  empty.grow(3);
  cr_assert_eq(empty.byte_count(), 24);
}

Test(frame_builder, makes_one_segment_when_the_hint_is_enough) {
  const std::string sql(10'000, 's');
  const Frame frame = describe_frame(sql, 1'300);
  cr_assert_eq(segment_count(frame), 1);
  cr_assert(sql_in(frame) == sql);
}

Test(frame_builder, makes_a_whole_message_when_the_hint_is_too_small) {
  for (const std::size_t bytes : {0u, 100u, 1'000u, 100'000u, 5'000'000u}) {
    const std::string sql(bytes, 's');
    cr_assert(sql_in(describe_frame(sql, 1)) == sql, "%zu bytes", bytes);
  }
}

Test(frame_builder, joins_the_segments_of_a_message_that_grew) {
  FrameBuilder builder(16);
  auto steps = builder.initRoot<wire::Request>().initProgram().initSteps(500);
  for (auto step : steps) step.setSql("SELECT 'a statement that takes some room'");
  const Frame frame = builder.finish();
  cr_assert_gt(segment_count(frame), 1);
  MessageView view(frame.view());
  const auto read = view.root<wire::Request>().getProgram().getSteps();
  cr_assert_eq(read.size(), 500);
  cr_assert(read[499].getSql() == "SELECT 'a statement that takes some room'");
}

Test(frame, truncation_only_shortens) {
  Frame frame = Frame::zeroed(4);
  frame.truncate(9);
  cr_assert_eq(frame.byte_count(), 32);
  frame.truncate(2);
  cr_assert_eq(frame.byte_count(), 16);
  cr_assert(Frame().empty());
}

Test(message_view, limits_how_much_is_read_of_a_message_that_points_at_itself) {
  // Every step points at the same text: small on the wire, endless to read.
  FrameBuilder builder(1 << 16);
  auto steps = builder.initRoot<wire::Request>().initProgram().initSteps(1);
  steps[0].setSql(std::string(100'000, 's').c_str());
  const Frame frame = builder.finish();
  MessageView view(frame.view());
  const auto step = view.root<wire::Request>().getProgram().getSteps()[0];
  const Status status = guarded([&]() -> Status {
    for (int i = 0; i < 1'000; ++i) (void)step.getSql();
    return {};
  });
  cr_assert(!status);
  cr_assert_eq(status.error().code, ErrorCode::kProtocol);
}
