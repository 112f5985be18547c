// FairQueue: items of many sessions, taken out by deficit round robin, so that a session with a thousand items, or with items
// that take long, delays the others by no more than its share.
//
// A session has one turn in a round, and in it takes one item. The turn pays for kQuantumUs of what the item is going to use.
// What an item really used is known only afterwards: charge() lets its session wait for one round more for each kQuantumUs
// beyond the first. So whoever has items that take 5 ms has one turn while the others have 25. Nobody waits for more than
// kRoundsMax rounds, and no session can come into a round that has begun, so none starves. A queue that nobody waits in
// forgets all of this.
//
// push(), charge() and next() look at a session or two, whatever there is in the queue. Within a session first in, first out.
// Loop thread.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace skua {

template <class Item>
class FairQueue {
 public:
  // What one turn pays for, in the microseconds of a lane: several short requests, so that these are told apart by their number
  // alone; a batch of a stream takes a few.
  static constexpr std::uint64_t kQuantumUs = 200;
  // The most rounds that a session waits for: 50 ms of debt, however long its item took.
  static constexpr std::uint64_t kRoundsMax = 255;

  FairQueue() = default;
  FairQueue(FairQueue&& other) noexcept { swap(other); }
  FairQueue& operator=(FairQueue&& other) noexcept {
    swap(other);
    return *this;
  }

  void push(std::uint64_t session_id, Item item) {
    turn_of(session_id).items.push_back(std::move(item));
    ++size_;
  }

  // Before all others of the session.
  void push_front(std::uint64_t session_id, Item item) {
    turn_of(session_id).items.push_front(std::move(item));
    ++size_;
  }

  std::optional<Item> pop() {
    return pop([](std::uint64_t) { return true; });
  }

  // The first item of a session that may_go(session_id). The others keep their places, before those that come after it.
  template <class MayGo>
  std::optional<Item> pop(const MayGo& may_go) {
    Turn* turn = find_next(may_go);
    if (turn == nullptr) return std::nullopt;
    start_round(turn->round);
    Item item = std::move(turn->items.front());
    turn->items.pop_front();
    --size_;
    move(*turn, round_ + 1);
    if (size_ == 0) clear();
    return item;
  }

  // What an item of the session has used. If nobody waits, nobody was harmed.
  void charge(std::uint64_t session_id, std::uint64_t used_us) {
    if (size_ == 0 || used_us <= kQuantumUs) return;
    Turn& turn = turn_of(session_id);
    turn.owed_us += used_us - kQuantumUs;
    const std::uint64_t rounds = std::min(turn.owed_us / kQuantumUs, kRoundsMax);
    turn.owed_us %= kQuantumUs;
    if (rounds > 0) move(turn, std::min(turn.round + rounds, round_ + kRoundsMax));
  }

  // What pop() would return; there must be something.
  const Item& next() const {
    return *next([](std::uint64_t) { return true; });
  }
  // What pop(may_go) would return; null for nothing.
  template <class MayGo>
  const Item* next(const MayGo& may_go) const {
    const Turn* turn = find_next(may_go);
    return turn == nullptr ? nullptr : &turn->items.front();
  }

  // Shows the items in the order in which pop() would return them if nothing were charged, until the visitor returns false.
  template <class Visitor>
  void visit(Visitor&& visitor) const {
    std::vector<std::pair<const Turn*, std::size_t>> line;  // and the item that is next
    std::size_t shown = 0;
    for (std::uint64_t round = round_; shown < size_; ++round) {
      const bool is_in_ring = round <= round_ + kRoundsMax;
      std::vector<std::pair<const Turn*, std::size_t>> now;
      for (const Turn* turn = is_in_ring ? ring_[index_of(round)].first : nullptr; turn != nullptr; turn = turn->after) {
        if (!turn->items.empty()) now.emplace_back(turn, 0);
      }
      now.insert(now.end(), line.begin(), line.end());
      line.clear();
      for (const auto& [turn, item] : now) {
        if (!visitor(turn->items[item])) return;
        ++shown;
        if (item + 1 < turn->items.size()) line.emplace_back(turn, item + 1);
      }
    }
  }

  template <class Predicate>
  void erase_if(const Predicate& predicate) {
    size_ = 0;
    for (auto& [session_id, turn] : turns_) {
      std::erase_if(turn->items, predicate);
      size_ += turn->items.size();
    }
    if (size_ == 0) clear();
  }

  // Takes out all items that are so, whosever turn it is; those of one session in their order.
  template <class Predicate>
  std::vector<Item> take_if(const Predicate& predicate) {
    std::vector<Item> taken;
    for (auto& [session_id, turn] : turns_) {
      std::deque<Item>& items = turn->items;
      const auto first = std::stable_partition(items.begin(), items.end(), [&](const Item& item) { return !predicate(item); });
      std::move(first, items.end(), std::back_inserter(taken));
      items.erase(first, items.end());
    }
    size_ -= taken.size();
    if (size_ == 0) clear();
    return taken;
  }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  // Sessions that it knows of, because they have items or are in debt.
  std::size_t session_count() const { return turns_.size(); }

