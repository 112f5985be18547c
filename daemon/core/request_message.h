// RequestMessage: a request as it was received, in memory of its own, with a reader over it.
//
// What all requests have in common is read at once, and Cap'n Proto's reader made only where it is asked for: of most
// requests it is not. Reading it may throw kj::Exception: do it inside guarded(). Passes between threads with the request it
// belongs to and is read by one of them at a time.
#pragma once

#include <array>
#include <cstring>
#include <optional>
#include <string_view>

#include "protocol/codec.h"
#include "protocol/flat_message.h"
#include "protocol/frame.h"
#include "protocol/parameter_list.h"
#include "protocol/skua.capnp.h"

namespace skua {

class RequestMessage {
 public:
  // A frame of this size is copied into the object, which asks for no memory.
  static constexpr std::size_t kInlineWords = 64;

  struct Head {
    std::uint64_t id = 0;
    wire::Request::Which kind = wire::Request::PING;
    std::uint32_t transaction = 0;
    std::uint32_t deadline_ms = 0;
    std::string_view database;
    bool has_key = false;  // which may be empty
  };
  struct Execute {
    std::string_view sql;
    ParameterList parameters;
    std::uint32_t window_bytes = 0;
    std::uint64_t known_columns = 0;
  };

  // Both throw kj::Exception if there is no message in the frame.
  explicit RequestMessage(Frame frame) : frame_(std::move(frame)), all_(frame_.view()) { read_head(); }
  // Copies the frame, which has at most kInlineWords.
  explicit RequestMessage(FrameView frame) : all_(copy(frame)) { read_head(); }
  RequestMessage(const RequestMessage&) = delete;
  RequestMessage& operator=(const RequestMessage&) = delete;

  const Head& head() const { return head_; }
  wire::Request::Reader root() const {
    if (!view_) view_.emplace(all_);
    return view_->root<wire::Request>();
  }
  // Of a request of that kind.
  Execute execute() const {
    Execute result;
    if (read_flat_execute(result)) return result;
    const wire::Execute::Reader in = root().getExecute();
    return {view_of(in.getSql()), ParameterList(in.getParameters()), in.getWindowBytes(), in.getKnownColumns()};
  }
  std::size_t byte_count() const { return all_.size() * sizeof(capnp::word); }

 private:
  FrameView copy(FrameView frame) {
    SKUA_CHECK(frame.size() <= kInlineWords);
    std::memcpy(static_cast<void*>(words_.data()), frame.begin(), frame.size() * sizeof(capnp::word));
    return FrameView(words_.data(), frame.size());
  }
  void read_head() {
    if (flat_.open(all_, flat_root_) && flat_.follow_text(flat_root_.pointer(0), head_.database)) {
      head_.id = flat_root_.word(0);
      head_.kind = static_cast<wire::Request::Which>(flat_root_.quarter_word(8));
      head_.transaction = flat_root_.half_word(2);
      head_.deadline_ms = flat_root_.half_word(3);
      head_.has_key = flat_root_.has(2);
      return;
    }
    flat_root_ = {};
    const wire::Request::Reader in = root();
    head_ = {in.getId(), in.which(), in.getTransaction(), in.getDeadlineMs(), view_of(in.getDatabase()),
             in.hasIdempotencyKey()};
  }
  bool read_flat_execute(Execute& out) const {
    FlatStruct in;
    if (!flat_root_.has(1) || !flat_.follow(flat_root_.pointer(1), in) || !flat_.follow_text(in.pointer(0), out.sql) ||
        !out.parameters.open_flat(flat_, in.pointer(1))) {
      return false;
    }
    out.window_bytes = in.half_word(0);
    out.known_columns = in.word(1);
    return true;
  }

  // Either of these two has the message.
  Frame frame_;
  std::array<capnp::word, kInlineWords> words_;
  FrameView all_;
  FlatReader flat_;
  FlatStruct flat_root_;  // empty if Cap'n Proto has to read the message
  Head head_;
  mutable std::optional<MessageView> view_;
};

}  // namespace skua
