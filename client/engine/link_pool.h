// LinkPool: which connection a request takes, and who waits for one. Slot: a place on a connection, for one request, or for some
// transactions.
//
// Who waits has its turn in order, requests and transactions apart, and waits no longer than it said. Until a connection was there
// for the first time, an attempt that fails fails all who wait: most likely nobody listens at all. Thread: the loop's.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "client/engine/link.h"
#include "client/engine/loop.h"
#include "client/src/open_transaction.h"
#include "skua/engine.h"

namespace skua {

class LinkPool;

class Slot {
 public:
  enum class Kind { kRequest, kTransaction };

  Slot() = default;
  Slot(LinkPool& pool, Link& link, Kind kind, std::uint32_t count);
  Slot(Slot&& other) noexcept
      : pool_(std::exchange(other.pool_, nullptr)), link_(other.link_), kind_(other.kind_), count_(other.count_) {}
  Slot& operator=(Slot&& other) noexcept {
    std::swap(pool_, other.pool_);
    std::swap(link_, other.link_);
    std::swap(kind_, other.kind_);
    std::swap(count_, other.count_);
    return *this;
  }
  ~Slot();

  explicit operator bool() const { return pool_ != nullptr; }
  Link& link() { return *link_; }
  // One of several places.
  Slot split();

 private:
  LinkPool* pool_ = nullptr;
  Link* link_ = nullptr;
  Kind kind_ = Kind::kRequest;
  std::uint32_t count_ = 0;
};

class LinkPool final : public Link::Owner {
 public:
  class Waiter;

  LinkPool(Loop& loop, const EngineOptions& options);
  ~LinkPool();

  struct Wish {
    Slot::Kind kind = Slot::Kind::kRequest;
    std::uint32_t count = 1;  // on one connection
    std::chrono::steady_clock::time_point until{};  // when the waiting ends
    std::uint32_t deadline_ms = 0;  // of the request, 0 if it has none: to say what ended the waiting
  };
  // To be awaited: gives a Result<Slot> on a connection that is up.
  auto slot(const Wish& wish);

  // Rolls the transaction back without anybody waiting for it. Its place is free once the daemon has done so: before that the
  // daemon counts it.
  void part(OpenTransaction& transaction, Slot slot);

  EngineCounters counters() const;
  void count_request(bool is_again);

 private:
  friend class Slot;
  // A transaction that is being rolled back.
  class Parting;

  void on_link_up() override;
  void on_link_failed(const Error& error) override;
  void on_link_lost() override { ++counters_.lost; }
  void on_link_down() override;

  std::uint32_t most(Slot::Kind kind) const;
  // Nothing if there is no connection with so many places.
  std::optional<Slot> take(Slot::Kind kind, std::uint32_t count);
  void release(Link& link, Slot::Kind kind, std::uint32_t count);
  std::deque<Waiter*>& queue(Slot::Kind kind) { return kind == Slot::Kind::kRequest ? requests_ : transactions_; }
  // Gives out what there is to those who wait.
  void serve(Slot::Kind kind);
  // Opens connections for those who wait.
  void connect_for_waiting();
  Error wait_error(std::uint32_t deadline_ms) const;

  Loop& loop_;
  const EngineOptions& options_;
  std::vector<std::unique_ptr<Link>> links_;
  std::deque<Waiter*> requests_;
  std::deque<Waiter*> transactions_;
  std::list<Parting> partings_;
  bool was_up_ = false;
  std::optional<Error> last_failure_;  // since a connection was there
  EngineCounters counters_;
};

class [[nodiscard]] LinkPool::Waiter final : Wait {
 public:
  Waiter(LinkPool& pool, const Wish& wish) : Wait(pool.loop_), pool_(pool), wish_(wish) {}
  ~Waiter() { unqueue(); }

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> awaiting) {
    TaskScope* scope = scope_of(awaiting);
    if (scope != nullptr && scope->cancelled() != nullptr) {
      error_ = *scope->cancelled();
      return false;
    }
    // Nobody overtakes those who wait.
    if (pool_.queue(wish_.kind).empty()) {
      if (std::optional<Slot> slot = pool_.take(wish_.kind, wish_.count)) {
        slot_ = std::move(*slot);
        return false;
      }
    }
    suspend(awaiting, scope);
    enqueue();
    return true;
  }
  Result<Slot> await_resume() {
    leave();
    if (error_) return std::move(*error_);
    return std::move(slot_);
  }

 private:
  friend class LinkPool;

  void on_cancel() override { fail(*reason()); }
  void enqueue();
  void unqueue();
  void give(Slot slot);
  void fail(Error error);

  LinkPool& pool_;
  Wish wish_;
  bool is_queued_ = false;
  std::optional<Timer> timer_;
  Slot slot_;
  std::optional<Error> error_;
};

inline auto LinkPool::slot(const Wish& wish) { return Waiter(*this, wish); }

}  // namespace skua
