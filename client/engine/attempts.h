// Attempts: how often a request is sent, and for how long: the deadline over all of it, and what may be sent again.
// Thread: any, one at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "client/engine/link_pool.h"
#include "skua/engine.h"
#include "skua/options.h"

namespace skua {

class Attempts {
 public:
  Attempts(const EngineOptions& engine, RequestOptions options);

  LinkPool::Wish wish(Slot::Kind kind = Slot::Kind::kRequest, std::uint32_t count = 1) const;
  // For the next attempt: its deadline is what is left of the whole one. `is_again`, from the second on.
  const RequestOptions& next();
  bool is_again() const { return count_ > 1; }

  // After an attempt outside of transactions has failed with this: how long to pause before the next, in milliseconds; nothing if
  // there is none. A request that was lost is sent again only if it was not sent whole, changes nothing or has an idempotency
  // key: the error says so.
  std::optional<std::uint32_t> pause_after(const Error& error);
  // What the caller is told when there is no further attempt. Once an attempt was in doubt, an error that says nothing of whether
  // the request was done leaves it so.
  Error final_error(Error error) const;

 private:
  using Clock = std::chrono::steady_clock;

  RequestOptions options_;
  std::uint32_t deadline_ms_;
  Clock::time_point until_;
  std::uint32_t count_ = 0;
  bool in_doubt_ = false;
  std::uint32_t pause_ms_;
  std::uint32_t pause_ms_max_;
};

}  // namespace skua
