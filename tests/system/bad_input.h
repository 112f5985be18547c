// The vocabulary of the bad input tests. The story of each: a bystander has a session, somebody sends something
// bad and gets a clear answer, and then the bystander and a newcomer are served as ever.
//
// One thread.
#pragma once

#include <capnp/any.h>
#include <capnp/schema.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "protocol/codec.h"
#include "tests/support/raw_session.h"
#include "tests/system/real_client.h"

namespace skua::test {

class Scene {
 public:
  Scene() : Scene(RealDaemon::Options{}) {}
  explicit Scene(RealDaemon::Options options);

  RealDaemon& daemon() { return daemon_; }
  const std::string& socket_path() const { return daemon_.socket_path(); }
  Connection& bystander() { return bystander_; }
  // The bystander reads and writes; a newcomer connects, reads and writes. Fails if any of it does.
  void expect_all_well();

 private:
  RealDaemon daemon_;
  Connection bystander_;
  std::int64_t visits_ = 0;
};

// An error as it came over the wire.
struct Refusal {
  std::uint64_t request = 0;
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
  std::int32_t sql_offset = -1;
  TransactionState transaction = TransactionState::kNone;
};

// The next response, which must be an error.
Refusal receive_refusal(RawSession& session);
// The same, for this request and with this code; `part` must be in its message.
Refusal expect_refusal(RawSession& session, std::uint64_t request, ErrorCode code, std::string_view part = {});
// An error for the session as a whole, and then the end of the session.
Refusal expect_broken_off(RawSession& session, ErrorCode code, std::string_view part = {});
// True if the next response is `done` for this request.
bool receives_done(RawSession& session, std::uint64_t request);
// Sends a ping and expects its answer to be the next response: nothing else was answered, and the session
// lives.
void expect_alive(RawSession& session);

// A frame from words after the header, in one segment.
std::string frame_of(std::string_view words);
std::string little_endian(std::uint64_t value, std::size_t bytes);

// Sets the tag of a struct's union to something the schema does not know.
template <class Struct>
void set_union_tag(typename Struct::Builder builder, std::uint16_t tag) {
  const auto offset = capnp::Schema::from<Struct>().getProto().getStruct().getDiscriminantOffset();
  auto data = capnp::AnyStruct::Builder(capnp::toAny(builder)).getDataSection();
  std::memcpy(data.begin() + 2 * offset, &tag, sizeof(tag));
}

}  // namespace skua::test
