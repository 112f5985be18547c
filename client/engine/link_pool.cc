#include "client/engine/link_pool.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace skua {

namespace {

// A connection that has so many requests or transactions under way is left to them, if another has fewer: what one session of the
// daemon can have at once is bounded. Below that all go one way, where they share their system calls: eight tasks that each have
// ten selects in a transaction do more than twice as many on one connection as on two.
constexpr std::uint32_t kRequestsSpread = 128;
constexpr std::uint32_t kTransactionsSpread = 16;

}  // namespace

Slot::Slot(LinkPool& pool, Link& link, Kind kind, std::uint32_t count)
    : pool_(&pool), link_(&link), kind_(kind), count_(count) {}

Slot::~Slot() {
  if (pool_ != nullptr) pool_->release(*link_, kind_, count_);
}

Slot Slot::split() {
  SKUA_CHECK(count_ > 1);
  --count_;
  return Slot(*pool_, *link_, kind_, 1);
}

class LinkPool::Parting final : Channel::Watcher {
 public:
  Parting(LinkPool& pool, Slot slot) : pool_(pool), slot_(std::move(slot)) {}

  // False: it is over.
  bool begin(OpenTransaction& transaction) { return transaction.roll_back_unheard(*this); }

 private:
  void on_response() override {
    // Last: this goes with it.
    pool_.partings_.remove_if([this](const Parting& parting) { return &parting == this; });
  }

  LinkPool& pool_;
  Slot slot_;
};

LinkPool::LinkPool(Loop& loop, const EngineOptions& options) : loop_(loop), options_(options) {
  for (std::uint32_t i = 0; i < std::max(options.connections, 1u); ++i) {
    links_.push_back(std::make_unique<Link>(loop_, options_, *this));
  }
}

LinkPool::~LinkPool() {
  SKUA_CHECK(requests_.empty() && transactions_.empty());
  // Ends what is being rolled back.
  for (const auto& link : links_) link->close();
}

void LinkPool::part(OpenTransaction& transaction, Slot slot) {
  partings_.emplace_back(*this, std::move(slot));
  const auto parting = std::prev(partings_.end());
  if (!parting->begin(transaction)) partings_.erase(parting);
}

EngineCounters LinkPool::counters() const {
  EngineCounters counters = counters_;
  counters.waiting = requests_.size() + transactions_.size();
  for (const auto& link : links_) {
    counters.under_way += link->requests;
    counters.open_connections += link->is_up();
  }
  return counters;
}

void LinkPool::count_request(bool is_again) {
  ++counters_.requests;
  if (is_again) ++counters_.resent;
}

std::uint32_t LinkPool::most(Slot::Kind kind) const {
  return std::max(kind == Slot::Kind::kRequest ? options_.requests_max : options_.transactions_max, 1u);
}

std::optional<Slot> LinkPool::take(Slot::Kind kind, std::uint32_t count) {
  const bool is_request = kind == Slot::Kind::kRequest;
  const std::uint32_t spread = is_request ? kRequestsSpread : kTransactionsSpread;
  const std::uint32_t load_max = most(kind);
  Link* best = nullptr;
  std::uint32_t best_load = load_max;
  for (const auto& link : links_) {
    const std::uint32_t load = is_request ? link->requests : link->transactions;
    if (!link->is_up()) {
      // Those before it have enough to do: it is needed.
      if (best != nullptr) link->ensure();
      continue;
    }
    if (load + count > load_max || load >= best_load) continue;
    best = link.get();
    best_load = load;
    if (load < spread) break;
  }
  if (best == nullptr) return std::nullopt;
  (is_request ? best->requests : best->transactions) += count;
  best->keep_alive(true);
  return Slot(*this, *best, kind, count);
}

void LinkPool::release(Link& link, Slot::Kind kind, std::uint32_t count) {
  (kind == Slot::Kind::kRequest ? link.requests : link.transactions) -= count;
  if (link.requests == 0 && link.transactions == 0) link.keep_alive(false);
  serve(kind);
}

