// Messages of one segment, read and laid out without Cap'n Proto's own readers and builders: what short requests and answers
// are, whose twenty words are otherwise mostly checked, counted and zeroed.
//
// FlatReader follows near pointers within the only segment of a frame. Whatever else a message may have (far pointers, more
// segments, lists whose elements were given another size), and whatever does not lie within the frame, it says no to: then
// Cap'n Proto reads the message, and says what is wrong with it, if anything is. So it never has to explain itself, and
// reads no byte outside of the frame. FlatWriter lays one object behind the other in a frame whose size was added up before.
// The sizes and places of fields come from `capnp compile -ocapnp protocol/skua.capnp`; tests read each message both ways.
//
// Any thread. capnproto.org/encoding.html
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "protocol/frame.h"
#include "protocol/limits.h"
#include "protocol/result.h"

namespace skua {

// Words and bytes of numbers are used as they lie in memory.
static_assert(std::endian::native == std::endian::little, "Cap'n Proto's byte order is little-endian");

// The sizes of a list's elements, of those that the schema uses.
enum class FlatSize : std::uint8_t { kByte = 2, kHalfWord = 4, kWord = 5, kStruct = 7 };

inline constexpr std::size_t flat_bytes_words(std::size_t bytes) { return (bytes + kWordBytes - 1) / kWordBytes; }
// With its NUL.
inline constexpr std::size_t flat_text_words(std::size_t bytes) { return flat_bytes_words(bytes + 1); }

// A struct in a message. Fields behind its end have their default, which for all that is read here is 0: an older peer
// knew less.
struct FlatStruct {
  std::uint64_t word(std::size_t index) const { return index < data_words ? at[index] : 0; }
  std::uint32_t half_word(std::size_t index) const {
    return static_cast<std::uint32_t>(word(index / 2) >> (index % 2 * 32));
  }
  std::uint16_t quarter_word(std::size_t index) const {
    return static_cast<std::uint16_t>(word(index / 4) >> (index % 4 * 16));
  }
  // Null where there is none: such a pointer leads nowhere.
  const std::uint64_t* pointer(std::size_t index) const {
    return index < pointer_count ? at + data_words + index : nullptr;
  }
  bool has(std::size_t index) const { return index < pointer_count && at[data_words + index] != 0; }

  const std::uint64_t* at = nullptr;
  std::uint16_t data_words = 0;
  std::uint16_t pointer_count = 0;
};

// A list of structs in a message.
struct FlatStructs {
  FlatStruct operator[](std::size_t index) const {
    return {at + index * (std::size_t{data_words} + pointer_count), data_words, pointer_count};
  }

  const std::uint64_t* at = nullptr;
  std::uint32_t count = 0;
  std::uint16_t data_words = 0;
  std::uint16_t pointer_count = 0;
};

// Each function is false for what Cap'n Proto has to read. A null pointer is an empty struct, list or text.
class FlatReader {
 public:
  FlatReader() = default;
  // Takes over nothing; the frame must outlive it.
  bool open(FrameView frame, FlatStruct& root) {
    const auto* words = reinterpret_cast<const std::uint64_t*>(frame.begin());
    // The header: no further segments, and the words of the only one.
    if (frame.size() < 2 || words[0] != std::uint64_t{frame.size() - 1} << 32) return false;
    begin_ = words + 1;
    end_ = words + frame.size();
    return follow(begin_, root);
  }

