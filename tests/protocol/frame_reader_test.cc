// FrameReader: byte streams cut into frames, whole, in pieces, and broken.
#include "protocol/frame_reader.h"

#include <criterion/criterion.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "protocol/codec.h"
#include "protocol/limits.h"
#include "tests/support/random.h"

using namespace skua;

namespace {

// A request whose id is `id` and whose SQL has `bytes` bytes.
Frame frame_of(std::uint64_t id, std::size_t bytes) {
  FrameBuilder builder(32 + bytes / 8);
  auto request = builder.initRoot<wire::Request>();
  request.setId(id);
  fill_text(request.initDescribe().initSql(static_cast<kj::uint>(bytes)), std::string(bytes, 's'));
  return builder.finish();
}

std::string header_of(const std::vector<std::uint32_t>& numbers) {
  std::string bytes(numbers.size() * 4, '\0');
  std::memcpy(bytes.data(), numbers.data(), bytes.size());
  return bytes;
}

// Puts as many bytes in as there is room for; returns how many.
std::size_t feed(FrameReader& reader, std::string_view bytes) {
  const std::span<char> space = reader.space();
  const std::size_t count = std::min(space.size(), bytes.size());
  std::memcpy(space.data(), bytes.data(), count);
  reader.commit(count);
  return count;
}

// Feeds pieces of the given size and returns the ids of the frames that came out.
std::vector<std::uint64_t> read_in_pieces(FrameReader& reader, std::string_view bytes, std::size_t piece) {
  std::vector<std::uint64_t> ids;
  while (!bytes.empty()) {
    bytes.remove_prefix(feed(reader, bytes.substr(0, piece)));
    while (true) {
      const auto frame = reader.next();
      cr_assert(frame.has_value());
      if (!*frame) break;
      MessageView view(**frame);
      ids.push_back(view.root<wire::Request>().getId());
    }
  }
  return ids;
}

// The error that these bytes end in.
Error error_of(std::string_view bytes, std::size_t frame_bytes_max = kFrameBytesMax) {
  FrameReader reader(frame_bytes_max);
  feed(reader, bytes);
  const auto frame = reader.next();
  cr_assert(!frame.has_value());
  cr_assert_eq(frame.error().code, ErrorCode::kProtocol);
  return frame.error();
}

std::vector<FrameReader> sharing_readers(std::size_t count, SharedReadBuffer& shared) {
  std::vector<FrameReader> readers;
  for (std::size_t i = 0; i < count; ++i) readers.emplace_back(kFrameBytesMax, &shared);
  return readers;
}

}  // namespace

Test(frame_reader, finds_the_frames_whatever_the_pieces) {
  std::string stream;
  for (std::uint64_t id = 1; id <= 4; ++id) stream += frame_of(id, 17 * id).bytes();
  const std::vector<std::uint64_t> all = {1, 2, 3, 4};
  for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
    FrameReader reader(kFrameBytesMax);
    cr_assert(read_in_pieces(reader, stream, piece) == all, "pieces of %zu", piece);
    cr_assert_eq(reader.buffered_bytes(), 0);
  }
}