void LinkPool::serve(Slot::Kind kind) {
  std::deque<Waiter*>& waiting = queue(kind);
  while (!waiting.empty()) {
    std::optional<Slot> slot = take(kind, waiting.front()->wish_.count);
    if (!slot) return;
    waiting.front()->give(std::move(*slot));
  }
}

void LinkPool::connect_for_waiting() {
  if (requests_.empty() && transactions_.empty()) return;
  // One at a time: they all go to the same daemon.
  const auto is = [this](Link::State state) {
    return std::any_of(links_.begin(), links_.end(), [state](const auto& link) { return link->state() == state; });
  };
  if (is(Link::State::kGreeting) || (is(Link::State::kPausing) && !is(Link::State::kUp))) return;
  for (const auto& link : links_) {
    if (link->state() == Link::State::kDown) return link->ensure();
  }
}

void LinkPool::on_link_up() {
  ++counters_.connects;
  was_up_ = true;
  last_failure_.reset();
  serve(Slot::Kind::kTransaction);
  serve(Slot::Kind::kRequest);
  connect_for_waiting();
}

void LinkPool::on_link_failed(const Error& error) {
  last_failure_ = error;
  const bool is_hopeless = error.code == ErrorCode::kVersion || error.code == ErrorCode::kAccess ||
                           error.code == ErrorCode::kUsage || error.code == ErrorCode::kProtocol;
  if (!is_hopeless && (was_up_ || error.code == ErrorCode::kUnavailable)) return;
  const bool has_other = std::any_of(links_.begin(), links_.end(), [](const auto& link) { return link->is_up(); });
  if (has_other) return;
  for (std::deque<Waiter*>* waiting : {&requests_, &transactions_}) {
    while (!waiting->empty()) waiting->front()->fail(error);
  }
}

void LinkPool::on_link_down() { connect_for_waiting(); }

Error LinkPool::wait_error(std::uint32_t deadline_ms) const {
  const bool is_up = std::any_of(links_.begin(), links_.end(), [](const auto& link) { return link->is_up(); });
  const std::string limit = deadline_ms > 0 ? fmt::format("its deadline of {} ms", deadline_ms)
                                            : fmt::format("{} ms (wait_ms_max)", options_.wait_ms_max);
  if (is_up) {
    return make_error(deadline_ms > 0 ? ErrorCode::kDeadline : ErrorCode::kLimit,
                      fmt::format("waited {} for its turn on a connection: more is under way than requests_max or "
                                  "transactions_max allow. Raise them, open more connections, or do less at once",
                                  limit));
  }
  return make_error(deadline_ms > 0 ? ErrorCode::kDeadline : ErrorCode::kConnect,
                    fmt::format("waited {} for a connection: {}", limit,
                                last_failure_ ? last_failure_->message : "skuad did not answer yet"));
}

void LinkPool::Waiter::enqueue() {
  if (wish_.count > pool_.most(wish_.kind)) {
    error_ = make_error(ErrorCode::kLimit, fmt::format("{} transactions at once are more than transactions_max, {}", wish_.count,
                                                       pool_.most(wish_.kind)));
    return wake();
  }
  is_queued_ = true;
  pool_.queue(wish_.kind).push_back(this);
  timer_.emplace(loop(), [this] { fail(pool_.wait_error(wish_.deadline_ms)); });
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(wish_.until - std::chrono::steady_clock::now());
  timer_->start(static_cast<std::uint64_t>(std::max<std::int64_t>(left.count(), 0)), true);
  // May fail at once, and this with it.
  pool_.connect_for_waiting();
}

void LinkPool::Waiter::unqueue() {
  if (!is_queued_) return;
  is_queued_ = false;
  timer_->stop();
  std::erase(pool_.queue(wish_.kind), this);
}

void LinkPool::Waiter::give(Slot slot) {
  unqueue();
  slot_ = std::move(slot);
  wake();
}

void LinkPool::Waiter::fail(Error error) {
  if (!is_queued_) return;
  unqueue();
  error_ = std::move(error);
  wake();
}

}  // namespace skua
