// JsonText: JSON in a buffer that is kept for the next text. Integers stay integers and reals reals: 12, 30.0.
//
// One thread. The text lives until clear() or drop_text().
#pragma once

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cmath>
#include <cstdint>
#include <string_view>

#include "skua/batch.h"

namespace market {

class JsonText {
 public:
  std::string_view text() const { return {buffer_.GetString(), buffer_.GetSize()}; }
  void clear() {
    buffer_.Clear();
    writer_.Reset(buffer_);
  }
  // The text so far was taken; it goes on from there.
  void drop_text() { buffer_.Clear(); }

  JsonText& begin_array() { return writer_.StartArray(), *this; }
  JsonText& end_array() { return writer_.EndArray(), *this; }
  JsonText& begin_object() { return writer_.StartObject(), *this; }
  JsonText& end_object() { return writer_.EndObject(), *this; }
  JsonText& key(std::string_view name) { return writer_.Key(name.data(), size(name)), *this; }
  JsonText& text(std::string_view value) { return writer_.String(value.data(), size(value)), *this; }
  JsonText& integer(std::int64_t value) { return writer_.Int64(value), *this; }
  JsonText& null() { return writer_.Null(), *this; }
  // A blob as its bytes; an infinite number, which JSON does not know, as null.
  JsonText& value(const skua::ValueView& value) {
    switch (value.kind()) {
      case skua::ValueKind::kInteger: return integer(value.integer());
      case skua::ValueKind::kReal:
        if (!std::isfinite(value.real())) return null();
        return writer_.Double(value.real()), *this;
      case skua::ValueKind::kText:
      case skua::ValueKind::kBlob: return text(value.bytes());
      case skua::ValueKind::kNull: break;
    }
    return null();
  }

 private:
  static rapidjson::SizeType size(std::string_view text) { return static_cast<rapidjson::SizeType>(text.size()); }

  rapidjson::StringBuffer buffer_;
  rapidjson::Writer<rapidjson::StringBuffer> writer_{buffer_};
};

}  // namespace market
