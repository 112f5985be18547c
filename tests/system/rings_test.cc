// Memory shared by the real daemon and its clients: what the client library does with it, and what a client can do to it.
#include "protocol/shared_rings.h"

#include <criterion/criterion.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <thread>

#include "client/src/file_descriptor.h"
#include "client/src/unix_socket.h"
#include "protocol/codec.h"
#include "protocol/ring_pair.h"
#include "tests/support/random.h"
#include "tests/support/raw_session.h"
#include "tests/system/real_client.h"

using namespace skua;
using namespace skua::test;

namespace {

// So many requests make the client library ask for rings.
constexpr int kRequestsToRings = 70;

std::int64_t sessions_with_rings(Connection& connection) {
  for (const Row row : must(connection.stats())) {
    if (row[0].bytes() == "sessions_with_rings") return row[1].integer();
  }
  return -1;
}

void ping(Connection& connection, int times) {
  for (int i = 0; i < times; ++i) must(connection.ping());
}

Connection connect_without_rings(const RealDaemon& daemon) {
  ConnectOptions options;
  options.socket_path = daemon.socket_path();
  options.shared_memory = false;
  return must(Connection::connect(options));
}

Connection connect_with_rings(const RealDaemon& daemon) {
  Connection connection = connect(daemon);
  ping(connection, kRequestsToRings);
  return connection;
}

Frame ping_request(std::uint64_t id) {
  return RawSession::request(id, [](wire::Request::Builder request) { request.setPing(); });
}

// The client's side of the rings, in the hands of a test.
class RawRings {
 public:
  // `under_way`: a statement that is begun before, and has no answer yet.
  explicit RawRings(const RealDaemon& daemon, std::string_view under_way = {}) : session_(daemon.socket_path()) {
    session_.hello();
    if (!under_way.empty()) session_.send(RawSession::execute_request(session_.next_id(), std::string(under_way)));
    session_.send(RawSession::request(session_.next_id(), [](wire::Request::Builder request) { request.setRings(); }));
    std::array<char, 4096> bytes{};
    FileDescriptor descriptor;
    require(receive_with_descriptor(session_.descriptor(), bytes, descriptor) > 0, "rings were not answered");
    require(descriptor.is_open(), "no descriptor came with the answer");
    memory_ = must(SharedRings::map(descriptor.get()));
    pair_ = std::make_unique<RingPair>(memory_, memory_->responses(), memory_->requests(), nullptr);
  }

  RawSession& session() { return session_; }
  RingPair& pair() { return *pair_; }
  RingState& requests() { return *memory_->requests().state; }
  RingState& responses() { return *memory_->responses().state; }
  char* request_bytes() { return memory_->requests().bytes; }

  void ring_bell() { control(RingControl::kDoorbell); }
  void control(RingControl control) {
    const std::uint64_t word = ring_control(control);
    session_.send(std::string_view(reinterpret_cast<const char*>(&word), sizeof(word)));
  }
  void put(const Frame& frame) {
    if (!pair_->is_written()) control(RingControl::kToRing);
    pair_->begin_to_write();
    pair_->put(frame);
    if (pair_->publish()) ring_bell();
  }
  // The next response, which way it may come.
  Frame receive() {
    while (true) {
      if (!pair_->is_read()) {
        Frame frame = receive_at_socket();
        if (frame.view().size() > 1) return frame;
        require(pair_->take_control(*reinterpret_cast<const std::uint64_t*>(frame.words())), "a wrong control");
        continue;
      }
      require(pair_->take().has_value(), "the daemon has broken the ring");
      const auto next = must(pair_->frames().next());
      if (!next) {
        pair_->in().sleep(std::chrono::milliseconds(10));
        continue;
      }
      if (next->size() > 1) return Frame::copy_of(*next);
      require(pair_->take_control(*reinterpret_cast<const std::uint64_t*>(next->begin())), "a wrong control");
    }
  }
  // That and nothing else comes by the socket now.
  void expect_bell() {
    std::array<char, 64> bytes{};
    const ssize_t received = ::recv(session_.descriptor(), bytes.data(), bytes.size(), 0);
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof(word));
    require(received == 8 && word == ring_control(RingControl::kDoorbell), "not a bell");
  }
  // After whatever it still says; fails if it goes on.
  void expect_end() {
    while (session_.try_receive()) {
    }
  }

