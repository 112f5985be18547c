// Byte streams that are not frames, or frames that no client library would make.
#include <capnp/serialize.h>
#include <criterion/criterion.h>

#include <algorithm>

#include "protocol/limits.h"
#include "tests/system/bad_input.h"

using namespace skua;
using namespace skua::test;

namespace {

Frame ping_request(std::uint64_t id) {
  return RawSession::request(id, [](wire::Request::Builder request) { request.setPing(); });
}

// A frame's header that claims these segments.
std::string header_of(const std::vector<std::uint32_t>& segment_words) {
  std::string header = little_endian(segment_words.size() - 1, 4);
  for (const std::uint32_t words : segment_words) header += little_endian(words, 4);
  header.resize((header.size() + 7) / 8 * 8);
  return header;
}

// A ping whose only segment is padded with words that nothing points to.
std::string padded_ping(std::uint64_t id, std::size_t frame_bytes) {
  const Frame ping = ping_request(id);
  std::string words(ping.bytes().substr(kWordBytes));
  words.resize(frame_bytes - kWordBytes);
  return frame_of(words);
}

// An execute request with so many parameters, each in a segment of its own.
std::string execute_in_segments(std::uint64_t id, unsigned parameter_count, std::size_t& segment_count) {
  capnp::MallocMessageBuilder builder(4, capnp::AllocationStrategy::FIXED_SIZE);
  auto root = builder.initRoot<wire::Request>();
  root.setId(id);
  auto execute = root.initExecute();
  std::string sql = "SELECT 0";
  for (unsigned i = 0; i < parameter_count; ++i) sql += ", ?";
  fill_text(execute.initSql(static_cast<unsigned>(sql.size())), sql);
  auto parameters = execute.initParameters(parameter_count);
  for (auto parameter : parameters)
    parameter.setText(data_of("text of several words, in a segment of its own"));
  segment_count = builder.getSegmentsForOutput().size();
  const kj::Array<capnp::word> flat = capnp::messageToFlatArray(builder);
  return {reinterpret_cast<const char*>(flat.begin()), flat.size() * sizeof(capnp::word)};
}

std::uint32_t rows_of(const Frame& frame, std::uint64_t request) {
  MessageView message(frame.view());
  const auto response = message.root<wire::Response>();
  require(response.getId() == request && response.isRows(), "no rows");
  return response.getRows().getBatch().getRowCount();
}

}  // namespace

Test(bad_input_frames, a_session_cut_anywhere_harms_nobody) {
  Scene scene;
  const Frame hello_frame = RawSession::hello_request();
  const Frame execute_frame = RawSession::execute_request(2, "SELECT number FROM visit");
  const std::string bytes = std::string(hello_frame.bytes()) + std::string(execute_frame.bytes());
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    RawSession session(scene.socket_path());
    session.send(std::string_view(bytes).substr(0, length));
    session.shut_down_sending();
    std::size_t responses = 0;
    while (session.try_receive()) ++responses;
    cr_assert(responses <= (length < hello_frame.byte_count() ? 0u : 1u), "%zu responses to %zu bytes",
              responses, length);
  }
  scene.expect_all_well();
}

Test(bad_input_frames, bytes_one_at_a_time_are_a_stream_like_any_other) {
  Scene scene;
  RawSession session(scene.socket_path());
  session.hello();
  const Frame ping = ping_request(session.next_id());
  for (const char byte : ping.bytes()) session.send(std::string_view(&byte, 1));
  cr_assert(receives_done(session, 2));
  scene.expect_all_well();
}

Test(bad_input_frames, a_misaligned_stream_is_broken_off) {
  Scene scene;
  for (std::size_t shift = 1; shift < kWordBytes; ++shift) {
    RawSession session(scene.socket_path());
    session.hello();
    // The ids below are spread over the header's fields by the shift, and claim more than may be.
    session.send(std::string(shift, '\x55'));
    for (int i = 0; i < 8; ++i) session.try_send(ping_request(session.next_id()).bytes());
    expect_broken_off(session, ErrorCode::kProtocol);
  }
  scene.expect_all_well();
}

