// FairQueue: items of many sessions, taken out one session after the other, so that a session with a thousand items
// delays a session with one item by one item.
//
// Within a session first in, first out. Loop thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace skua {

template <class Item>
class FairQueue {
 public:
  void push(std::uint64_t session_id, Item item) {
    std::deque<Item>& items = sessions_[session_id];
    if (items.empty()) turns_.push_back(session_id);
    items.push_back(std::move(item));
    ++size_;
  }

  std::optional<Item> pop() {
    if (turns_.empty()) return std::nullopt;
    const std::uint64_t session_id = turns_.front();
    turns_.pop_front();
    const auto found = sessions_.find(session_id);
    Item item = std::move(found->second.front());
    found->second.pop_front();
    if (found->second.empty()) {
      sessions_.erase(found);
    } else {
      turns_.push_back(session_id);
    }
    --size_;
    return item;
  }

  // What pop() would return; there must be something.
  const Item& next() const { return sessions_.at(turns_.front()).front(); }

  // Shows the items in the order in which pop() would return them, until the visitor returns false.
  template <class Visitor>
  void visit(Visitor&& visitor) const {
    std::vector<const std::deque<Item>*> round;
    for (const std::uint64_t session_id : turns_) round.push_back(&sessions_.at(session_id));
    for (std::size_t i = 0; !round.empty(); ++i) {
      for (const std::deque<Item>* items : round) {
        if (!visitor((*items)[i])) return;
      }
      std::erase_if(round, [i](const std::deque<Item>* items) { return items->size() == i + 1; });
    }
  }

  template <class Predicate>
  void erase_if(const Predicate& predicate) {
    size_ = 0;
    for (auto& [session_id, items] : sessions_) {
      std::erase_if(items, predicate);
      size_ += items.size();
    }
    std::erase_if(turns_, [this](std::uint64_t session_id) { return sessions_.at(session_id).empty(); });
    std::erase_if(sessions_, [](const auto& session) { return session.second.empty(); });
  }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

 private:
  // Invariant: a session is in turns_ exactly once if it has items, and not at all otherwise.
  std::unordered_map<std::uint64_t, std::deque<Item>> sessions_;
  std::deque<std::uint64_t> turns_;
  std::size_t size_ = 0;
};

}  // namespace skua