  bool follow(const std::uint64_t* pointer, FlatStruct& out) const {
    out = {};
    if (pointer == nullptr || *pointer == 0) return true;
    if ((*pointer & 3) != 0) return false;
    out.data_words = static_cast<std::uint16_t>(*pointer >> 32);
    out.pointer_count = static_cast<std::uint16_t>(*pointer >> 48);
    out.at = target(pointer, std::size_t{out.data_words} + out.pointer_count);
    return out.at != nullptr;
  }
  // So many elements of that size lie at `at`.
  bool follow(const std::uint64_t* pointer, FlatSize size, const void*& at, std::uint32_t& count) const {
    at = nullptr;
    count = 0;
    if (pointer == nullptr || *pointer == 0) return true;
    if ((*pointer & 3) != 1 || static_cast<FlatSize>(*pointer >> 32 & 7) != size) return false;
    count = static_cast<std::uint32_t>(*pointer >> 35);
    const std::size_t shift = size == FlatSize::kByte ? 0 : size == FlatSize::kHalfWord ? 2 : 3;
    at = target(pointer, flat_bytes_words(std::size_t{count} << shift));
    return at != nullptr;
  }
  bool follow(const std::uint64_t* pointer, FlatStructs& out) const {
    out = {};
    if (pointer == nullptr || *pointer == 0) return true;
    if ((*pointer & 3) != 1 || static_cast<FlatSize>(*pointer >> 32 & 7) != FlatSize::kStruct) return false;
    const std::size_t words = *pointer >> 35;
    const std::uint64_t* tag = target(pointer, words + 1);
    if (tag == nullptr || (*tag & 3) != 0) return false;
    out.count = static_cast<std::uint32_t>(*tag & 0xffff'ffff) >> 2;
    out.data_words = static_cast<std::uint16_t>(*tag >> 32);
    out.pointer_count = static_cast<std::uint16_t>(*tag >> 48);
    out.at = tag + 1;
    return std::uint64_t{out.count} * (std::size_t{out.data_words} + out.pointer_count) == words;
  }
  bool follow_data(const std::uint64_t* pointer, std::string_view& out) const {
    const void* at = nullptr;
    std::uint32_t count = 0;
    if (!follow(pointer, FlatSize::kByte, at, count)) return false;
    out = {static_cast<const char*>(at), count};
    return true;
  }
  bool follow_text(const std::uint64_t* pointer, std::string_view& out) const {
    if (!follow_data(pointer, out)) return false;
    if (out.data() == nullptr) return true;
    if (out.empty() || out.back() != '\0') return false;
    out.remove_suffix(1);
    return true;
  }

 private:
  // Null if so many words do not lie within the segment there.
  const std::uint64_t* target(const std::uint64_t* pointer, std::size_t words) const {
    const std::int64_t offset = static_cast<std::int32_t>(static_cast<std::uint32_t>(*pointer)) >> 2;
    const std::int64_t at = pointer - begin_ + 1 + offset;
    const std::int64_t size = end_ - begin_;
    if (at < 0 || at > size || words > static_cast<std::uint64_t>(size - at)) return nullptr;
    return begin_ + at;
  }

  const std::uint64_t* begin_ = nullptr;
  const std::uint64_t* end_ = nullptr;
};

// What is laid out is zero but for what the caller puts there.
class FlatWriter {
 public:
  // Of so many words with the frame's header and the pointer to its root. All of them are to be laid out.
  FlatWriter(Frame& frame, std::size_t words) : next_(reinterpret_cast<std::uint64_t*>(frame.words())), end_(next_ + words) {
    SKUA_CHECK(frame.view().size() == words);
    *next_++ = std::uint64_t{words - 1} << 32;
    root_ = next_++;
  }
  FlatWriter(const FlatWriter&) = delete;
  FlatWriter& operator=(const FlatWriter&) = delete;
  ~FlatWriter() { SKUA_CHECK(next_ == end_); }

  static constexpr std::size_t kHeadWords = 2;

  std::uint64_t* root() { return root_; }
  // The struct's data, with its pointers behind that.
  std::uint64_t* add_struct(std::uint64_t* pointer, std::size_t data_words, std::size_t pointer_count) {
    *pointer = offset_from(pointer) | std::uint64_t{data_words} << 32 | std::uint64_t{pointer_count} << 48;
    return take_zeros(data_words + pointer_count);
  }
  // The first of the structs, which lie one behind the other.
  std::uint64_t* add_structs(std::uint64_t* pointer, std::size_t count, std::size_t data_words, std::size_t pointer_count) {
    const std::size_t words = count * (data_words + pointer_count);
    *pointer = offset_from(pointer) | list_of(FlatSize::kStruct, words);
    *next_++ = std::uint64_t{count} << 2 | std::uint64_t{data_words} << 32 | std::uint64_t{pointer_count} << 48;
    return take_zeros(words);
  }
  void add_words(std::uint64_t* pointer, const void* words, std::size_t count) {
    add_list(pointer, FlatSize::kWord, words, count, count * kWordBytes);
  }
  void add_half_words(std::uint64_t* pointer, const void* half_words, std::size_t count) {
    add_list(pointer, FlatSize::kHalfWord, half_words, count, count * sizeof(std::uint32_t));
  }
  void add_data(std::uint64_t* pointer, std::string_view bytes) {
    add_list(pointer, FlatSize::kByte, bytes.data(), bytes.size(), bytes.size());
  }
  void add_text(std::uint64_t* pointer, std::string_view text) {
    add_list(pointer, FlatSize::kByte, text.data(), text.size() + 1, text.size());
  }

 private:
  static std::uint64_t list_of(FlatSize size, std::size_t count) {
    return (std::uint64_t{static_cast<std::uint8_t>(size)} | std::uint64_t{count} << 3) << 32 | 1;
  }
  std::uint64_t offset_from(const std::uint64_t* pointer) const {
    return static_cast<std::uint64_t>(next_ - pointer - 1) << 2;
  }
  std::uint64_t* take_zeros(std::size_t words) {
    SKUA_CHECK(words <= static_cast<std::size_t>(end_ - next_));
    std::uint64_t* taken = next_;
    for (std::size_t i = 0; i < words; ++i) taken[i] = 0;
    next_ += words;
    return taken;
  }
  // `bytes` of them are copied; a text's NUL is among the zeros behind them.
  void add_list(std::uint64_t* pointer, FlatSize size, const void* elements, std::size_t count, std::size_t bytes) {
    *pointer = offset_from(pointer) | list_of(size, count);
    const std::size_t words = flat_bytes_words(size == FlatSize::kByte ? count : bytes);
    if (words == 0) return;
    SKUA_CHECK(words <= static_cast<std::size_t>(end_ - next_));
    next_[words - 1] = 0;
    if (bytes > 0) std::memcpy(next_, elements, bytes);
    next_ += words;
  }

  std::uint64_t* next_;
  std::uint64_t* const end_;
  std::uint64_t* root_ = nullptr;
};

}  // namespace skua
