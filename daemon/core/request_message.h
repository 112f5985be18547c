// RequestMessage: a request as it was received, in memory of its own, with a reader over it.
//
// Reading it may throw kj::Exception: do it inside guarded(). Passes between threads with the job it belongs to and is
// read by one of them at a time.
#pragma once

#include "protocol/codec.h"
#include "protocol/frame.h"
#include "protocol/skua.capnp.h"

namespace skua {

class RequestMessage {
 public:
  // Throws kj::Exception if there is no message in the frame.
  explicit RequestMessage(Frame frame)
      : frame_(std::move(frame)), view_(frame_.view()), root_(view_.root<wire::Request>()) {}

  wire::Request::Reader root() const { return root_; }
  std::size_t byte_count() const { return frame_.byte_count(); }

 private:
  Frame frame_;
  MessageView view_;
  wire::Request::Reader root_;
};

}  // namespace skua
