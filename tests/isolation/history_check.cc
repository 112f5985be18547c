#include "tests/isolation/history_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

namespace skua::test {

namespace {

using Kind = ListOperation::Kind;

std::string text_of(const Elements& elements) {
  constexpr std::size_t kShown = 12;
  std::string text = "[";
  const std::size_t first = elements.size() > kShown ? elements.size() - kShown : 0;
  if (first > 0) text += "... ";
  for (std::size_t i = first; i < elements.size(); ++i)
    text += fmt::format("{}{}", i == first ? "" : " ", elements[i]);
  return text + "]";
}

}  // namespace

std::string_view to_string(Anomaly anomaly) {
  switch (anomaly) {
    case Anomaly::kLostAppend:
      return "lost append";
    case Anomaly::kTornTransaction:
      return "torn transaction";
    case Anomaly::kDuplicateElement:
      return "duplicate element";
    case Anomaly::kUnknownElement:
      return "unknown element";
    case Anomaly::kNonPrefixRead:
      return "read that is not a prefix";
    case Anomaly::kAbortedRead:
      return "aborted read";
    case Anomaly::kIntermediateRead:
      return "intermediate read";
    case Anomaly::kInternal:
      return "internal inconsistency";
    case Anomaly::kWriteCycle:
      return "write cycle";
    case Anomaly::kInformationCycle:
      return "circular information flow";
    case Anomaly::kDependencyCycle:
      return "dependency cycle";
    case Anomaly::kRealTimeCycle:
      return "real-time violation";
  }
  return "";
}

HistoryCheck::HistoryCheck(const History& history)
    : history_(history),
      graph_(static_cast<std::uint32_t>(history.transactions.size())),
      takes_part_(history.transactions.size(), false) {}

void HistoryCheck::report(Anomaly anomaly, std::string example) {
  Finding& finding = findings_[anomaly];
  if (finding.count++ == 0) finding.example = std::move(example);
}

const HistoryCheck::Append* HistoryCheck::writer_of(std::int64_t value) const {
  const auto found = appends_.find(value);
  return found == appends_.end() ? nullptr : &found->second;
}

const Elements& HistoryCheck::final_list(std::int64_t key) const {
  static const Elements kEmpty;
  const auto found = history_.final_lists.find(key);
  return found == history_.final_lists.end() ? kEmpty : found->second;
}

Findings HistoryCheck::run() {
  collect_appends();
  check_final_lists();
  const auto count = static_cast<std::uint32_t>(history_.transactions.size());
  for (std::uint32_t i = 0; i < count; ++i) check_presence(i);
  for (std::uint32_t i = 0; i < count; ++i) {
    if (takes_part_[i]) check_reads(i);
  }
  add_write_order();
  add_moments();
  check_cycles();
  return findings_;
}

void HistoryCheck::collect_appends() {
  for (std::uint32_t i = 0; i < history_.transactions.size(); ++i) {
    std::unordered_map<std::int64_t, std::int64_t> last_of_key;
    for (const ListOperation& operation : history_.transactions[i].operations) {
      if (operation.kind != Kind::kAppend) continue;
      if (const auto before = last_of_key.find(operation.key); before != last_of_key.end()) {
        appends_.at(before->second).is_last_to_key = false;
      }
      last_of_key[operation.key] = operation.value;
      appends_[operation.value] = {i, operation.key, true};
    }
  }
}

void HistoryCheck::check_final_lists() {
  for (const auto& [key, elements] : history_.final_lists) {
    for (const std::int64_t value : elements) {
      const Append* append = writer_of(value);
      if (append == nullptr || append->key != key) {
        report(Anomaly::kUnknownElement, fmt::format("list {} ends with an unknown {}", key, value));
        continue;
      }
      const ListTransaction& writer = history_.transactions[append->transaction];
      if (!is_in_final_list_.emplace(value, true).second) {
        report(Anomaly::kDuplicateElement, fmt::format("list {} ends with {} twice", key, value));
      }
      if (writer.ending == Ending::kFailed) {
        report(Anomaly::kAbortedRead,
               fmt::format("list {} ends with {} of {}, which failed", key, value, writer.id));
      }
    }
  }
}

void HistoryCheck::check_presence(std::uint32_t transaction) {
  const ListTransaction& record = history_.transactions[transaction];
  std::size_t appends = 0;
  std::size_t found = 0;
  for (const ListOperation& operation : record.operations) {
    if (operation.kind != Kind::kAppend) continue;
    ++appends;
    if (is_in_final_list_.contains(operation.value)) {
      ++found;
    } else if (record.ending == Ending::kCommitted) {
      report(Anomaly::kLostAppend, fmt::format("{} committed {} to list {}, which is not there", record.id,
                                               operation.value, operation.key));
    }
  }
  if (record.ending == Ending::kInDoubt && found > 0 && found < appends) {
    report(Anomaly::kTornTransaction,
           fmt::format("of {} there are {} appends of {}", record.id, found, appends));
  }
  takes_part_[transaction] =
      record.ending == Ending::kCommitted || (record.ending == Ending::kInDoubt && found > 0);
}

void HistoryCheck::check_reads(std::uint32_t transaction) {
  const ListTransaction& record = history_.transactions[transaction];
  std::map<std::int64_t, Elements> own;       // appends so far
  std::map<std::int64_t, Elements> external;  // what the first read of the list saw of others
  for (const ListOperation& operation : record.operations) {
    Elements& appended = own[operation.key];
    if (operation.kind == Kind::kAppend) {
      appended.push_back(operation.value);
      continue;
    }
    if (!operation.is_answered) continue;
    const Elements& seen = operation.elements;
    if (seen.size() < appended.size() ||
        !std::equal(appended.begin(), appended.end(),
                    seen.end() - static_cast<std::ptrdiff_t>(appended.size()))) {
      report(Anomaly::kInternal, fmt::format("{} appended {} to list {} and sees {}", record.id,
                                             text_of(appended), operation.key, text_of(seen)));
      continue;
    }
    Elements others(seen.begin(), seen.end() - static_cast<std::ptrdiff_t>(appended.size()));
    const auto [first, is_first] = external.emplace(operation.key, others);
    if (is_first) {
      check_external_read(transaction, operation.key, others);
    } else if (first->second != others) {
      report(Anomaly::kInternal, fmt::format("{} reads list {} as {} and then as {}", record.id, operation.key,
                                             text_of(first->second), text_of(others)));
    }
  }
}

void HistoryCheck::check_external_read(std::uint32_t transaction, std::int64_t key, const Elements& elements) {
  const std::int64_t id = history_.transactions[transaction].id;
  std::unordered_set<std::int64_t> seen;
  for (const std::int64_t value : elements) {
    const Append* append = writer_of(value);
    if (!seen.insert(value).second) {
      report(Anomaly::kDuplicateElement, fmt::format("{} reads {} twice in list {}", id, value, key));
    }
    if (append == nullptr || append->key != key) {
      report(Anomaly::kUnknownElement, fmt::format("{} reads an unknown {} in list {}", id, value, key));
    } else if (const ListTransaction& writer = history_.transactions[append->transaction];
               writer.ending == Ending::kFailed) {
      report(Anomaly::kAbortedRead,
             fmt::format("{} reads {} in list {}, of {}, which failed", id, value, key, writer.id));
    }
  }
  const Elements& list = final_list(key);
  if (elements.size() > list.size() || !std::equal(elements.begin(), elements.end(), list.begin())) {
    report(Anomaly::kNonPrefixRead,
           fmt::format("{} reads list {} as {}, which ends as {}", id, key, text_of(elements), text_of(list)));
    return;
  }
  if (!elements.empty()) {
    if (const Append* last = writer_of(elements.back()); last != nullptr) {
      if (!last->is_last_to_key && last->transaction != transaction) {
        report(Anomaly::kIntermediateRead,
               fmt::format("{} reads list {} up to {}, in the middle of {}", id, key, elements.back(),
                           history_.transactions[last->transaction].id));
      }
      graph_.add(last->transaction, transaction, kWriteRead);
    }
  }
  if (elements.size() < list.size()) {
    if (const Append* next = writer_of(list[elements.size()]); next != nullptr) {
      graph_.add(transaction, next->transaction, kReadWrite);
    }
  }
}

void HistoryCheck::add_write_order() {
  for (const auto& [key, elements] : history_.final_lists) {
    const Append* before = nullptr;
    for (const std::int64_t value : elements) {
      const Append* append = writer_of(value);
      if (before != nullptr && append != nullptr)
        graph_.add(before->transaction, append->transaction, kWriteWrite);
      before = append;
    }
  }
}

void HistoryCheck::add_moments() {
  std::vector<DependencyGraph::Moments> moments;
  for (std::uint32_t i = 0; i < history_.transactions.size(); ++i) {
    const ListTransaction& record = history_.transactions[i];
    DependencyGraph::Moments& times = moments.emplace_back();
    times.begun_ns = record.begun_ns;
    if (record.ending == Ending::kCommitted) times.ended_ns = record.ended_ns;
  }
  graph_.add_real_time(moments);
}

void HistoryCheck::check_cycles() {
  const std::pair<Anomaly, std::uint8_t> steps[] = {
      {Anomaly::kWriteCycle, kWriteWrite},
      {Anomaly::kInformationCycle, kWriteWrite | kWriteRead},
      {Anomaly::kDependencyCycle, kWriteWrite | kWriteRead | kReadWrite},
      {Anomaly::kRealTimeCycle, kWriteWrite | kWriteRead | kReadWrite | kRealTime},
  };
  for (const auto& [anomaly, kinds] : steps) {
    for (const DependencyGraph::Cycle& cycle : graph_.cycles(kinds)) {
      std::string text;
      for (const DependencyGraph::Step& step : cycle) {
        text += fmt::format("{} {} ", history_.transactions[step.node].id, to_string(step.kind));
      }
      if (!cycle.empty()) text += std::to_string(history_.transactions[cycle.front().node].id);
      report(anomaly, std::move(text));
    }
    // The larger sets of edges would find the same again.
    if (findings_.contains(anomaly)) return;
  }
}

}  // namespace skua::test