Test(frame_reader, finds_frames_of_every_size_around_its_buffer) {
  for (const std::size_t bytes :
       {65'000u, 65'480u, 65'488u, 65'496u, 65'504u, 65'512u, 65'536u, 131'072u, 1'000'000u}) {
    std::string stream;
    for (std::uint64_t id = 1; id <= 3; ++id)
      stream += std::string(frame_of(id, 5).bytes()) + std::string(frame_of(id + 10, bytes).bytes());
    for (const std::size_t piece : {1'000u, 4'096u, 65'536u, 10'000'000u}) {
      FrameReader reader(kFrameBytesMax);
      const std::vector<std::uint64_t> all = {1, 11, 2, 12, 3, 13};
      cr_assert(read_in_pieces(reader, stream, piece) == all, "%zu bytes in pieces of %zu", bytes, piece);
    }
  }
}

Test(frame_reader, takes_a_frame_of_the_largest_size_and_refuses_one_word_more) {
  const std::size_t words = 1'000;
  const std::string largest = header_of({0, words - 1}) + std::string((words - 1) * 8, '\0');
  FrameReader reader(words * 8);
  cr_assert_eq(feed(reader, largest), largest.size());
  const auto frame = reader.next();
  cr_assert(frame.has_value() && frame->has_value());
  cr_assert_eq((*frame)->size(), words);

  const Error error = error_of(header_of({0, words}), words * 8);
  cr_assert(error.message.find("8008") != std::string::npos, "%s", error.message.c_str());
  cr_assert(error.message.find("frame_bytes_max") != std::string::npos, "%s", error.message.c_str());
}

Test(frame_reader, refuses_a_claim_before_making_room_for_it) {
  error_of(header_of({0, 0xffffffff}));
  error_of(header_of({1, 0xffffffff, 0xffffffff, 0}));
  // The claim fits, but its bytes do not come: the room stays what came in already asks for.
  FrameReader reader(kFrameBytesMax);
  feed(reader, header_of({0, kFrameBytesMax / 8 - 1}));
  const auto frame = reader.next();
  cr_assert(frame.has_value() && !frame->has_value());
  cr_assert_leq(reader.space().size(), 128 * kKiB);
}

Test(frame_reader, takes_as_many_segments_as_the_limit_and_refuses_more) {
  std::vector<std::uint32_t> most(1 + kFrameSegmentsMax, 1);
  most[0] = kFrameSegmentsMax - 1;
  most.push_back(0);
  if (most.size() % 2 != 0) most.pop_back();
  FrameReader reader(kFrameBytesMax);
  feed(reader, header_of(most) + std::string(kFrameSegmentsMax * 8, '\0'));
  const auto frame = reader.next();
  cr_assert(frame.has_value() && frame->has_value());

  error_of(header_of({kFrameSegmentsMax, 1, 1, 1}));
  error_of(header_of({0xffffffff, 1}));
}

Test(frame_reader, refuses_a_frame_without_words) {
  error_of(header_of({0, 0}));
  error_of(header_of({1, 0, 0, 0}));
}

Test(frame_reader, hands_over_small_and_large_frames_unharmed) {
  for (const std::size_t bytes : {10u, 30'000u, 40'000u, 65'400u, 300'000u, 3'000'000u}) {
    const Frame sent = frame_of(1, bytes);
    const Frame second = frame_of(2, 20);
    const std::string stream = std::string(sent.bytes()) + std::string(second.bytes());
    FrameReader reader(kFrameBytesMax);
    std::string_view left = stream;
    std::vector<Frame> detached;
    while (!left.empty()) {
      left.remove_prefix(feed(reader, left));
      while (true) {
        const auto frame = reader.next();
        cr_assert(frame.has_value());
        if (!*frame) break;
        detached.push_back(reader.detach(**frame));
      }
    }
    cr_assert_eq(detached.size(), 2);
    cr_assert(detached[0].bytes() == sent.bytes(), "%zu bytes", bytes);
    cr_assert(detached[1].bytes() == second.bytes(), "behind %zu bytes", bytes);
  }
}

Test(frame_reader, gives_up_a_large_buffer_after_a_large_frame) {
  FrameReader reader(kFrameBytesMax);
  const Frame large = frame_of(1, 1'000'000);
  read_in_pieces(reader, large.bytes(), 10'000'000);
  cr_assert_eq(reader.buffered_bytes(), 0);
  cr_assert_leq(reader.space().size(), 64 * kKiB);
}

Test(frame_reader, survives_random_bytes_in_random_pieces) {
  test::Random random;
  for (int round = 0; round < 2'000; ++round) {
    FrameReader reader(64 * kKiB);
    std::string bytes = random.bytes(static_cast<std::size_t>(random.between(1, 300)));
    // Mostly plausible headers: random numbers are nearly always refused at once.
    if (!random.one_in(4)) {
      const auto segments = static_cast<std::uint32_t>(random.between(0, 3));
      bytes = header_of({segments, static_cast<std::uint32_t>(random.between(0, 9))}) + bytes;
    }
    std::string_view left = bytes;
    bool refused = false;
    while (!left.empty() && !refused) {
      left.remove_prefix(feed(reader, left.substr(0, static_cast<std::size_t>(random.between(1, 40)))));
      while (true) {
        const auto frame = reader.next();
        refused = !frame.has_value();
        if (refused || !*frame) break;
        const Status read = guarded([&]() -> Status {
          MessageView view(**frame);
          (void)view.root<wire::Request>().which();
          return {};
        });
        (void)read.has_value();
      }
    }
  }
}

Test(frame_reader, many_that_share_a_buffer_have_it_one_after_the_other) {
  SharedReadBuffer shared;
  std::vector<FrameReader> readers = sharing_readers(1'000, shared);
  for (std::uint64_t id = 1; id <= readers.size(); ++id) {
    FrameReader& reader = readers[id - 1];
    cr_assert_eq(reader.buffer_bytes(), 0);
    cr_assert(read_in_pieces(reader, frame_of(id, 100).bytes(), 1'000) == std::vector<std::uint64_t>{id});
    cr_assert_gt(reader.buffer_bytes(), 0);
    reader.rest();
    cr_assert_eq(reader.buffer_bytes(), 0);
  }
}

Test(frame_reader, the_same_buffer_comes_back_to_those_that_share_it) {
  SharedReadBuffer shared;
  FrameReader first(kFrameBytesMax, &shared);
  FrameReader second(kFrameBytesMax, &shared);
  const char* const place = first.space().data();
  first.rest();
  cr_assert_eq(second.space().data(), place);
}

Test(frame_reader, what_is_not_complete_is_kept_from_those_that_share) {
  SharedReadBuffer shared;
  std::vector<FrameReader> readers = sharing_readers(8, shared);
  std::vector<std::string> streams;
  for (std::uint64_t id = 1; id <= readers.size(); ++id) {
    // Small ones, one that fills the buffer, and some that are larger than it.
    streams.emplace_back(frame_of(id, (std::size_t{1} << (2 * id)) + 4'000).bytes());
  }
  std::vector<std::string_view> rests(streams.begin(), streams.end());
  std::size_t done = 0;
  while (done < readers.size()) {
    for (std::size_t i = 0; i < readers.size(); ++i) {
      if (rests[i].empty()) continue;
      const auto ids = read_in_pieces(readers[i], rests[i].substr(0, 3'000), 3'000);
      rests[i].remove_prefix(std::min<std::size_t>(3'000, rests[i].size()));
      readers[i].rest();
      cr_assert_eq(readers[i].buffer_bytes() == 0, rests[i].empty());
      if (!rests[i].empty()) continue;
      cr_assert(ids == std::vector<std::uint64_t>{i + 1});
      ++done;
    }
  }
}

Test(frame_reader, at_rest_without_anyone_to_share_with_it_keeps_its_buffer) {
  FrameReader reader(kFrameBytesMax);
  feed(reader, frame_of(1, 100).bytes());
  cr_assert(reader.next().has_value());
  reader.rest();
  cr_assert_gt(reader.buffer_bytes(), 0);
}
