// ReplySink: where core/ sends the responses of one session. net/ implements it over a socket, tests over a vector.
#pragma once

#include <cstddef>

#include "daemon/base/thread_annotations.h"
#include "protocol/frame.h"
#include "protocol/result.h"

namespace skua {

class ReplySink {
 public:
  virtual ~ReplySink() = default;
  // Takes a whole response. Never fails: a session that is gone drops it.
  virtual void send(Frame frame) SKUA_REQUIRES(loop_thread) = 0;
  // Bytes sent and not yet taken by the peer.
  virtual std::size_t unsent_bytes() const SKUA_REQUIRES(loop_thread) = 0;
  // Makes memory that is shared with the client, and sends the answer to its request for it, which is the client's only one
  // under way. An error: there is none, and nothing was sent.
  virtual Status share_rings(std::uint64_t request) SKUA_REQUIRES(loop_thread) {
    static_cast<void>(request);
    return make_error(ErrorCode::kUnavailable, "this connection cannot share memory");
  }
  // Sends what was sent so far, then ends the session. on_session_closed() follows.
  virtual void close() SKUA_REQUIRES(loop_thread) = 0;
};

}  // namespace skua
