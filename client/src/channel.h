// Channel: one session on one socket: its request ids, its requests under way, and the waiting.
//
// Sends requests, and gives each response to the request it answers. While one request is waited for, what
// arrives for others is kept for them; their windows bound how much that is. Both directions are served while
// waiting: a daemon that is busy sending to us may not read.
//
// One thread at a time, as all of the client; only the bell may be rung from elsewhere. Knows neither SQL nor
// rows.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "client/src/file_descriptor.h"
#include "client/src/known_columns.h"
#include "client/src/request.h"
#include "client/src/response.h"
#include "protocol/flat_queue.h"
#include "protocol/frame_reader.h"
#include "protocol/result.h"
#include "skua/connection.h"
#include "skua/options.h"

namespace skua {

class Channel {
 public:
  // How much longer than a request's own deadline its answer is waited for.
  static constexpr std::chrono::milliseconds kDeadlineGrace{5'000};

  static Result<std::shared_ptr<Channel>> connect(const ConnectOptions& options);
  // Says hello on a socket that is connected already.
  static Result<std::shared_ptr<Channel>> open(FileDescriptor socket, const ConnectOptions& options);

  // With the next request id. Lives no longer than `options`.
  RequestHead head(const RequestOptions& options, std::uint32_t transaction = 0);
  std::uint32_t next_transaction();

  // Puts the request under way. kLost if the connection is gone. Everything started must be received to its
  // last response, or abandoned.
  Result<std::uint64_t> start(Request request);
  // Puts the request under way and ignores what comes of it. Returns when it was sent whole, because nobody may
  // wait for anything on this connection for a long time; a daemon that does not read loses the connection
  // instead.
  void send_and_forget(Request request);
  // Waits for the next response to the request. An error is its last.
  Result<Response> receive(std::uint64_t id);
  // True if receive() would not wait.
  bool has_response(std::uint64_t id) const;
  // Sends and receives what is possible without waiting.
  void progress();
  // Cancels the request if it has not ended, and ignores what else comes of it.
  void abandon(std::uint64_t id);
  void grant(std::uint64_t id, std::uint64_t bytes);

  // Starts a request that has one response, of this kind, and waits for it.
  template <class Body>
  Result<Body> call(Request request);
  template <class Body>
  Result<Body> receive_only(std::uint64_t id);
  // The daemon answered a request in a way that makes no sense: ends the session.
  Error reject(std::string message);

  KnownColumns& known_columns() { return known_columns_; }
  bool is_open() const { return !broken_; }
  const ServerInfo& server() const { return hello_.server; }
  // The daemon has what the bit stands for.
  bool has_feature(std::uint64_t feature) const { return (hello_.features & feature) != 0; }
  std::uint32_t stream_window_bytes() const { return hello_.stream_window_bytes; }
  std::uint32_t stream_window_bytes_max() const { return hello_.stream_window_bytes_max; }
  const std::shared_ptr<Canceller::Bell>& bell() const { return bell_; }
  // How often the bell was rung. A ring cancels one request: the one waited for, else the first that is waited
  // for next of those that were under way already.
  std::uint32_t ring_count() const;

 private:
  using Clock = std::chrono::steady_clock;
  using Deadline = std::optional<Clock::time_point>;

  struct Pending {
    FlatQueue<Response> responses;
    Deadline deadline;
    std::uint32_t rings_heard = 0;
    bool may_commit = false;
    bool sent = false;       // to the last byte: before that the daemon cannot have begun it
    bool ended = false;      // its last response is here
    bool discarded = false;  // nobody waits for it
    bool cancelled = false;
  };
  using PendingMap = std::unordered_map<std::uint64_t, Pending>;
  struct Outgoing {
    std::uint64_t id = 0;
    Frame frame;
  };

  Channel(FileDescriptor socket, std::shared_ptr<Canceller::Bell> bell, std::string database);

  Status say_hello(const ConnectOptions& options);
  Pending& enqueue(Request request);
  Pending& remember(std::uint64_t id);
  void forget(PendingMap::iterator pending);
  void answer_bell(std::uint64_t id, Pending& pending);
  void send_cancel(std::uint64_t id);
  // Waits until everything is sent.
  void flush();

  // Waits until the socket is ready or the bell rings, then sends and receives. False: `until` passed first.
  bool wait(Deadline until);
  void send_queued();
  void receive_available();
  Status take_frames();
  Status take_response(Response response);

  // The session is over: what was under way fails, what is started later too.
  void break_connection(Error reason);
  Error lost(const Pending& pending) const;

  FileDescriptor socket_;
  std::shared_ptr<Canceller::Bell> bell_;
  std::string database_;  // for requests that name none
  HelloReply hello_;
  FrameReader reader_;
  FlatQueue<Outgoing> outgoing_;
  std::size_t outgoing_bytes_sent_ = 0;  // of the first
  PendingMap pending_;
  // Of requests that are over, used again for the next ones: a round trip then asks for no memory of this kind.
  std::vector<PendingMap::node_type> spare_;
  KnownColumns known_columns_;
  std::uint64_t last_id_ = 0;
  std::uint32_t last_transaction_ = 0;
  std::optional<Error> broken_;
};

template <class Body>
Result<Body> Channel::call(Request request) {
  SKUA_ASSIGN(const std::uint64_t id, start(std::move(request)));
  return receive_only<Body>(id);
}

template <class Body>
Result<Body> Channel::receive_only(std::uint64_t id) {
  SKUA_ASSIGN(Response response, receive(id));
  if (auto* error = std::get_if<Error>(&response.body)) return std::move(*error);
  if (auto* body = std::get_if<Body>(&response.body)) return std::move(*body);
  return reject("a request was answered with a response of another kind");
}

}  // namespace skua