 private:
  Frame receive_at_socket() {
    socket_frames_.allow_controls();
    while (true) {
      if (const auto next = must(socket_frames_.next())) return Frame::copy_of(*next);
      const std::span<char> space = socket_frames_.space();
      const ssize_t received = ::recv(session_.descriptor(), space.data(), space.size(), 0);
      require(received > 0, "the session has ended");
      socket_frames_.commit(static_cast<std::size_t>(received));
    }
  }

  RawSession session_;
  std::shared_ptr<SharedRings> memory_;
  std::unique_ptr<RingPair> pair_;
  FrameReader socket_frames_{kFrameBytesMax};
};

std::uint64_t id_of(const Frame& frame) {
  MessageView view(frame.view());
  return view.root<wire::Response>().getId();
}

// A text of that many bytes, which differs from byte to byte.
std::string text_of_size(std::size_t size, std::uint64_t seed) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + (i * 7 + seed) % 26);
  return text;
}

}  // namespace

Test(rings, a_connection_that_is_used_shares_memory) {
  RealDaemon daemon;
  Connection watcher = connect_without_rings(daemon);
  Connection connection = connect(daemon);
  ping(connection, 10);
  cr_assert_eq(sessions_with_rings(watcher), 0);
  ping(connection, kRequestsToRings);
  cr_assert_eq(sessions_with_rings(watcher), 1);
  ping(watcher, 2 * kRequestsToRings);
  cr_assert_eq(sessions_with_rings(watcher), 1, "not the one that does not want it");
  ask(connection, "CREATE TABLE t (a)");
  ask(connection, "INSERT INTO t VALUES (1), (2)");
  cr_assert(ask(connection, "SELECT a FROM t") == "1 2");
  expect_error(connection.execute("SELECT nothing"), ErrorCode::kSql);
}

