// RedisServer: a redis-server with no database file, which listens on a Unix socket in its folder and nowhere else.
// RedisConnection: one connection to it, in RESP.
//
// One thread; a connection is opened in the process that uses it.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "bench/peers/resp_reader.h"
#include "client/src/file_descriptor.h"
#include "protocol/result.h"

namespace skua::bench {

// Where Debian has redis-server and redis-benchmark.
inline constexpr const char* kRedisPrograms = "/usr/bin";

class RedisServer {
 public:
  // Starts nothing yet. `programs` holds redis-server and redis-benchmark; `folder` must not exist.
  RedisServer(std::string programs, std::string folder)
      : programs_(std::move(programs)), folder_(std::move(folder)) {}
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;
  ~RedisServer();

  // The first call starts the server and returns when it answers; later ones return what came of it.
  Status start();
  std::string socket_path() const { return folder_ + "/socket"; }
  // 0 if it does not run.
  pid_t pid() const { return pid_; }
  // The path of redis-benchmark, or an error that says what to install.
  Result<std::string> benchmark_program() const;

 private:
  Status launch();
  Status wait_until_it_answers();

  std::string programs_;
  std::string folder_;
  pid_t pid_ = 0;
  std::optional<Status> started_;
};

class RedisConnection {
 public:
  static Result<RedisConnection> open(const std::string& socket_path);

  // Whole commands, any number.
  Status send(std::string_view commands);
  // The next reply, which is none of an error. Lives until the next call.
  Result<RespReply> receive();

 private:
  explicit RedisConnection(FileDescriptor socket) : socket_(std::move(socket)) {}

  FileDescriptor socket_;
  RespReader reader_;
};

}  // namespace skua::bench
