// The rings of shared memory: what goes in comes out, whoever sleeps is woken, and nobody is believed.
#include "protocol/shared_rings.h"

#include <criterion/criterion.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <string>
#include <thread>

#include "protocol/ring_pair.h"
#include "tests/support/failure.h"
#include "tests/support/random.h"

using namespace skua;
using namespace skua::test;

namespace {

std::shared_ptr<SharedRings> rings() { return must(SharedRings::create()); }

std::string take_all(RingReader& reader) {
  std::string bytes(reader.available().value(), '\0');
  reader.take(bytes.data(), bytes.size());
  return bytes;
}

}  // namespace

Test(shared_rings, both_sides_see_the_same_memory) {
  const auto daemon = rings();
  const auto client = must(SharedRings::map(daemon->descriptor()));
  daemon->close_descriptor();
  RingWriter writer(client->requests());
  RingReader reader(daemon->requests());
  cr_assert_eq(reader.available(), std::size_t{0});
  writer.put("12345678");
  cr_assert_eq(reader.available(), std::size_t{0}, "it is not published");
  cr_assert(writer.publish(), "nobody looks into a ring of requests at first");
  cr_assert(!writer.publish(), "who is to be woken is woken once");
  cr_assert(take_all(reader) == "12345678");
  cr_assert_eq(writer.room(), kRingBytes);
}

Test(shared_rings, the_size_is_sealed) {
  const auto daemon = rings();
  cr_assert_neq(::ftruncate(daemon->descriptor(), 0), 0);
  cr_assert_neq(::ftruncate(daemon->descriptor(), 1 << 20), 0);
}

Test(shared_rings, other_memory_is_refused) {
  const int file = ::memfd_create("other", MFD_CLOEXEC);
  cr_assert(!SharedRings::map(file));
  cr_assert_eq(::ftruncate(file, 4096), 0);
  cr_assert(!SharedRings::map(file));
  cr_assert(!SharedRings::map(-1));
  ::close(file);
}

Test(shared_rings, fills_to_the_last_byte_and_goes_around) {
  const auto memory = rings();
  RingWriter writer(memory->responses());
  RingReader reader(memory->responses());
  Random random;
  std::string expected;
  for (int i = 0; i < 2'000; ++i) {
    const auto size = static_cast<std::size_t>(random.between(0, static_cast<std::int64_t>(*writer.room() / 8))) * 8;
    const std::string bytes = random.bytes(size);
    writer.put(bytes);
    writer.publish();
    expected += bytes;
    cr_assert_eq(reader.available(), expected.size());
    if (random.one_in(2)) continue;
    cr_assert(take_all(reader) == expected);
    expected.clear();
  }
}

Test(shared_rings, positions_that_cannot_be_are_told) {
  const auto memory = rings();
  RingState& state = *memory->requests().state;
  RingWriter writer(memory->requests());
  RingReader reader(memory->requests());
  for (const std::uint64_t position : {std::uint64_t{kRingBytes} + 1, ~std::uint64_t{0}, std::uint64_t{1} << 63}) {
    state.written = position;
    cr_assert(!reader.available());
    state.read = position;
    cr_assert(!writer.room() || *writer.room() <= kRingBytes);
  }
  state.read = 8;
  cr_assert(!writer.room(), "more is read than was written");
}

// One side writes when it likes, the other sleeps when there is nothing. A wake that is lost would let it sleep for a minute.
Test(shared_rings, no_wake_is_lost) {
  const auto memory = rings();
  constexpr int kMessages = 100'000;
  std::thread other([&] {
    RingWriter writer(memory->responses());
    Random random(7);
    for (std::uint64_t i = 0; i < kMessages; ++i) {
      while (writer.room().value() < 16) std::this_thread::yield();
      writer.put({reinterpret_cast<const char*>(&i), sizeof(i)});
      if (writer.publish()) writer.wake_reader();
      if (random.one_in(50)) std::this_thread::sleep_for(std::chrono::microseconds(random.between(0, 60)));
    }
  });
  RingReader reader(memory->responses());
  const auto begin = std::chrono::steady_clock::now();
  for (std::uint64_t expected = 0; expected < kMessages;) {
    if (reader.available() == std::size_t{0}) reader.sleep(std::chrono::minutes(1));
    for (; reader.available() > std::size_t{0}; ++expected) {
      std::uint64_t number = 0;
      reader.take(reinterpret_cast<char*>(&number), sizeof(number));
      cr_assert_eq(number, expected);
    }
  }
  other.join();
  cr_assert_lt(std::chrono::steady_clock::now() - begin, std::chrono::seconds(50), "a wake was lost");
}

