// Bytes nobody chose: seeded noise, noise in well-formed frames, and valid requests with some bytes changed.
#include <criterion/criterion.h>

#include <csignal>
#include <memory>
#include <vector>

#include "tests/support/random.h"
#include "tests/system/bad_input.h"

using namespace skua;
using namespace skua::test;

namespace {

constexpr int kNoiseSessions = 400;
constexpr int kNoiseFrames = 1'000;
constexpr int kMutants = 4'000;
// How often the others are looked at meanwhile.
constexpr int kLookEvery = 500;

// One valid request of each kind, as seeds for mutation. None of them runs long or changes much.
Frame seed_request(std::uint64_t id, std::size_t kind) {
  return RawSession::request(id, [&](wire::Request::Builder request) {
    const auto execute = [&](const char* sql) {
      auto body = request.initExecute();
      body.setSql(sql);
      auto parameters = body.initParameters(3);
      parameters[0].setInteger(-1);
      parameters[1].setText(data_of("some text"));
      parameters[2].setReal(0.5);
      return body;
    };
    switch (kind) {
      case 0:
        request.initHello().setVersionMax(1);
        return;
      case 1:
        request.setPing();
        return;
      case 2:
        execute("SELECT ?, ?, ? FROM visit LIMIT 10");
        return;
      case 3: {
        auto many = request.initExecuteMany();
        many.setSql("INSERT INTO noise VALUES (?, ?)");
        auto rows = many.initRows();
        rows.setRowCount(2);
        auto columns = rows.initColumns(2);
        columns[0].initIntegers(2).set(0, 7);
        auto mixed = columns[1].initMixed();
        mixed.setKinds(data_of("\x03\x01"));
        auto words = mixed.initWords(2);
        words.set(0, 4);
        words.set(1, 9);
        mixed.setData(data_of("text"));
        return;
      }
      case 4: {
        auto steps = request.initProgram().initSteps(2);
        steps[0].setSql("INSERT INTO noise VALUES (1, 2)");
        steps[1].setSql("SELECT count(*) FROM visit");
        steps[1].initRequirements(1)[0].setOutcome(wire::Outcome::CHANGED_ROWS);
        return;
      }
      case 5:
        request.setTransaction(3);
        request.initBegin().setMode(wire::TransactionMode::READ);
        return;
      case 6:
        request.setTransaction(3);
        request.setCommit();
        return;
      case 7:
        request.setTransaction(3);
        request.setRollback();
        return;
      case 8:
        request.setTransaction(3);
        request.initSavepoint().setName("point");
        return;
      case 9:
        request.initDescribe().setSql("SELECT :a FROM visit");
        return;
      case 10:
        request.initGrant().setRequest(id - 1);
        return;
      case 11:
        request.initCancel().setRequest(id - 1);
        return;
      default:
        request.setStats();
        return;
    }
  });
}
constexpr std::size_t kSeedKinds = 13;

// Takes whatever comes until the ping with this id is answered. False if the session ends first.
bool survives(RawSession& session, std::uint64_t ping) {
  const Frame request = RawSession::request(ping, [](wire::Request::Builder root) { root.setPing(); });
  if (!session.try_send(request.bytes())) return false;
  while (const std::optional<Frame> frame = session.try_receive()) {
    MessageView message(frame->view());
    const auto response = message.root<wire::Response>();
    if (response.getId() == ping && response.isDone()) return true;
  }
  return false;
}

}  // namespace

Test(bad_input_random, noise_is_broken_off) {
  Random random;
  Scene scene;
  for (int i = 0; i < kNoiseSessions; ++i) {
    RawSession session(scene.socket_path());
    if (random.one_in(2)) session.hello();
    session.try_send(random.bytes(static_cast<std::size_t>(random.between(1, 3'000))));
    session.shut_down_sending();
    while (session.try_receive()) continue;
  }
  scene.expect_all_well();
}

Test(bad_input_random, frames_of_noise_are_answered_or_broken_off) {
  Random random;
  Scene scene;
  for (int i = 0; i < kNoiseFrames; ++i) {
    RawSession session(scene.socket_path());
    if (!random.one_in(4)) session.hello();
    std::string words = random.bytes(8 * static_cast<std::size_t>(random.between(1, 60)));
    // Half of them have a root pointer that leads to a struct, so that more of the noise is looked at.
    if (random.one_in(2))
      words.replace(0, 8, little_endian(std::uint64_t{3} << 32 | std::uint64_t{2} << 48, 8));
    session.try_send(frame_of(words));
    session.shut_down_sending();
    while (session.try_receive()) continue;
    if (i % kLookEvery == 0) scene.expect_all_well();
  }
  scene.expect_all_well();
}

Test(bad_input_random, requests_with_changed_bytes_harm_nobody) {
  Random random;
  Scene scene;
  ask(scene.bystander(), "CREATE TABLE noise (a, b)");
  std::unique_ptr<RawSession> session;
  std::uint64_t id = 0;
  int sessions_ended = 0;
  for (int i = 0; i < kMutants; ++i) {
    if (session == nullptr) {
      session = std::make_unique<RawSession>(scene.socket_path());
      session->hello();
      id = 1;
    }
    id += 2;
    const Frame request = seed_request(id, static_cast<std::size_t>(random.between(0, kSeedKinds - 1)));
    std::string bytes(request.bytes());
    for (std::int64_t changes = random.between(1, 6); changes > 0; --changes) {
      // Never the header: a frame that claims to be longer would only wait for more. Seldom the root pointer
      // and the id: what is wrong there ends the session.
      const std::int64_t first = random.one_in(10) ? 8 : 24;
      const auto at =
          static_cast<std::size_t>(random.between(first, static_cast<std::int64_t>(bytes.size()) - 1));
      bytes[at] = random.one_in(2) ? static_cast<char>(random.word())
                                   : static_cast<char>(bytes[at] ^ (1 << random.between(0, 7)));
    }
    session->try_send(bytes);
    if (!survives(*session, id + 1)) {
      session.reset();
      ++sessions_ended;
    }
    if (i % kLookEvery == 0) {
      session.reset();  // it may hold a write transaction by now
      scene.expect_all_well();
    }
  }
  session.reset();
  cr_expect_lt(sessions_ended, kMutants / 2, "%d of %d sessions ended", sessions_ended, kMutants);
  scene.expect_all_well();
}

Test(bad_input_random, headers_with_changed_bytes_harm_nobody) {
  Random random;
  Scene scene;
  for (int i = 0; i < kNoiseFrames; ++i) {
    RawSession session(scene.socket_path());
    session.hello();
    std::string bytes(seed_request(3, static_cast<std::size_t>(random.between(1, kSeedKinds - 1))).bytes());
    bytes[static_cast<std::size_t>(random.between(0, 7))] = static_cast<char>(random.word());
    session.try_send(bytes);
    session.shut_down_sending();
    while (session.try_receive()) continue;
  }
  scene.expect_all_well();
}