 private:
  // A session. Without items it is one that has had its turn, and is forgotten when the round of its next one comes.
  struct Turn {
    std::uint64_t session_id = 0;
    std::deque<Item> items;
    std::uint64_t round = 0;    // of its next turn
    std::uint64_t owed_us = 0;  // less than a quantum: what is left for the next time it is charged
    Turn* before = nullptr;     // in the same round
    Turn* after = nullptr;
  };
  struct Round {
    Turn* first = nullptr;
    Turn* last = nullptr;
  };
  static constexpr std::uint64_t kRingRounds = kRoundsMax + 1;
  static constexpr std::uint64_t kWordBits = 64;
  // Memory of so many turns is kept.
  static constexpr std::size_t kSparesMax = 64;

  static std::size_t index_of(std::uint64_t round) { return static_cast<std::size_t>(round % kRingRounds); }

  void swap(FairQueue& other) noexcept {
    std::swap(turns_, other.turns_);
    std::swap(spares_, other.spares_);
    std::swap(ring_, other.ring_);
    std::swap(filled_, other.filled_);
    std::swap(round_, other.round_);
    std::swap(size_, other.size_);
  }

  // The session's turn. One that is not known gets its first in the next round.
  Turn& turn_of(std::uint64_t session_id) {
    std::unique_ptr<Turn>& turn = turns_[session_id];
    if (turn != nullptr) return *turn;
    if (spares_.empty()) {
      turn = std::make_unique<Turn>();
    } else {
      turn = std::move(spares_.back());
      spares_.pop_back();
    }
    turn->session_id = session_id;
    turn->owed_us = 0;
    link(*turn, round_ + 1);
    return *turn;
  }

  static void append(Round& in, Turn& turn) {
    turn.before = in.last;
    turn.after = nullptr;
    (in.last != nullptr ? in.last->after : in.first) = &turn;
    in.last = &turn;
  }

  void link(Turn& turn, std::uint64_t round) {
    turn.round = round;
    append(ring_[index_of(round)], turn);
    filled_[index_of(round) / kWordBits] |= std::uint64_t{1} << (index_of(round) % kWordBits);
  }

  void unlink(Turn& turn) {
    const std::size_t index = index_of(turn.round);
    Round& in = ring_[index];
    (turn.before != nullptr ? turn.before->after : in.first) = turn.after;
    (turn.after != nullptr ? turn.after->before : in.last) = turn.before;
    if (in.first == nullptr) filled_[index / kWordBits] &= ~(std::uint64_t{1} << (index % kWordBits));
  }

  void move(Turn& turn, std::uint64_t round) {
    unlink(turn);
    link(turn, round);
  }

  void forget(Turn& turn) {
    unlink(turn);
    const auto found = turns_.find(turn.session_id);
    if (spares_.size() < kSparesMax) spares_.push_back(std::move(found->second));
    turns_.erase(found);
  }

  void clear() {
    for (auto& [session_id, turn] : turns_) {
      if (spares_.size() < kSparesMax) spares_.push_back(std::move(turn));
    }
    turns_.clear();
    ring_ = {};
    filled_ = {};
  }

  // The first round from this one on in which somebody has a turn; somebody must.
  std::uint64_t filled_round_from(std::uint64_t round) const {
    const std::size_t begin = index_of(round);
    std::uint64_t word = filled_[begin / kWordBits] >> (begin % kWordBits);
    if (word != 0) return round + static_cast<std::uint64_t>(std::countr_zero(word));
    std::uint64_t passed = kWordBits - begin % kWordBits;
    for (std::size_t i = begin / kWordBits + 1;; ++i, passed += kWordBits) {
      word = filled_[i % filled_.size()];
      if (word != 0) return round + passed + static_cast<std::uint64_t>(std::countr_zero(word));
    }
  }

  template <class MayGo>
  Turn* find_next(const MayGo& may_go) const {
    std::size_t left = turns_.size();
    for (std::uint64_t round = round_; size_ > 0 && left > 0; ++round) {
      round = filled_round_from(round);
      for (Turn* turn = ring_[index_of(round)].first; turn != nullptr; turn = turn->after, --left) {
        if (!turn->items.empty() && may_go(turn->session_id)) return turn;
      }
    }
    return nullptr;
  }

  // Those who were passed over have their turns in this round, before the others; who has no items is forgotten.
  void start_round(std::uint64_t round) {
    Round passed;
    for (std::uint64_t earliest = filled_round_from(round_); earliest < round; earliest = filled_round_from(earliest)) {
      Turn& turn = *ring_[index_of(earliest)].first;
      if (turn.items.empty()) {
        forget(turn);
      } else {
        unlink(turn);
        append(passed, turn);
      }
    }
    round_ = round;
    if (passed.first == nullptr) return;
    Round& in = ring_[index_of(round)];
    for (Turn* turn = passed.first; turn != nullptr; turn = turn->after) turn->round = round;
    passed.last->after = in.first;
    in.first->before = passed.last;
    in.first = passed.first;
  }

  std::unordered_map<std::uint64_t, std::unique_ptr<Turn>> turns_;
  std::vector<std::unique_ptr<Turn>> spares_;
  // Invariant: every turn is linked in the ring at its round, which is round_ to round_ + kRoundsMax; bit i of filled_ says
  // whether anybody is in ring_[i].
  std::array<Round, kRingRounds> ring_{};
  std::array<std::uint64_t, kRingRounds / kWordBits> filled_{};
  std::uint64_t round_ = 0;
  std::size_t size_ = 0;
};

}  // namespace skua
