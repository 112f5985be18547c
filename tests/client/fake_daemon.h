// FakeDaemon: the other end of a client's socket, for what a real daemon does not do on demand.
//
// A response may be sent just before the call that asks for it: request ids are known beforehand. Hello has 1,
// the first request of a test 2, and so on; grants and cancels count too. One thread, besides run_beside().
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "client/src/channel.h"
#include "client/src/file_descriptor.h"
#include "protocol/codec.h"
#include "protocol/features.h"
#include "protocol/frame_reader.h"
#include "protocol/row_batch.h"
#include "protocol/short_frames.h"
#include "skua/connection.h"

namespace skua::test {

// A request as it arrived.
class ReceivedRequest {
 public:
  explicit ReceivedRequest(Frame frame) : frame_(std::move(frame)), view_(frame_.view()) {}
  wire::Request::Reader root() { return view_.root<wire::Request>(); }

 private:
  Frame frame_;
  MessageView view_;
};

// Rows of one column "n", with these numbers. The first frame of a result has columns, the last has a summary.
struct RowsFrame {
  std::vector<std::int64_t> numbers;
  bool is_first = false;
  bool is_last = false;
};
Frame rows_response(std::uint64_t id, const RowsFrame& rows);
// A response that fill(wire::Response::Builder) makes.
Frame response(std::uint64_t id, const std::function<void(wire::Response::Builder)>& fill);

class FakeDaemon {
 public:
  FakeDaemon();
  FakeDaemon(const FakeDaemon&) = delete;
  FakeDaemon& operator=(const FakeDaemon&) = delete;
  ~FakeDaemon();

  // The client's end of the socket, once.
  FileDescriptor client_end() { return std::move(client_end_); }
  // A connection whose hello was answered, and is out of the way.
  Connection connect(const ConnectOptions& options = {});

  // What its hello says of features.
  std::uint64_t features = kFeatures;

  void send(std::string_view bytes);
  void send(const Frame& frame) { send(frame.bytes()); }
  void send_hello(std::uint32_t stream_window_bytes = 0);
  void send_done(std::uint64_t id, const Summary& summary = {}) { send(done_response(id, summary)); }
  void send_rows(std::uint64_t id, const RowsFrame& rows) { send(rows_response(id, rows)); }
  void send_error(std::uint64_t id, ErrorCode code, std::string message = "refused");

  // The next request; waits for it, and fails at the end of the connection.
  ReceivedRequest receive();
  // Nothing if the client closed the connection.
  std::optional<ReceivedRequest> try_receive();
  // True if no byte comes within the time. For showing that something does not come; never for waiting.
  bool is_silent_for_ms(int milliseconds) const;
  // No more responses, but requests are still taken.
  void stop_sending();
  void hang_up();

  // Runs the script on a thread of its own, until it returns. A failure of the script is one of the test.
  void run_beside(std::function<void()> script);
  void join();

 private:
  FileDescriptor client_end_;
  FileDescriptor socket_;
  FrameReader reader_;
  std::thread thread_;
  std::string failure_;
};

// Reads all numbers of the column "n".
std::vector<std::int64_t> numbers_in(const ResultSet& rows);

}  // namespace skua::test
