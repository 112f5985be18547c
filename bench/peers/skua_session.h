// SkuaSession: a session with the daemon in bytes, so that what is measured is the daemon: the caller builds what is
// sent, and reads the responses where they lie. ExecuteWindow: some requests to run one statement, built once and sent
// in one write.
//
// One thread; opened in the process that uses it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "bench/peers/echo.h"
#include "bench/peers/skua_server.h"
#include "client/src/file_descriptor.h"
#include "client/src/request.h"
#include "protocol/frame_reader.h"

namespace skua::bench {

class SkuaSession {
 public:
  // Says hello.
  static Result<SkuaSession> open(const SkuaServer& server);

  // Of the requests that it sends. The ids of others must be greater.
  static constexpr std::uint64_t kLastOwnId = 1;

  Status send(std::string_view bytes);
  // The next response. Lives until the next call.
  Result<FrameView> receive();

 private:
  explicit SkuaSession(FileDescriptor socket);

  FileDescriptor socket_;
  FrameReader reader_;
};

class ExecuteWindow {
 public:
  // `depth` requests for a statement with one parameter, an integer.
  static Result<ExecuteWindow> build(std::string_view sql, std::size_t depth);

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

// As the client library says them to the database of the benchmark.
Result<Request> example_ping();
Result<Request> example_execute(std::string_view sql, const Parameters& parameters);
// How large this request is, and all of its answer.
Result<EchoSizes> measure_exchange(const SkuaServer& server, const Result<Request>& request);

}  // namespace skua::bench
