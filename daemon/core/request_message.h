// RequestMessage: a request as it was received, in memory of its own, with a reader over it.
//
// Reading it may throw kj::Exception: do it inside guarded(). Passes between threads with the request it belongs to and is
// read by one of them at a time.
#pragma once

#include <array>
#include <cstring>

#include "protocol/codec.h"
#include "protocol/frame.h"
#include "protocol/skua.capnp.h"

namespace skua {

class RequestMessage {
 public:
  // A frame of this size is copied into the object, which asks for no memory.
  static constexpr std::size_t kInlineWords = 64;

  // Both throw kj::Exception if there is no message in the frame.
  explicit RequestMessage(Frame frame)
      : frame_(std::move(frame)), view_(frame_.view()), root_(view_.root<wire::Request>()) {}
  // Copies the frame, which has at most kInlineWords.
  explicit RequestMessage(FrameView frame) : view_(copy(frame)), root_(view_.root<wire::Request>()) {}
  RequestMessage(const RequestMessage&) = delete;
  RequestMessage& operator=(const RequestMessage&) = delete;

  wire::Request::Reader root() const { return root_; }
  std::size_t byte_count() const { return frame_.empty() ? copied_words_ * sizeof(capnp::word) : frame_.byte_count(); }

 private:
  FrameView copy(FrameView frame) {
    SKUA_CHECK(frame.size() <= kInlineWords);
    copied_words_ = frame.size();
    std::memcpy(static_cast<void*>(words_.data()), frame.begin(), frame.size() * sizeof(capnp::word));
    return FrameView(words_.data(), copied_words_);
  }

  // Either of these two has the message.
  Frame frame_;
  std::size_t copied_words_ = 0;
  std::array<capnp::word, kInlineWords> words_;
  MessageView view_;
  wire::Request::Reader root_;
};

}  // namespace skua