Test(rings, memory_and_descriptors_go_with_the_session) {
  RealDaemon daemon;
  Connection watcher = connect_without_rings(daemon);
  const std::size_t before = daemon.descriptor_count();
  for (int i = 0; i < 20; ++i) connect_with_rings(daemon);
  {
    std::vector<Connection> connections;
    for (int i = 0; i < 5; ++i) connections.push_back(connect_with_rings(daemon));
    cr_assert_eq(daemon.descriptor_count(), before + 5, "the memory needs no descriptor once it is shared");
  }
  while (sessions_with_rings(watcher) != 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  cr_assert_eq(daemon.descriptor_count(), before);
}

Test(rings, only_so_many_sessions_have_them) {
  RealDaemon daemon({.config = "[databases.main]\nfile = \"main.db\"\n[limits]\nrings_max = 2\n"});
  std::vector<Connection> connections;
  for (int i = 0; i < 4; ++i) connections.push_back(connect_with_rings(daemon));
  for (Connection& connection : connections) cr_assert(ask(connection, "SELECT 1") == "1");
  Connection watcher = connect_without_rings(daemon);
  cr_assert_eq(sessions_with_rings(watcher), 2);
}

// Sizes on both sides of everything: what fits a ring, what does not, and what makes the way change.
Test(rings, requests_and_answers_of_any_size_keep_their_order) {
  RealDaemon daemon;
  Connection connection = connect_with_rings(daemon);
  Random random;
  const std::size_t sizes[] = {0, 1, 100, 4'000, 8'192, 16'000, kRingBytes - 200, kRingBytes, 70'000, 300'000};
  for (int i = 0; i < 3'000; ++i) {
    const std::size_t sent = random.one_in(8) ? sizes[random.between(0, 9)] : static_cast<std::size_t>(random.between(0, 300));
    const std::size_t wanted = random.one_in(8) ? sizes[random.between(0, 9)] : static_cast<std::size_t>(random.between(0, 300));
    const std::string text = text_of_size(sent, static_cast<std::uint64_t>(i));
    const ResultSet rows = must(connection.execute(
        "SELECT ?1, length(?1), replace(hex(zeroblob(?2)), '00', 'x')", Parameters::of(text, wanted)));
    const Row row = must(rows.one());
    cr_assert(row[0].bytes() == text, "request %d of %zu bytes", i, sent);
    cr_assert_eq(row[2].bytes().size(), wanted);
  }
}

Test(rings, streams_beside_short_requests) {
  RealDaemon daemon;
  Connection connection = connect_with_rings(daemon);
  for (int round = 0; round < 20; ++round) {
    RowStream stream = must(connection.stream(numbers_up_to(100'000)));
    std::int64_t expected = 0;
    while (must(stream.next())) {
      cr_assert_eq(stream.row()[0].integer(), ++expected);
      if (expected % 1'000 == 0) cr_assert(ask(connection, fmt::format("SELECT {}", expected)) == std::to_string(expected));
      if (round % 2 == 1 && expected == 50'000) break;
    }
    if (round % 2 == 0) cr_assert_eq(expected, 100'000);
  }
}

Test(rings, many_clients_at_once) {
  RealDaemon daemon;
  std::vector<std::thread> threads;
  for (int client = 0; client < 16; ++client) {
    threads.emplace_back([&daemon, client] {
      Connection connection = connect_with_rings(daemon);
      for (int i = 0; i < 2'000; ++i) {
        const std::string sql = fmt::format("SELECT {}", client * 100'000 + i);
        cr_assert(ask(connection, sql) == sql.substr(7));
        // So that the daemon sleeps between some of them.
        if (i % 200 == client) std::this_thread::sleep_for(std::chrono::milliseconds(3));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

Test(rings, a_client_asleep_at_its_ring_hears_its_canceller) {
  RealDaemon daemon;
  Connection connection = connect_with_rings(daemon);
  const Canceller canceller = connection.canceller();
  for (int i = 0; i < 20; ++i) {
    std::thread other([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      canceller.cancel();
    });
    expect_error(connection.execute(kForever), ErrorCode::kCancelled);
    other.join();
  }
  cr_assert(ask(connection, "SELECT 1") == "1");
}

Test(rings, a_deadline_passes_at_a_ring) {
  RealDaemon daemon;
  Connection connection = connect_with_rings(daemon);
  expect_error(connection.execute(kForever, {}, RequestOptions().with_deadline_ms(50)), ErrorCode::kDeadline);
  cr_assert(ask(connection, "SELECT 1") == "1");
}

Test(rings, a_client_asleep_at_its_ring_notices_that_the_daemon_is_gone) {
  for (const bool kill : {true, false}) {
    RealDaemon daemon({.config = "[databases.main]\nfile = \"main.db\"\n[limits]\ndrain_ms_max = 50\n"});
    Connection connection = connect_with_rings(daemon);
    std::thread other([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      kill ? daemon.kill() : daemon.stop();
    });
    const auto begin = std::chrono::steady_clock::now();
    const auto lost = connection.execute(kForever);
    other.join();
    cr_assert(!lost);
    cr_assert_lt(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
    cr_assert(!connection.ping());
  }
}

Test(rings, an_idle_connection_notices_that_the_daemon_is_gone) {
  RealDaemon daemon;
  Connection connection = connect_with_rings(daemon);
  daemon.kill();
  expect_error(connection.execute("SELECT 1"), ErrorCode::kLost);
  cr_assert(!connection.is_open());
}

// ---- what no client library does

Test(rings, a_frame_may_come_in_pieces_and_go_around_the_end) {
  RealDaemon daemon;
  RawRings rings(daemon);
  rings.put(ping_request(rings.session().next_id()));
  rings.receive();
  // Each is written word by word, and together they go around the ring more than once.
  for (int i = 0; i < 2'000; ++i) {
    const std::uint64_t id = rings.session().next_id();
    const Frame frame = ping_request(id);
    for (std::size_t at = 0; at < frame.byte_count(); at += kWordBytes) {
      while (!rings.pair().fits(kWordBytes)) std::this_thread::yield();
      rings.pair().out().put(frame.bytes().substr(at, kWordBytes));
      if (rings.pair().publish()) rings.ring_bell();
    }
    cr_assert_eq(id_of(rings.receive()), id);
  }
}

Test(rings, are_shared_once) {
  RealDaemon daemon;
  RawRings rings(daemon);
  const std::uint64_t again = rings.session().next_id();
  rings.session().send(RawSession::request(again, [](wire::Request::Builder request) { request.setRings(); }));
  cr_assert_eq(rings.session().receive_error(again), wire::ErrorCode::PROTOCOL);
}

Test(rings, are_shared_while_something_is_under_way) {
  RealDaemon daemon;
  RawRings rings(daemon, kForever);
  const std::uint64_t ping = rings.session().next_id();
  rings.put(ping_request(ping));
  cr_assert_eq(id_of(rings.receive()), ping);
}

Test(rings, who_asks_for_them_and_goes_away_takes_nobody_along) {
  RealDaemon daemon;
  for (int i = 0; i < 300; ++i) {
    RawSession session(daemon.socket_path());
    session.hello();
    std::string bytes;
    for (int j = 0; j < i % 20; ++j) bytes += ping_request(session.next_id()).bytes();
    bytes += RawSession::request(session.next_id(), [](wire::Request::Builder request) { request.setRings(); }).bytes();
    session.send(std::string_view(bytes));
  }
  Connection connection = connect(daemon);
  cr_assert(ask(connection, "SELECT 1") == "1");
}

Test(rings, a_client_asleep_at_its_socket_hears_a_bell) {
  RealDaemon daemon;
  RawRings rings(daemon);
  rings.put(ping_request(rings.session().next_id()));
  rings.receive();
  require(rings.pair().is_read(), "the daemon does not use its ring");
  for (int i = 0; i < 100; ++i) {
    require(rings.pair().in().doze(kWakeAtSocket), "the ring is not empty");
    const std::uint64_t ping = rings.session().next_id();
    rings.put(ping_request(ping));
    rings.expect_bell();
    cr_assert_eq(id_of(rings.receive()), ping);
    // Who is awake hears none.
    rings.put(ping_request(rings.session().next_id()));
    rings.receive();
  }
}

Test(rings, controls_without_rings_are_no_frames) {
  RealDaemon daemon;
  RawSession session(daemon.socket_path());
  session.hello();
  const std::uint64_t word = ring_control(RingControl::kDoorbell);
  session.send(std::string_view(reinterpret_cast<const char*>(&word), sizeof(word)));
  cr_assert_eq(session.receive_error(0), wire::ErrorCode::PROTOCOL);
  session.expect_end();
}

Test(rings, a_broken_ring_ends_its_session_and_no_other) {
  RealDaemon daemon;
  Connection other = connect_with_rings(daemon);
  const auto broken = [&](auto&& break_it) {
    RawRings rings(daemon);
    rings.put(ping_request(rings.session().next_id()));
    rings.receive();
    break_it(rings);
    rings.expect_end();
    cr_assert(ask(other, "SELECT 1") == "1");
  };
  // More bytes than there is room for, or less than were taken.
  broken([](RawRings& rings) {
    rings.requests().written += kRingBytes + 8;
    rings.ring_bell();
  });
  broken([](RawRings& rings) {
    rings.requests().written -= 8;
    rings.ring_bell();
  });
  // Answers that were read before they were written.
  broken([](RawRings& rings) {
    rings.responses().read += 8;
    rings.put(ping_request(rings.session().next_id()));
  });
  // A frame on the socket, which was to come by the ring.
  broken([](RawRings& rings) { rings.session().send(ping_request(rings.session().next_id())); });
  // Controls that make no sense there.
  broken([](RawRings& rings) { rings.control(RingControl::kToSocket); });
  broken([](RawRings& rings) { rings.control(RingControl::kToRing); });
  broken([](RawRings& rings) { rings.control(static_cast<RingControl>(77)); });
  broken([](RawRings& rings) {
    rings.pair().out().put(RingControl::kToRing);
    if (rings.pair().publish()) rings.ring_bell();
  });
  // An id that was used.
  broken([](RawRings& rings) { rings.put(ping_request(1)); });
}

Test(rings, what_is_read_must_be_of_the_ring) {
  RealDaemon daemon;
  RawRings rings(daemon);
  rings.put(ping_request(rings.session().next_id()));
  rings.receive();
  // The daemon keeps its own positions: what a client makes of theirs does not move them.
  rings.requests().read = 12'345;
  rings.responses().written = 54'321;
  rings.requests().asleep = 0;
  rings.session().close();
  Connection other = connect_with_rings(daemon);
  cr_assert(ask(other, "SELECT 1") == "1");
}

Test(rings, tell_the_core_that_the_daemon_works_on) {
  RealDaemon daemon;
  RawRings rings(daemon);
  cpu_set_t before;
  cr_assert_eq(::sched_getaffinity(daemon.pid(), sizeof(before), &before), 0);
  std::uint64_t id = 100;
  for (std::size_t core = 0; core < CPU_SETSIZE; ++core) {
    if (!CPU_ISSET(core, &before)) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(core, &one);
    cr_assert_eq(::sched_setaffinity(daemon.pid(), sizeof(one), &one), 0);
    rings.put(ping_request(++id));
    // Small answers are put into the ring once there were some in a row.
    for (int i = 0; i < 20; ++i) {
      cr_assert_eq(id_of(rings.receive()), id);
      rings.put(ping_request(++id));
    }
    cr_assert_eq(id_of(rings.receive()), id);
    cr_assert_eq(rings.pair().in().writer_core(), core + 1);
  }
}

Test(rings, random_bytes_and_positions_harm_nobody_else) {
  RealDaemon daemon;
  Connection other = connect_with_rings(daemon);
  Random random;
  for (int i = 0; i < 300; ++i) {
    RawRings rings(daemon);
    rings.put(ping_request(rings.session().next_id()));
    rings.receive();
    for (std::int64_t step = random.between(1, 5); step > 0; --step) {
      switch (random.between(0, 5)) {
        case 0: rings.requests().written += static_cast<std::uint64_t>(random.between(0, kRingBytes)); break;
        case 1: rings.requests().written = random.word(); break;
        case 2: rings.responses().read = random.word(); break;
        case 3: {
          const std::string bytes = random.bytes(static_cast<std::size_t>(random.between(1, 4'000)));
          std::memcpy(rings.request_bytes() + random.between(0, kRingBytes - 4'000), bytes.data(), bytes.size());
          break;
        }
        case 4: rings.requests().asleep = static_cast<std::uint32_t>(random.word()); break;
        default: rings.pair().out().put(random.bytes(8 * static_cast<std::size_t>(random.between(1, 50)))); break;
      }
      static_cast<void>(rings.pair().publish());
      const std::uint64_t word = ring_control(RingControl::kDoorbell);
      if (!rings.session().try_send(std::string_view(reinterpret_cast<const char*>(&word), sizeof(word)))) break;
    }
    rings.session().close();
    if (i % 10 == 0) cr_assert(ask(other, "SELECT 1") == "1");
  }
  cr_assert(ask(other, "SELECT 1") == "1");
}
