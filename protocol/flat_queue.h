// FlatQueue: a queue in one piece of memory, which it keeps when it runs empty. One thread at a time.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace skua {

template <class Item>
class FlatQueue {
 public:
  bool empty() const { return first_ == items_.size(); }
  std::size_t size() const { return items_.size() - first_; }
  // There must be one.
  Item& front() { return items_[first_]; }
  const Item& front() const { return items_[first_]; }
  const Item& back() const { return items_.back(); }
  auto begin() const { return items_.begin() + static_cast<std::ptrdiff_t>(first_); }
  auto end() const { return items_.end(); }

  void push_back(Item&& item) {
    // A queue that never runs empty must not grow for ever. What is moved here was taken out as often.
    if (first_ >= kGapMin && first_ * 2 >= items_.size()) drop_gap();
    items_.push_back(std::move(item));
  }
  void push_back(const Item& item) { push_back(Item(item)); }
  void pop_front() {
    items_[first_++] = Item();
    if (empty()) clear();
  }
  void clear() {
    items_.clear();
    first_ = 0;
  }

 private:
  static constexpr std::size_t kGapMin = 32;

  void drop_gap() {
    items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }

  // Those before first_ were taken out.
  std::vector<Item> items_;
  std::size_t first_ = 0;
};

}  // namespace skua
