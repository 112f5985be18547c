// Link: one of an engine's connections, opened when it is needed and again when it was lost.
//
//   kDown --ensure()--> kGreeting --hello answered--> kUp
//     ^                    |                           |
//     |                    | refused, too late         | lost
//     +--pause is over--- kPausing <-------------------+
//
// The pause grows with each attempt that fails. Thread: the loop's.
#pragma once

#include <uv.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>

#include "client/engine/loop.h"
#include "client/engine/uv_handle.h"
#include "client/src/channel.h"
#include "skua/engine.h"

namespace skua {

class Link final : Channel::Driver, Loop::Flush, Loop::Source {
 public:
  enum class State { kDown, kGreeting, kUp, kPausing };

  class Owner {
   public:
    virtual void on_link_up() = 0;
    // An attempt to connect has failed.
    virtual void on_link_failed(const Error& error) = 0;
    virtual void on_link_lost() = 0;
    // The pause is over.
    virtual void on_link_down() = 0;

   protected:
    ~Owner() = default;
  };

  Link(Loop& loop, const EngineOptions& options, Owner& owner);
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  ~Link();

  State state() const { return state_; }
  bool is_up() const { return state_ == State::kUp; }
  // Begins to connect, if it is down.
  void ensure();
  // Of kUp.
  const std::shared_ptr<Channel>& channel() const { return channel_; }

  // For good.
  void close();

  // What uses it, as the pool counts: while something does, the loop has something to do.
  std::uint32_t requests = 0;
  std::uint32_t transactions = 0;
  void keep_alive(bool is_used);

 private:
  using Clock = std::chrono::steady_clock;

  void on_unsent() override;
  void on_lost() override;
  void flush() override;
  bool take() override;
  bool is_expecting() const override { return channel_->ring_is_read() && channel_->has_under_way(); }
  std::uint32_t daemon_core() const override { return channel_->daemon_core(); }
  bool doze() override { return channel_->doze(); }
  void stay_awake() override { channel_->stay_awake(); }

  void watch_socket();
  void on_socket(int status, int events);
  void poll_for(int events);
  void greet();
  void on_received(Channel& channel);
  // An attempt has failed.
  void fail(const Error& error);
  void pause();
  // Deadlines, and signs of life.
  void look_after();

  Loop& loop_;
  const EngineOptions& options_;
  Owner& owner_;
  State state_ = State::kDown;
  std::shared_ptr<Channel> channel_;
  UvHandle<uv_poll_t> poll_;
  int events_ = 0;
  bool is_used_ = false;
  Timer pause_timer_;
  Timer look_timer_;
  std::uint32_t pause_ms_ = 0;
  std::minstd_rand random_;
  Clock::time_point greeting_since_;
  Clock::time_point heard_;
  std::optional<std::uint64_t> ping_;  // the request that asks for a sign of life
};

}  // namespace skua
