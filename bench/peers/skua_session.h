// SkuaSession: a session with the daemon in bytes, so that what is measured is the daemon: the caller builds what is
// sent, and reads the responses where they lie. As the client library it can share memory with the daemon, and does not sleep while
// the next answer is near. ExecuteWindow: some requests to run one statement, built once and sent in one write.
//
// One thread; opened in the process that uses it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "bench/peers/echo.h"
#include "bench/peers/skua_server.h"
#include "client/src/apart_from_daemon.h"
#include "client/src/file_descriptor.h"
#include "client/src/request.h"
#include "protocol/busy_poll.h"
#include "protocol/frame_reader.h"
#include "protocol/ring_pair.h"

namespace skua::bench {

class SkuaSession {
 public:
  // Says hello.
  static Result<SkuaSession> open(const SkuaServer& server);
  // Asks for memory to share. Nothing may be under way.
  Status share_memory();

  // Of the last request that it built itself. The ids of others must be greater.
  std::uint64_t last_id() const { return last_id_; }

  // What one request and all of its answer were.
  struct Exchange {
    EchoSizes sizes;
    std::uint64_t columns_id = 0;  // that stands for the columns of its rows; 0 if it has none
  };
  Result<Exchange> ping();
  // `known_columns`: of an exchange before, whose columns need not be sent again; 0 for none.
  Result<Exchange> execute(std::string_view sql, const Parameters& parameters, std::uint64_t known_columns = 0);

  Status send(std::string_view bytes);
  // The next response. Lives until the next call.
  Result<FrameView> receive();

 private:
  explicit SkuaSession(FileDescriptor socket);
  Status send_to_ring(std::string_view bytes);
  Status send_to_socket(std::string_view bytes);
  // Waits until more has come.
  Status receive_more();
  // As the client library says them.
  RequestHead next_head() { return {++last_id_, kSkuaDatabase}; }
  Result<Exchange> exchange(const Request& request);

  std::uint64_t last_id_ = 0;
  FileDescriptor socket_;
  FrameReader reader_;
  BusyPoll busy_poll_;
  ApartFromDaemon apart_;
  std::unique_ptr<RingPair> rings_;  // null: there are none
};

class ExecuteWindow {
 public:
  // `depth` requests for a statement with one parameter, an integer; from a client that knows these columns.
  static Result<ExecuteWindow> build(std::string_view sql, std::size_t depth, std::uint64_t known_columns);

  void set(std::size_t index, std::uint64_t id, std::int64_t parameter);
  // All of them.
  std::string_view bytes() const;

 private:
  ExecuteWindow() = default;

  std::vector<std::uint64_t> words_;
  std::size_t request_words_ = 0;
  std::size_t id_word_ = 0;         // of a request
  std::size_t parameter_word_ = 0;  // so too
};

// How large a request is, and all of its answer; of a statement when it is not the first time that its session executes
// it, and knows its columns.
Result<EchoSizes> measure_ping(const SkuaServer& server);
Result<EchoSizes> measure_execute(const SkuaServer& server, std::string_view sql, const Parameters& parameters);

}  // namespace skua::bench
