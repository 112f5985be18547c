// ParameterList: the parameters of a received execute or of a step, in its message.
//
// Borrows the message and lives no longer. Reading one that Cap'n Proto reads may throw kj::Exception: do it inside guarded().
// Any thread, one at a time.
#pragma once

#include <bit>
#include <cstddef>
#include <string_view>

#include "protocol/codec.h"
#include "protocol/flat_message.h"
#include "protocol/result.h"
#include "protocol/skua.capnp.h"
#include "protocol/value.h"

namespace skua {

class ParameterList {
 public:
  // None.
  ParameterList() = default;
  explicit ParameterList(capnp::List<wire::Parameter>::Reader list) : list_(list), size_(list.size()) {}

  // Those that the pointer leads to. False for what Cap'n Proto has to read.
  bool open_flat(const FlatReader& message, const std::uint64_t* pointer) {
    FlatStructs structs;
    if (!message.follow(pointer, structs) || structs.count > kFlatMax) return false;
    for (std::size_t i = 0; i < structs.count; ++i) {
      std::string_view bytes;
      const bool is_flat = message.follow_text(structs[i].pointer(0), bytes) &&
                           message.follow_data(structs[i].pointer(1), bytes) &&
                           structs[i].quarter_word(0) <= static_cast<std::uint16_t>(ValueKind::kBlob);
      if (!is_flat) return false;
    }
    is_flat_ = true;
    message_ = message;
    flat_ = structs;
    size_ = structs.count;
    return true;
  }

  std::size_t size() const { return size_; }
  bool has_name(std::size_t index) const { return is_flat_ ? flat_[index].has(0) : at(index).hasName(); }
  std::string_view name(std::size_t index) const {
    if (!is_flat_) return view_of(at(index).getName());
    std::string_view name;
    message_.follow_text(flat_[index].pointer(0), name);
    return name;
  }
  // kProtocol for a kind of value that this version does not know.
  Result<ValueView> value(std::size_t index) const {
    if (!is_flat_) return read_parameter(at(index));
    const FlatStruct parameter = flat_[index];
    std::string_view bytes;
    message_.follow_data(parameter.pointer(1), bytes);
    switch (static_cast<ValueKind>(parameter.quarter_word(0))) {
      case ValueKind::kNull: break;
      case ValueKind::kInteger: return ValueView::integer(static_cast<std::int64_t>(parameter.word(1)));
      case ValueKind::kReal: return ValueView::real(std::bit_cast<double>(parameter.word(1)));
      case ValueKind::kText: return ValueView::text(bytes);
      case ValueKind::kBlob: return ValueView::blob(bytes);
    }
    return ValueView::null();
  }

 private:
  static constexpr std::size_t kFlatMax = 64;

  wire::Parameter::Reader at(std::size_t index) const { return list_[static_cast<kj::uint>(index)]; }

  bool is_flat_ = false;
  FlatReader message_;
  FlatStructs flat_;
  capnp::List<wire::Parameter>::Reader list_;
  std::size_t size_ = 0;
};

}  // namespace skua
