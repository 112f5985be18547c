// FramePool: memory goes round, no more of it is kept than said, and frames outlive it.
#include "protocol/frame_pool.h"

#include <criterion/criterion.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/codec.h"
#include "protocol/frame_reader.h"

using namespace skua;

namespace {

constexpr std::size_t kBlockWords = 1024;

std::shared_ptr<FramePool> make_pool(std::size_t blocks_max = 2) {
  return std::make_shared<FramePool>(kBlockWords, blocks_max);
}

// A request whose SQL has `bytes` bytes.
Frame request_of(std::size_t bytes, FramePool* pool, std::size_t words_hint) {
  FrameBuilder builder(words_hint, pool);
  fill_text(builder.initRoot<wire::Request>().initDescribe().initSql(static_cast<kj::uint>(bytes)),
            std::string(bytes, 's'));
  return builder.finish();
}
Frame request_of(std::size_t bytes, FramePool* pool) { return request_of(bytes, pool, 32 + bytes / 8); }

}  // namespace

Test(frame_pool, gives_the_memory_of_a_frame_to_the_next) {
  const auto pool = make_pool();
  Frame first = pool->uninitialised(kBlockWords);
  const void* memory = first.words();
  first = Frame();
  cr_assert_eq(pool->idle_blocks(), 1);
  const Frame second = pool->uninitialised(kBlockWords / 2);
  cr_assert(second.view().begin() == memory);
  cr_assert_eq(pool->idle_blocks(), 0);
}

Test(frame_pool, keeps_no_more_than_it_may) {
  const auto pool = make_pool(2);
  std::vector<Frame> frames;
  for (int i = 0; i < 3; ++i) frames.push_back(pool->uninitialised(kBlockWords));
  frames.pop_back();
  frames.pop_back();
  cr_assert_eq(pool->idle_blocks(), 2);
  frames.pop_back();
  cr_assert_eq(pool->idle_blocks(), 2);
}

Test(frame_pool, leaves_frames_of_other_sizes_to_the_allocator) {
  const auto pool = make_pool();
  (void)pool->uninitialised(kBlockWords + 1);
  (void)pool->zeroed(kBlockWords + 1);
  (void)pool->uninitialised(kBlockWords / 4 - 1);
  (void)pool->zeroed(1);
  cr_assert_eq(pool->idle_blocks(), 0);
  (void)pool->zeroed(kBlockWords / 4);
  cr_assert_eq(pool->idle_blocks(), 1);
}

Test(frame_pool, zeroes_memory_that_was_used) {
  const auto pool = make_pool();
  {
    Frame used = pool->uninitialised(kBlockWords);
    std::memset(static_cast<void*>(used.words()), 'x', used.byte_count());
  }
  const Frame zeroed = pool->zeroed(kBlockWords - 1);
  cr_assert(std::all_of(zeroed.bytes().begin(), zeroed.bytes().end(), [](char byte) { return byte == 0; }));
}

Test(frame_pool, lives_as_long_as_its_frames) {
  auto pool = make_pool();
  Frame frame = pool->uninitialised(kBlockWords);
  pool.reset();
  std::memset(static_cast<void*>(frame.words()), 'x', frame.byte_count());
  Frame moved = std::move(frame);
  cr_assert_eq(moved.bytes().back(), 'x');
}

Test(frame_pool, a_frame_that_grows_leaves_it_and_keeps_its_bytes) {
  const auto pool = make_pool();
  Frame frame = pool->uninitialised(kBlockWords);
  std::memset(static_cast<void*>(frame.words()), 'x', frame.byte_count());
  frame.grow(4 * kBlockWords);
  cr_assert_eq(frame.byte_count(), 32 * kBlockWords);
  cr_assert(std::count(frame.bytes().begin(), frame.bytes().begin() + 8 * kBlockWords, 'x') == 8 * kBlockWords);
  cr_assert_eq(pool->idle_blocks(), 1);
}

Test(frame_pool, builds_the_same_message_in_used_memory_as_in_new) {
  const auto pool = make_pool();
  const Frame in_new = request_of(5'000, nullptr);
  for (int round = 0; round < 3; ++round) {
    cr_assert(request_of(5'000, pool.get()).bytes() == in_new.bytes());
    // One that grows out of its block.
    Frame grown = request_of(8'000, pool.get(), kBlockWords / 4);
    MessageView view(grown.view());
    cr_assert(view_of(view.root<wire::Request>().getDescribe().getSql()) == std::string(8'000, 's'));
  }
  cr_assert_gt(pool->idle_blocks(), 0);
}

Test(frame_pool, is_what_a_reader_reads_into) {
  const auto pool = std::make_shared<FramePool>(72 * 1024 / 8, 4);
  FrameReader reader(1 << 20, pool);
  const Frame sent = request_of(66'000, nullptr);
  for (int round = 0; round < 5; ++round) {
    // A whole frame comes at once, with the beginning of what follows it.
    std::string bytes(sent.bytes());
    bytes.append(sent.bytes().substr(0, 800));
    const std::span<char> space = reader.space();
    cr_assert_geq(space.size(), bytes.size());
    std::memcpy(space.data(), bytes.data(), bytes.size());
    reader.commit(bytes.size());
    const auto view = reader.next();
    cr_assert(view.has_value() && view->has_value());
    const Frame frame = reader.detach(**view);
    cr_assert(frame.bytes() == sent.bytes());
    cr_assert(frame.bytes().data() == space.data() || round > 0, "handed over without a copy");
    // The rest of the second one.
    const std::string_view rest = sent.bytes().substr(800);
    const std::span<char> more = reader.space();
    std::memcpy(more.data(), rest.data(), rest.size());
    reader.commit(rest.size());
    const auto second = reader.next();
    cr_assert(second.has_value() && second->has_value());
    cr_assert(reader.detach(**second).bytes() == sent.bytes());
  }
  cr_assert_leq(pool->idle_blocks(), 4);
  cr_assert_gt(pool->idle_blocks(), 0);
}