Test(bad_input_frames, a_frame_may_have_the_largest_number_of_segments_and_not_one_more) {
  Scene scene;
  RawSession session(scene.socket_path());
  session.hello();
  const Frame ping = ping_request(session.next_id());
  std::vector<std::uint32_t> segments(kFrameSegmentsMax, 0);
  segments[0] = static_cast<std::uint32_t>(ping.byte_count() / kWordBytes - 1);
  session.send(header_of(segments) + std::string(ping.bytes().substr(kWordBytes)));
  cr_assert(receives_done(session, 2));
  segments.push_back(0);
  session.send(header_of(segments));
  expect_broken_off(session, ErrorCode::kProtocol, "segments");
  scene.expect_all_well();
}

Test(bad_input_frames, segments_of_odd_sizes_are_read) {
  Scene scene;
  RawSession session(scene.socket_path());
  session.hello();
  // Even and odd numbers of segments: with and without padding in the header.
  std::size_t odd = 0;
  for (unsigned parameters = 1; parameters <= 8; ++parameters) {
    std::size_t segment_count = 0;
    const std::uint64_t id = session.next_id();
    session.send(execute_in_segments(id, parameters, segment_count));
    cr_assert_gt(segment_count, parameters);
    odd += segment_count % 2;
    cr_assert_eq(rows_of(session.receive(), id), 1u);
  }
  cr_expect_eq(odd, 4u);
  scene.expect_all_well();
}

Test(bad_input_frames, a_frame_without_words_is_broken_off) {
  Scene scene;
  for (const std::vector<std::uint32_t>& segments : {std::vector<std::uint32_t>{0}, {0, 0}, {0, 0, 0, 0}}) {
    RawSession session(scene.socket_path());
    session.hello();
    session.send(header_of(segments));
    expect_broken_off(session, ErrorCode::kProtocol);
  }
  scene.expect_all_well();
}

Test(bad_input_frames, before_hello_a_frame_is_small) {
  Scene scene;
  RawSession session(scene.socket_path());
  session.send(header_of({static_cast<std::uint32_t>(kHelloFrameBytesMax / kWordBytes)}));
  expect_broken_off(session, ErrorCode::kProtocol, "frame_bytes_max");
  scene.expect_all_well();
}

Test(bad_input_frames, a_frame_larger_than_the_largest_is_broken_off_before_it_comes) {
  Scene scene;
  const std::vector<std::uint32_t> claims[] = {
      {static_cast<std::uint32_t>(kFrameBytesMax / kWordBytes)},  // the header makes it one word too much
      {0xffffffffu},
      {0xffffffffu, 0xffffffffu, 0xffffffffu},
  };
  for (const auto& claim : claims) {
    RawSession session(scene.socket_path());
    session.hello();
    session.send(header_of(claim));
    expect_broken_off(session, ErrorCode::kProtocol, "frame_bytes_max");
  }
  scene.expect_all_well();
}

Test(bad_input_frames, claiming_the_largest_frame_costs_the_daemon_nothing) {
  Scene scene;
  const std::size_t resident_before = scene.daemon().resident_bytes();
  std::vector<std::unique_ptr<RawSession>> sessions;
  for (int i = 0; i < 16; ++i) {
    sessions.push_back(std::make_unique<RawSession>(scene.socket_path()));
    sessions.back()->hello();
    sessions.back()->send(header_of({static_cast<std::uint32_t>(kFrameBytesMax / kWordBytes - 1)}) +
                          std::string(64, 'x'));
  }
  scene.expect_all_well();
  const std::size_t resident_after = scene.daemon().resident_bytes();
  cr_expect_lt(resident_after, resident_before + 16 * kMiB, "%zu bytes became %zu", resident_before,
               resident_after);
}

Test(bad_input_frames, the_largest_frame_is_taken) {
  Scene scene;
  RawSession session(scene.socket_path());
  session.hello();
  session.send(padded_ping(session.next_id(), kFrameBytesMax));
  cr_assert(receives_done(session, 2));
  expect_alive(session);
  scene.expect_all_well();
}

Test(bad_input_frames, other_protocols_are_told_that_this_is_not_theirs) {
  Scene scene;
  for (const std::string_view greeting :
       {"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "*1\r\n$4\r\nPING\r\n", "{\"sql\": \"SELECT 1\"}\n"}) {
    RawSession session(scene.socket_path());
    session.send(greeting);
    expect_broken_off(session, ErrorCode::kProtocol, "Cap'n Proto");
  }
  scene.expect_all_well();
}
