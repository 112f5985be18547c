#include "tests/system/bad_input.h"

namespace skua::test {

Scene::Scene(RealDaemon::Options options) : daemon_(std::move(options)), bystander_(connect(daemon_)) {
  ask(bystander_, "CREATE TABLE visit (number INTEGER PRIMARY KEY)");
}

void Scene::expect_all_well() {
  ++visits_;
  ask(bystander_, "INSERT INTO visit VALUES (?)", Parameters::of(visits_));
  Connection newcomer = connect(daemon_);
  const std::string count = std::to_string(visits_);
  require(ask(newcomer, "SELECT count(*) FROM visit") == count, "a newcomer does not see the bystander's row");
  ++visits_;
  ask(newcomer, "INSERT INTO visit VALUES (?)", Parameters::of(visits_));
  require(ask(bystander_, "SELECT max(number) FROM visit") == std::to_string(visits_),
          "the bystander does not see the newcomer's row");
}

Refusal receive_refusal(RawSession& session) {
  const Frame frame = session.receive();
  MessageView message(frame.view());
  const auto response = message.root<wire::Response>();
  require(response.isError(), "request " + std::to_string(response.getId()) + " was not refused");
  const Error error = read_error(response.getError());
  return {response.getId(), error.code, error.message, error.sql_offset, error.transaction};
}

Refusal expect_refusal(RawSession& session, std::uint64_t request, ErrorCode code, std::string_view part) {
  Refusal refusal = receive_refusal(session);
  const std::string got = std::string(to_string(refusal.code)) + ": " + refusal.message;
  require(refusal.request == request, "an error for request " + std::to_string(refusal.request) + ", not " +
                                          std::to_string(request) + ": " + got);
  require(refusal.code == code, "expected " + std::string(to_string(code)) + ", got " + got);
  require(!refusal.message.empty(), "an error without words");
  require(contains(refusal.message, part), "no '" + std::string(part) + "' in: " + got);
  return refusal;
}

Refusal expect_broken_off(RawSession& session, ErrorCode code, std::string_view part) {
  Refusal refusal = expect_refusal(session, 0, code, part);
  session.expect_end();
  return refusal;
}

bool receives_done(RawSession& session, std::uint64_t request) {
  const Frame frame = session.receive();
  MessageView message(frame.view());
  const auto response = message.root<wire::Response>();
  return response.getId() == request && response.isDone();
}

void expect_alive(RawSession& session) {
  const std::uint64_t id = session.next_id();
  session.send(RawSession::request(id, [](wire::Request::Builder request) { request.setPing(); }));
  require(receives_done(session, id), "the next response was not the answer to a ping");
}

std::string little_endian(std::uint64_t value, std::size_t bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
  return out;
}

std::string frame_of(std::string_view words) {
  require(words.size() % 8 == 0, "a frame is made of whole words");
  return little_endian(0, 4) + little_endian(words.size() / 8, 4) + std::string(words);
}

}  // namespace skua::test
