// RawSession: a socket to the daemon without a client library, for sending what a client library would never
// send.
//
//   RawSession session(daemon.socket_path());
//   session.hello();
//   session.send(session.request(session.next_id(), [](auto request) { request.setPing(); }));
//   Frame reply = session.receive();
//   MessageView message(reply.view());
//   cr_assert(message.root<wire::Response>().isDone());
//
// One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/frame.h"
#include "protocol/frame_reader.h"
#include "protocol/skua.capnp.h"

namespace skua::test {

class RawSession {
 public:
  explicit RawSession(const std::string& socket_path);
  RawSession(const RawSession&) = delete;
  RawSession& operator=(const RawSession&) = delete;
  ~RawSession();

  int descriptor() const { return fd_; }

  // Any bytes. Fails if the daemon does not take them; try_send() returns false instead once it has hung up.
  void send(std::string_view bytes);
  bool try_send(std::string_view bytes);
  void send(const Frame& frame) { send(frame.bytes()); }
  // No more bytes from this side.
  void shut_down_sending();
  // Closes the socket at once, as a client that dies.
  void close();

  // The next response; nothing if the daemon closed the session.
  std::optional<Frame> try_receive();
  // The next response; fails if the daemon closed the session.
  Frame receive();
  // True if no byte comes within the time. For showing that something is not answered; never for waiting.
  bool is_silent_for_ms(int milliseconds);
  // Fails if anything but the end of the session comes.
  void expect_end();

  // A request made by fill(wire::Request::Builder).
  template <class Fill>
  static Frame request(std::uint64_t id, Fill&& fill) {
    FrameBuilder builder;
    auto root = builder.initRoot<wire::Request>();
    root.setId(id);
    fill(root);
    return builder.finish();
  }
  static Frame hello_request(std::uint64_t id = 1);
  static Frame execute_request(std::uint64_t id, std::string_view sql, std::uint32_t transaction = 0);
  // Ids must rise within a session: 1, 2, 3, ... The functions below take theirs from here.
  std::uint64_t next_id() { return ++last_id_; }
  // Says Hello and expects the answer.
  void hello();
  // Sends one statement and expects it to succeed; returns how many rows came.
  std::uint64_t execute(std::string_view sql, std::uint32_t transaction = 0);
  // Receives and expects an error for the request; returns its code.
  wire::ErrorCode receive_error(std::uint64_t id, std::string* message = nullptr);

 private:
  int fd_ = -1;
  FrameReader reader_;
  std::uint64_t last_id_ = 0;
};

}  // namespace skua::test
