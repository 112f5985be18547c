// Echo: a round trip of the bytes that Skua's would be, without any work: the client sends as many bytes as Skua's
// request has, the server answers with as many as Skua's answer has. What an echo server looks at is their number.
//
// One thread in each process: the client's side runs in the clients' processes, the server's in others.
#pragma once

#include <cstddef>
#include <functional>

#include "bench/workload.h"
#include "client/src/file_descriptor.h"

namespace skua::bench {

struct EchoSizes {
  std::size_t request_bytes = 0;
  std::size_t answer_bytes = 0;
};

// Counts the requests in a stream of bytes.
class EchoCounter {
 public:
  explicit EchoCounter(std::size_t request_bytes) : request_bytes_(request_bytes) {}

  // So many bytes came in: how many requests became complete by them.
  std::size_t take(std::size_t bytes) {
    bytes_ += bytes;
    const std::size_t requests = bytes_ / request_bytes_;
    bytes_ %= request_bytes_;
    return requests;
  }

 private:
  std::size_t request_bytes_;
  std::size_t bytes_ = 0;  // of the request that is not complete
};

// Of a blocking descriptor: all of `size` bytes that mean nothing. False once the other side is gone.
bool write_filler(int fd, std::size_t size);
// The same, in whatever pieces they come. The number of bytes that came; 0 once the other side is gone.
std::size_t read_filler(int fd, std::size_t size_max);

class Echo : public Contestant {
 public:
  // `measure` says how large request and answer are; asked by prepare(), when Skua has been prepared. `depth`:
  // requests under way on each connection.
  Echo(std::function<Result<EchoSizes>()> measure, std::size_t depth)
      : measure_(std::move(measure)), depth_(depth) {}

  Status prepare() final;
  bool has_windows() const final { return depth_ > 1; }
  Result<Operation> make_operation(std::size_t client) final;
  Result<Window> make_window(std::size_t client) final;

 protected:
  const EchoSizes& sizes() const { return sizes_; }

 private:
  // When the sizes are known.
  virtual Status start() = 0;
  // In the client's process.
  virtual Result<FileDescriptor> connect() = 0;

  std::function<Result<EchoSizes>()> measure_;
  std::size_t depth_;
  EchoSizes sizes_;
};

}  // namespace skua::bench