// The same of two readers who are woken together, while the numbers they wait at pass through zero.
Test(shared_rings, no_wake_of_two_at_once_is_lost) {
  const auto memory = rings();
  constexpr int kMessages = 20'000;
  const Ring both[2] = {memory->requests(), memory->responses()};
  for (const Ring& ring : both) ring.state->wakes = 0u - 50u;
  std::atomic<int> read = 0;
  std::atomic<bool> lost = false;
  std::thread other([&] {
    RingWriter writers[2] = {RingWriter(both[0]), RingWriter(both[1])};
    for (std::uint64_t i = 0; i < kMessages; ++i) {
      bool sleeps[2];
      for (int side = 0; side < 2; ++side) {
        writers[side].put({reinterpret_cast<const char*>(&i), sizeof(i)});
        sleeps[side] = writers[side].publish();
      }
      if (sleeps[0] && sleeps[1]) {
        RingWriter::wake_readers(writers[0].state(), writers[1].state());
      } else if (sleeps[0] || sleeps[1]) {
        writers[sleeps[0] ? 0 : 1].wake_reader();
      }
      while (read < 2 * static_cast<int>(i + 1) && !lost) std::this_thread::yield();
      if (lost) return;
      // So that both are asleep now and then.
      if (i % 4 == 0) std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
  });
  const auto read_all = [&](const Ring& ring) {
    RingReader reader(ring);
    for (std::uint64_t expected = 0; expected < kMessages && !lost;) {
      const auto before = std::chrono::steady_clock::now();
      if (reader.available() == std::size_t{0}) reader.sleep(std::chrono::seconds(20));
      if (std::chrono::steady_clock::now() - before > std::chrono::seconds(15)) lost = true;
      for (; reader.available() > std::size_t{0}; ++expected, ++read) {
        std::uint64_t number = 0;
        reader.take(reinterpret_cast<char*>(&number), sizeof(number));
        cr_assert_eq(number, expected);
      }
    }
  };
  std::thread second(read_all, both[1]);
  read_all(both[0]);
  second.join();
  other.join();
  cr_assert(!lost, "a wake was lost");
}

Test(shared_rings, who_sleeps_wakes_when_its_time_is_over) {
  const auto memory = rings();
  RingReader reader(memory->responses());
  const auto begin = std::chrono::steady_clock::now();
  reader.sleep(std::chrono::milliseconds(20));
  cr_assert_geq(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(19));
}

// Two pairs on one memory, with the sockets between them played by strings.
Test(ring_pair, controls_keep_the_order_whatever_way_frames_go) {
  const auto memory = rings();
  RingPair sender(memory, memory->responses(), memory->requests(), nullptr);
  RingPair receiver(memory, memory->requests(), memory->responses(), nullptr);
  FrameReader socket(kFrameBytesMax);
  socket.allow_controls();
  const auto send_on_socket = [&socket](std::string_view bytes) {
    while (!bytes.empty()) {
      const std::span<char> space = socket.space();
      const std::size_t size = std::min(space.size(), bytes.size());
      std::memcpy(space.data(), bytes.data(), size);
      socket.commit(size);
      bytes.remove_prefix(size);
    }
  };
  Random random;
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  const auto receive_all = [&] {
    while (true) {
      if (receiver.is_read()) cr_assert(receiver.take().has_value());
      const auto next = must((receiver.is_read() ? receiver.frames() : socket).next());
      if (!next) return;
      const auto* words = reinterpret_cast<const std::uint64_t*>(next->begin());
      if (next->size() == 1) {
        cr_assert(receiver.take_control(words[0]));
        continue;
      }
      cr_assert_eq(words[1], received++);
    }
  };
  for (int i = 0; i < 20'000; ++i) {
    // One segment, with a number in its first word.
    const std::int64_t words = random.one_in(20) ? random.between(1'000, 6'000) : random.between(1, 40);
    Frame frame = Frame::zeroed(static_cast<std::size_t>(words) + 1);
    auto* at = reinterpret_cast<std::uint64_t*>(frame.words());
    at[0] = static_cast<std::uint64_t>(words) << 32;
    at[1] = sent++;
    const std::uint64_t to_ring = ring_control(RingControl::kToRing);
    if (!sender.is_written() && sender.wants_to_begin(frame.byte_count())) {
      send_on_socket({reinterpret_cast<const char*>(&to_ring), sizeof(to_ring)});
      sender.begin_to_write();
    }
    if (sender.is_written() && !sender.fits(frame.byte_count())) sender.end_to_write();
    if (sender.is_written()) {
      sender.put(frame);
    } else {
      send_on_socket(frame.bytes());
    }
    sender.publish();
    if (random.one_in(10)) receive_all();
  }
  receive_all();
  cr_assert_eq(received, sent);
}
