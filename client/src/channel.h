// Channel: one session on one socket: its request ids, its requests under way, and the waiting.
//
// Sends requests, and gives each response to the request it answers. While one request is waited for, what
// arrives for others is kept for them; their windows bound how much that is. Both directions are served while
// waiting: a daemon that is busy sending to us may not read.
//
// Either the channel waits by itself, which is receive(), or a Driver does, which has a loop that watches the socket: then
// nothing here waits, requests are sent when the driver says so, and a Watcher hears of the responses to its request.
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

#include "client/src/apart_from_daemon.h"
#include "client/src/file_descriptor.h"
#include "client/src/known_columns.h"
#include "client/src/observer.h"
#include "client/src/request.h"
#include "client/src/response.h"
#include "protocol/busy_poll.h"
#include "protocol/flat_queue.h"
#include "protocol/frame_reader.h"
#include "protocol/ring_pair.h"
#include "protocol/result.h"
#include "skua/connection.h"
#include "skua/options.h"

namespace skua {

class Channel {
 public:
  // How much longer than a request's own deadline its answer is waited for.
  static constexpr std::chrono::milliseconds kDeadlineGrace{5'000};

  class Driver {
   public:
    // There is something to send, where there was nothing before.
    virtual void on_unsent() = 0;
    // The connection is lost, or was given up. What was under way has failed.
    virtual void on_lost() = 0;

   protected:
    ~Driver() = default;
  };
  class Watcher {
   public:
    // take() would not wait now. May come more than once. Must not use the channel within the call.
    virtual void on_response() = 0;

   protected:
    ~Watcher() = default;
  };

  static Result<std::shared_ptr<Channel>> connect(const ConnectOptions& options);
  // Says hello on a socket that is connected already.
  static Result<std::shared_ptr<Channel>> open(FileDescriptor socket, const ConnectOptions& options);

  // Begins a session on a connected socket for a driver, which outlives the channel's use: is_greeted() says when hello was
  // answered, and finish_hello() how.
  static Result<std::shared_ptr<Channel>> open_driven(FileDescriptor socket, const ConnectOptions& options, Driver& driver);
  bool is_greeted() const { return broken_.has_value() || has_response(kHelloId); }
  Status finish_hello();

  // With the next request id. Lives no longer than `options`.
  RequestHead head(const RequestOptions& options, std::uint32_t transaction = 0);
  std::uint32_t next_transaction();

  // Puts the request under way. kLost if the connection is gone. Everything started must be received to its
  // last response, or abandoned.
  Result<std::uint64_t> start(Request request);
  // For a request of which a short answer is expected, with nothing else under way and rings to send it through: sends it, and
  // waits for the frame that comes next. Without the bookkeeping for several requests and several responses, which would be
  // most of what there is to do. Nothing: the request is under way, as started.
  bool may_exchange(const Request& request) const;
  std::optional<Frame> exchange(const Request& request);
  // The frame that exchange() gave is another than expected: takes it as the answer to a request that was started.
  void take_exchanged(const Request& request, Frame frame);
  // Puts the request under way and ignores what comes of it. Returns when it was sent whole, because nobody may
  // wait for anything on this connection for a long time; a daemon that does not read loses the connection
  // instead.
  void send_and_forget(Request request);
  // The same for a driver, with a watcher that is told when the request has ended, or the connection is lost; once.
  void send_and_forget(Request request, Watcher& watcher);
  // Waits until take() would not.
  void wait_for(std::uint64_t id);
  // True if take() would not wait: there is a response, or the connection is lost.
  bool is_ready(std::uint64_t id) const { return broken_.has_value() || has_response(id); }
  // The next response to the request, which is_ready(). An error is its last.
  Result<Response> take(std::uint64_t id);
  // Both.
  Result<Response> receive(std::uint64_t id) {
    wait_for(id);
    return take(id);
  }
  bool has_response(std::uint64_t id) const;
  // Sends and receives what is possible without waiting.
  void progress();
  // Cancels the request if it has not ended, and ignores what else comes of it.
  void abandon(std::uint64_t id);
  // Asks the daemon to end it; its last response comes all the same.
  void cancel(std::uint64_t id);
  void grant(std::uint64_t id, std::uint64_t bytes);

  // Starts a request that has one response, of this kind, and waits for it.
  template <class Body>
  Result<Body> call(Request request);
  template <class Body>
  Result<Body> receive_only(std::uint64_t id) {
    return body_of<Body>(receive(id));
  }
  // What is in the only response to a request, which must be of this kind.
  template <class Body>
  Result<Body> body_of(Result<Response> response);
  // The daemon answered a request in a way that makes no sense: ends the session.
  Error reject(std::string message);

  // ---- for the driver

  // The socket, which is readable when there are responses, but for those in a ring that is looked into; -1 once the connection
  // is lost.
  int descriptor() const { return socket_.get(); }
  bool has_unsent() const { return !outgoing_.empty(); }
  void send_queued();
  // True: something was there, or the connection is lost.
  bool receive_available();
  // The same, for the socket is readable.
  bool receive_when_readable();
  // The next responses are in memory: the driver looks there with receive_available(), and says when it will not.
  bool ring_is_read() const { return rings_ != nullptr && rings_->is_read(); }
  // Where the daemon works, as RingReader::writer_core() has it.
  std::uint32_t daemon_core() const { return rings_ == nullptr ? 0 : rings_->in().writer_core(); }
  // From now on the socket is readable for them, too. False: there are some already.
  bool doze() { return !ring_is_read() || rings_->in().doze(kWakeAtSocket); }
  void stay_awake() {
    if (ring_is_read()) rings_->in().stay_awake();
  }
  // Responses are still to come.
  bool has_under_way() const { return !pending_.empty(); }
  // Gives the connection up if a request is past its deadline by more than the grace.
  void check_deadlines();
  // As if the daemon had closed the connection.
  void give_up(std::string reason);
  // Null: nobody.
  void watch(std::uint64_t id, Watcher* watcher);

  Observer* observer() { return observer_.get(); }
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
    Watcher* watcher = nullptr;
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

  static constexpr std::uint64_t kHelloId = 1;
  // A connection that sends so many is worth the memory and the system calls that sharing it takes.
  static constexpr std::uint32_t kRequestsToRings = 64;

  Channel(FileDescriptor socket, std::shared_ptr<Canceller::Bell> bell, const ConnectOptions& options, Driver* driver);

  static Result<std::shared_ptr<Channel>> make(FileDescriptor socket, const ConnectOptions& options, Driver* driver);
  Status begin_hello(const ConnectOptions& options);
  Status say_hello(const ConnectOptions& options);
  Pending& enqueue(Request request);
  Pending& remember(std::uint64_t id);
  void forget(PendingMap::iterator pending);
  void answer_bell(std::uint64_t id, Pending& pending);
  void send_cancel(std::uint64_t id);
  // Waits until everything is sent; with a driver, tells it.
  void flush();
  void begin_to_send();

  // Waits until the socket is ready or the bell rings, then sends and receives. False: `until` passed first.
  bool wait(Deadline until);
  bool poll_busily();
  bool goes_on_polling(std::uint64_t now_us);
  void end_polling();
  // The same where the daemon's next frame will be in the ring.
  bool wait_at_ring(Deadline until);
  // Asks for shared memory, once the connection has shown that it is used. Goes on without if there is none to be had.
  void ask_for_rings();
  Status take_rings(const Response& response);
  // As start(), of what was sent by exchange().
  void put_under_way(const Request& request);
  // Sends what is queued through the ring, if that is the way. False: the rest goes by the socket.
  bool send_to_ring();
  // As many as fit.
  void fill_ring();
  // The same, if that is the way, and wakes the daemon if it sleeps.
  void put_into_ring();
  bool send_control(RingControl control);
  bool receive_from_socket();
  bool receive_from_ring();
  Status copy_from_ring();
  bool send_some();
  Status take_frames();
  Status take_bells();
  Status take_response(Response&& response);

  // The session is over: what was under way fails, what is started later too.
  void break_connection(Error reason);
  Error lost(const Pending& pending) const;

  FileDescriptor socket_;
  Driver* driver_;  // null: the channel waits by itself
  std::shared_ptr<Canceller::Bell> bell_;
  std::unique_ptr<Observer> observer_;  // null: nobody watches
  std::string database_;                // for requests that name none
  HelloReply hello_;
  FrameReader reader_;
  FlatQueue<Outgoing> outgoing_;
  std::size_t outgoing_bytes_sent_ = 0;  // of the first
  bool is_socket_empty_ = false;         // after the last read of it
  PendingMap pending_;
  // Of requests that are over, used again for the next ones: a round trip then asks for no memory of this kind.
  std::vector<PendingMap::node_type> spare_;
  KnownColumns known_columns_;
  BusyPoll busy_poll_;
  ApartFromDaemon apart_;
  std::unique_ptr<RingPair> rings_;      // null: there are none
  std::uint32_t rings_heard_at_exchange_ = 0;
  std::uint32_t requests_to_rings_ = 0;  // so many requests more, and it asks for them; 0: it does not
  std::uint64_t rings_request_ = 0;      // the request that asks for them, while it is under way; 0: none is
  FileDescriptor ring_memory_;           // that came with the answer
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
Result<Body> Channel::body_of(Result<Response> response) {
  if (!response) return std::move(response).error();
  if (auto* error = std::get_if<Error>(&response->body)) return std::move(*error);
  if (auto* body = std::get_if<Body>(&response->body)) return std::move(*body);
  return reject("a request was answered with a response of another kind");
}

}  // namespace skua
