// HistoryCheck: whether some order of the transactions, one that the clock allows, explains all that a
// history's clients saw. If not, it names the anomalies.
//
// The method is that of Kingsbury and Alvaro, "Elle: inferring isolation anomalies from experimental
// observations" (2020). Transactions in doubt took part if anything of them is in the final lists. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tests/isolation/dependency_graph.h"
#include "tests/isolation/history.h"

namespace skua::test {

enum class Anomaly : std::uint8_t {
  kLostAppend,        // committed, and not in the final list
  kTornTransaction,   // a part of a transaction in doubt is in the final lists
  kDuplicateElement,  // a value is in a list twice
  kUnknownElement,    // a value that nobody appended
  kNonPrefixRead,     // a read is not how the final list began
  kAbortedRead,       // a value of a failed transaction was seen, or is in a final list
  kIntermediateRead,  // a read saw one append of a transaction and not the next one to the same list
  kInternal,          // a transaction does not see its own appends, or reads twice and differently
  kWriteCycle,        // G0: a cycle of ww
  kInformationCycle,  // G1c: a cycle of ww and wr
  kDependencyCycle,   // G2: a cycle of ww, wr and rw
  kRealTimeCycle,     // a cycle only together with the clock: something old was seen
};
std::string_view to_string(Anomaly anomaly);

struct Finding {
  std::uint64_t count = 0;
  std::string example;  // the first
};
using Findings = std::map<Anomaly, Finding>;

class HistoryCheck {
 public:
  // The history must outlive it.
  explicit HistoryCheck(const History& history);

  // Empty: the history is strictly serializable.
  Findings run();

 private:
  struct Append {
    std::uint32_t transaction;
    std::int64_t key;
    bool is_last_to_key;  // of its transaction
  };

  void report(Anomaly anomaly, std::string example);
  const Append* writer_of(std::int64_t value) const;
  const Elements& final_list(std::int64_t key) const;

  void collect_appends();
  void check_final_lists();
  void check_presence(std::uint32_t transaction);
  void check_reads(std::uint32_t transaction);
  // What a read saw of other transactions: its length in the final list.
  void check_external_read(std::uint32_t transaction, std::int64_t key, const Elements& elements);
  void add_write_order();
  void add_moments();
  void check_cycles();

  const History& history_;
  DependencyGraph graph_;
  std::unordered_map<std::int64_t, Append> appends_;         // by value
  std::unordered_map<std::int64_t, bool> is_in_final_list_;  // by value
  std::vector<bool> takes_part_;                             // by transaction
  Findings findings_;
};

}  // namespace skua::test
