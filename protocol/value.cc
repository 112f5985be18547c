#include "protocol/value.h"

namespace skua {

std::string_view to_string(ValueKind kind) {
  switch (kind) {
    case ValueKind::kNull: return "null";
    case ValueKind::kInteger: return "integer";
    case ValueKind::kReal: return "real";
    case ValueKind::kText: return "text";
    case ValueKind::kBlob: return "blob";
  }
  return "unknown";
}

ValueView ValueView::of(const Value& value) {
  switch (static_cast<ValueKind>(value.index())) {
    case ValueKind::kNull: return null();
    case ValueKind::kInteger: return integer(std::get<std::int64_t>(value));
    case ValueKind::kReal: return real(std::get<double>(value));
    case ValueKind::kText: return text(std::get<std::string>(value));
    case ValueKind::kBlob: return blob(std::get<Blob>(value).bytes);
  }
  return null();
}

Value ValueView::to_value() const {
  switch (kind_) {
    case ValueKind::kNull: return Null{};
    case ValueKind::kInteger: return integer_;
    case ValueKind::kReal: return real_;
    case ValueKind::kText: return std::string(bytes_);
    case ValueKind::kBlob: return Blob{std::string(bytes_)};
  }
  return Null{};
}

}  // namespace skua
