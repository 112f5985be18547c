// Loop: the libuv loop of an engine, its own or the caller's: who goes on in this turn, timers, and what is done before the loop
// sleeps. Where answers come in shared memory it looks there in each turn, and does not sleep as long as BusyPoll says that the
// next one is near.
//
// Coroutines are never resumed from within what wakes them, but from a list, once in a turn: so nothing that is in the middle of
// something is entered again. Wait: what a coroutine of the engine is suspended in. Timer: one call at a later time.
// Thread: the loop's.
#pragma once

#include <uv.h>

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "client/engine/uv_handle.h"
#include "client/src/apart_from_daemon.h"
#include "protocol/busy_poll.h"
#include "skua/task.h"

namespace skua {

class Wait;

class Loop {
 public:
  // Is asked once in each turn in which it was announced, after those who were woken have run.
  class Flush {
   public:
    virtual void flush() = 0;

   protected:
    ~Flush() = default;
  };

  // What the loop has to look at by itself.
  class Source {
   public:
    // Takes what has come. True: there was something.
    virtual bool take() = 0;
    // Something is to come.
    virtual bool is_expecting() const = 0;
    // Where that is made, as RingReader::writer_core() has it.
    virtual std::uint32_t daemon_core() const = 0;
    // The loop may sleep now: libuv is to wake it for what comes. False: something has come.
    virtual bool doze() = 0;
    virtual void stay_awake() = 0;

   protected:
    ~Source() = default;
  };

  // Null: a loop of its own. `busy_poll_us`: as ConnectOptions has it.
  Loop(uv_loop_t* borrowed, std::uint32_t busy_poll_us);
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  // All timers, waits and sources must be gone, and `flush` not announced.
  ~Loop();

  uv_loop_t* uv() { return uv_; }
  // Runs until `is_done`, whatever else keeps the loop busy.
  void run_until(const bool& is_done);
  // False: nobody runs it, and nothing that is left for its next turn is done soon.
  bool may_be_running() const { return own_ == nullptr || is_running_; }
  // Makes run_until() look, if it runs.
  void stop() {
    if (is_running_) uv_stop(uv_);
  }

  void announce(Flush& flush);
  void withdraw(Flush& flush);

  void add(Source& source);
  void remove(Source& source);
  // A source has taken something outside of take().
  void on_taken();

 private:
  friend class Wait;

  struct CloseLoop {
    void operator()(uv_loop_t* loop) const;
  };

  // What has come is taken, and who waits for it goes on.
  void turn();
  // The turn before the loop waits for events.
  void turn_and_rest();
  void take_from_sources();
  bool polls_busily();
  bool doze();
  void put(Wait& wait);
  void remove(Wait& wait);

  std::unique_ptr<uv_loop_t, CloseLoop> own_;
  uv_loop_t* uv_;
  UvHandle<uv_prepare_t> prepare_;
  UvHandle<uv_check_t> check_;
  // Active while somebody is woken: then the loop must not sleep.
  UvHandle<uv_idle_t> idle_;
  bool is_idle_active_ = false;
  bool is_running_ = false;
  // Those who are woken, in order.
  Wait* first_ = nullptr;
  Wait* last_ = nullptr;
  std::size_t woken_count_ = 0;
  std::vector<Flush*> to_flush_;
  std::vector<Flush*> flushing_;
  std::vector<Source*> sources_;
  BusyPoll busy_poll_;
  ApartFromDaemon apart_;
  bool is_waiting_ = false;  // for something that is expected
  bool is_dozing_ = false;
};

class Wait : public Suspension {
 protected:
  explicit Wait(Loop& loop) : loop_(loop) {}
  ~Wait() { loop_.remove(*this); }

  // The coroutine is suspended, until wake().
  void suspend(std::coroutine_handle<> coroutine, TaskScope* scope) {
    coroutine_ = coroutine;
    enter(scope);
  }
  // on_turn() is called in this turn of the loop, or in the next. Again: nothing.
  void wake() { loop_.put(*this); }
  // Goes on with the coroutine.
  virtual void on_turn() { resume(); }
  // The last thing to do here: the coroutine may destroy this.
  void resume() { coroutine_.resume(); }

  Loop& loop() { return loop_; }

 private:
  friend class Loop;

  Loop& loop_;
  std::coroutine_handle<> coroutine_;
  bool is_woken_ = false;
  Wait* previous_ = nullptr;
  Wait* next_ = nullptr;
};

class Timer {
 public:
  Timer(Loop& loop, std::function<void()> ring);
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // Once, not before so much time has passed; `keeps_alive`: a loop with nothing else to do waits for it.
  void start(std::uint64_t milliseconds, bool keeps_alive);
  void stop() { uv_timer_stop(timer_.get()); }
  bool is_active() const { return uv_is_active(reinterpret_cast<const uv_handle_t*>(timer_.get())) != 0; }

 private:
  std::function<void()> ring_;
  UvHandle<uv_timer_t> timer_;
};

// The scope of the coroutine that awaits it, without suspending; null if it has none.
class CurrentScope {
 public:
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
    scope_ = scope_of(awaiting);
    return false;
  }
  TaskScope* await_resume() const noexcept { return scope_; }

 private:
  TaskScope* scope_ = nullptr;
};

}  // namespace skua
