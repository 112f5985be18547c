// History: what clients asked of lists, and what they were answered, in their own words.
//
// Lists only grow, at their end, and no value is appended twice; so a list shows the order of the transactions
// that appended to it, and a read shows which of them it saw. Plain data.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

namespace skua::test {

using Elements = std::vector<std::int64_t>;

struct ListOperation {
  enum class Kind : std::uint8_t { kRead, kAppend };

  Kind kind = Kind::kRead;
  std::int64_t key = 0;
  std::int64_t value = 0;    // appended
  bool is_answered = false;  // of a read: elements are what it saw
  Elements elements;
};

enum class Ending : std::uint8_t {
  kCommitted,
  kFailed,   // refused, rolled back, or lost before its commit was sent
  kInDoubt,  // no answer to the commit
};

struct ListTransaction {
  std::int64_t id = 0;
  std::int64_t begun_ns = 0;  // before its first request was sent
  std::int64_t ended_ns = 0;  // after its last answer; meaningful if committed
  Ending ending = Ending::kInDoubt;
  std::vector<ListOperation> operations;
};

struct History {
  std::vector<ListTransaction> transactions;
  // Every list, by key, after all had ended.
  std::map<std::int64_t, Elements> final_lists;
};

}  // namespace skua::test
