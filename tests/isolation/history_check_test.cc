// The checker on histories written by hand: each anomaly is found under its name, and a good history has none.
#include <criterion/criterion.h>

#include "tests/isolation/history_check.h"

using namespace skua::test;

namespace {

ListOperation append(std::int64_t key, std::int64_t value) {
  return {ListOperation::Kind::kAppend, key, value, false, {}};
}

ListOperation read(std::int64_t key, Elements elements) {
  return {ListOperation::Kind::kRead, key, 0, true, std::move(elements)};
}

constexpr std::int64_t kX = 1;
constexpr std::int64_t kY = 2;

// A history in the making. Transactions that are not said to follow all run at the same time.
struct Story {
  History history;
  std::int64_t now_ns = 0;

  void add(std::vector<ListOperation> operations, Ending ending = Ending::kCommitted) {
    const auto id = static_cast<std::int64_t>(history.transactions.size()) + 1;
    history.transactions.push_back({id, now_ns, now_ns + 100, ending, std::move(operations)});
  }
  // What is added later began after all before had ended.
  void later() { now_ns += 1'000; }
  Findings check() const { return HistoryCheck(history).run(); }
  // The one anomaly found, or what was found instead.
  std::string anomaly() const {
    std::string names;
    for (const auto& [anomaly, finding] : check()) {
      names += (names.empty() ? "" : ", ") + std::string(to_string(anomaly));
    }
    return names;
  }
};

}  // namespace

Test(history_check, finds_nothing_in_a_serial_history) {
  Story story;
  story.add({append(kX, 1), read(kX, {1}), append(kY, 2)});
  story.later();
  story.add({read(kX, {1}), append(kX, 3), read(kX, {1, 3}), read(kY, {2})});
  story.later();
  story.add({read(kX, {1, 3})});
  story.history.final_lists = {{kX, {1, 3}}, {kY, {2}}};
  cr_assert(story.anomaly() == "", "%s", story.anomaly().c_str());
}

Test(history_check, lets_what_runs_at_the_same_time_be_in_any_order) {
  Story story;
  story.add({append(kX, 1)});
  story.add({read(kX, {})});
  story.add({append(kX, 2)});
  story.history.final_lists = {{kX, {2, 1}}};
  cr_assert(story.anomaly() == "", "%s", story.anomaly().c_str());
}

Test(history_check, lets_a_transaction_in_doubt_be_there_or_not) {
  Story story;
  story.add({append(kX, 1), append(kY, 2)}, Ending::kInDoubt);
  cr_assert(story.anomaly() == "");
  story.history.final_lists = {{kX, {1}}, {kY, {2}}};
  cr_assert(story.anomaly() == "");
}

Test(history_check, finds_a_lost_append) {
  Story story;
  story.add({append(kX, 1)});
  cr_assert(story.anomaly() == "lost append");
}

Test(history_check, finds_a_torn_transaction) {
  Story story;
  story.add({append(kX, 1), append(kY, 2)}, Ending::kInDoubt);
  story.history.final_lists = {{kX, {1}}};
  cr_assert(story.anomaly() == "torn transaction");
}

Test(history_check, finds_a_duplicate_element) {
  Story story;
  story.add({append(kX, 1)});
  story.history.final_lists = {{kX, {1, 1}}};
  cr_assert(story.anomaly() == "duplicate element");
}

Test(history_check, finds_an_unknown_element) {
  Story story;
  story.add({append(kX, 1)});
  story.history.final_lists = {{kX, {1}}, {kY, {7}}};
  cr_assert(story.anomaly() == "unknown element");
}

Test(history_check, finds_a_read_that_is_not_a_prefix) {
  Story story;
  story.add({append(kX, 1)});
  story.add({append(kX, 2)});
  story.add({read(kX, {2})});
  story.history.final_lists = {{kX, {1, 2}}};
  cr_assert(story.anomaly() == "read that is not a prefix");
}

Test(history_check, finds_an_aborted_read) {
  Story story;
  story.add({append(kX, 1)}, Ending::kFailed);
  story.history.final_lists = {{kX, {1}}};
  cr_assert(story.anomaly() == "aborted read");
  // Seen by a transaction, and gone again.
  story.history.final_lists = {};
  story.add({read(kX, {1})});
  cr_assert(story.check().contains(Anomaly::kAbortedRead));
}

Test(history_check, finds_an_intermediate_read) {
  Story story;
  story.add({append(kX, 1), append(kX, 2)});
  story.add({read(kX, {1})});
  story.history.final_lists = {{kX, {1, 2}}};
  cr_assert(story.check().contains(Anomaly::kIntermediateRead));
}

Test(history_check, finds_a_transaction_that_does_not_see_its_own_append) {
  Story story;
  story.add({append(kX, 1), read(kX, {})});
  story.history.final_lists = {{kX, {1}}};
  cr_assert(story.anomaly() == "internal inconsistency");
}

Test(history_check, finds_a_read_that_cannot_be_repeated) {
  Story story;
  story.add({append(kX, 1)});
  story.add({read(kX, {}), read(kX, {1})});
  story.history.final_lists = {{kX, {1}}};
  cr_assert(story.anomaly() == "internal inconsistency");
}

Test(history_check, finds_a_write_cycle) {
  Story story;
  story.add({append(kX, 1), append(kY, 2)});
  story.add({append(kX, 3), append(kY, 4)});
  story.history.final_lists = {{kX, {1, 3}}, {kY, {4, 2}}};
  cr_assert(story.anomaly() == "write cycle");
}

Test(history_check, finds_circular_information_flow) {
  Story story;
  story.add({append(kX, 1), read(kY, {2})});
  story.add({append(kY, 2), read(kX, {1})});
  story.history.final_lists = {{kX, {1}}, {kY, {2}}};
  cr_assert(story.anomaly() == "circular information flow");
}

Test(history_check, finds_a_lost_update) {
  Story story;
  story.add({read(kX, {}), append(kX, 1)});
  story.add({read(kX, {}), append(kX, 2)});
  story.history.final_lists = {{kX, {1, 2}}};
  cr_assert(story.anomaly() == "dependency cycle");
}

Test(history_check, finds_read_skew) {
  Story story;
  story.add({append(kX, 1), append(kY, 2)});
  story.add({read(kX, {1}), read(kY, {})});
  story.history.final_lists = {{kX, {1}}, {kY, {2}}};
  cr_assert(story.anomaly() == "dependency cycle");
}

Test(history_check, finds_write_skew) {
  Story story;
  story.add({read(kX, {}), append(kY, 1)});
  story.add({read(kY, {}), append(kX, 2)});
  story.history.final_lists = {{kX, {2}}, {kY, {1}}};
  cr_assert(story.anomaly() == "dependency cycle");
}

Test(history_check, finds_the_read_only_anomaly) {
  Story story;
  story.add({read(kX, {}), read(kY, {}), append(kX, 1)});  // the withdrawal
  story.add({append(kY, 2)});                              // the deposit
  story.add({read(kX, {}), read(kY, {2})});                // who saw the deposit only
  story.history.final_lists = {{kX, {1}}, {kY, {2}}};
  cr_assert(story.anomaly() == "dependency cycle");
}

Test(history_check, finds_a_stale_read) {
  Story story;
  story.add({append(kX, 1)});
  story.later();
  story.add({read(kX, {})});
  story.history.final_lists = {{kX, {1}}};
  cr_assert(story.anomaly() == "real-time violation");
}

Test(history_check, finds_appends_in_an_order_that_the_clock_forbids) {
  Story story;
  story.add({append(kX, 1)});
  story.later();
  story.add({append(kX, 2)});
  story.history.final_lists = {{kX, {2, 1}}};
  cr_assert(story.anomaly() == "real-time violation");
}

// One list and 100,000 transactions, one after the other, with one stale read among them.
Test(history_check, finds_one_stale_read_among_many) {
  Story story;
  constexpr std::int64_t kCount = 100'000;
  constexpr std::int64_t kPerList = 100;
  for (std::int64_t i = 1; i <= kCount; ++i) {
    const std::int64_t key = i / kPerList;
    Elements& list = story.history.final_lists[key];
    story.add({read(key, list), append(key, i)});
    list.push_back(i);
    if (i == kCount / 2 + 10) story.later(), story.add({read(key, {})});
    story.later();
  }
  const Findings findings = story.check();
  cr_assert_eq(findings.size(), 1);
  cr_assert_eq(findings.at(Anomaly::kRealTimeCycle).count, 1);
}
