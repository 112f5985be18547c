// Between the wire schema and Skua's own types: errors, parameters, summaries, and the smaller responses.
//
// Also the one place that turns kj::Exception, which Cap'n Proto throws when a message is malformed, into an Error:
// whatever touches a received message does it inside guarded(). Any thread.
#pragma once

#include <kj/exception.h>

#include <string_view>
#include <type_traits>

#include "protocol/column_info.h"
#include "protocol/frame.h"
#include "protocol/result.h"
#include "protocol/skua.capnp.h"
#include "protocol/summary.h"
#include "protocol/value.h"

namespace skua {

Error malformed_message(const kj::Exception& exception);

// Runs `body`, which returns a Result or Status and reads a received message; a malformed message becomes kProtocol.
template <class Body>
std::invoke_result_t<Body> guarded(Body&& body) {
  try {
    return body();
  } catch (const kj::Exception& exception) {
    return malformed_message(exception);
  }
}

inline std::string_view view_of(capnp::Text::Reader text) { return {text.begin(), text.size()}; }
inline std::string_view view_of(capnp::Data::Reader data) {
  return {reinterpret_cast<const char*>(data.begin()), data.size()};
}
inline capnp::Data::Reader data_of(std::string_view bytes) {
  return {reinterpret_cast<const kj::byte*>(bytes.data()), bytes.size()};
}
// fill_text(out.initName(size), view): setName() would want a terminating NUL.
void fill_text(capnp::Text::Builder out, std::string_view text);

void write_error(const Error& error, wire::Error::Builder out);
Error read_error(wire::Error::Reader in);

void write_summary(const Summary& summary, wire::Done::Builder out);
Summary read_summary(wire::Done::Reader in);

void write_columns(const std::vector<ColumnInfo>& columns, capnp::List<wire::ColumnInfo>::Builder out);
std::vector<ColumnInfo> read_columns(capnp::List<wire::ColumnInfo>::Reader in);

void write_parameter(const ValueView& value, wire::Parameter::Builder out);
// kProtocol for a kind of value that this version does not know.
Result<ValueView> read_parameter(wire::Parameter::Reader in);

Frame error_response(std::uint64_t request, const Error& error);

}  // namespace skua
