// StartedTask: a task that was started by code that is not a coroutine, and what is to happen at its end.
//
// Owns the task: destroying it before the end ends the task where it waits, and the callback is not called. Belongs to the
// thread of the engine's loop.
#pragma once

#include <coroutine>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "skua/task.h"

namespace skua {

// For the library's own use. The outermost coroutine: awaits one task, in a scope of its own, and tells its owner when it has
// ended.
class RootCoroutine {
 public:
  class Owner {
   public:
    // The coroutine is over and may be destroyed. Returns what goes on now.
    virtual std::coroutine_handle<> on_end() noexcept = 0;

   protected:
    ~Owner() = default;
  };

  class promise_type : public TaskPromiseBase {
   public:
    RootCoroutine get_return_object() {
      return RootCoroutine(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    struct EndAwaiter {
      bool await_ready() noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> ended) noexcept {
        // The owner may destroy the coroutine, and this with it.
        return ended.promise().owner_->on_end();
      }
      void await_resume() noexcept {}
    };
    EndAwaiter final_suspend() noexcept { return {}; }
    void return_void() {}
    // Its function catches what its task throws.
    void unhandled_exception() { std::terminate(); }

   private:
    friend class RootCoroutine;
    Owner* owner_ = nullptr;
  };

  RootCoroutine() = default;
  RootCoroutine(RootCoroutine&& other) noexcept : coroutine_(std::exchange(other.coroutine_, nullptr)) {}
  RootCoroutine& operator=(RootCoroutine&& other) noexcept {
    std::swap(coroutine_, other.coroutine_);
    return *this;
  }
  ~RootCoroutine() {
    if (coroutine_) coroutine_.destroy();
  }

  // Runs it until it waits for the first time. Both must outlive it.
  void start(Owner& owner, TaskScope& scope) {
    coroutine_.promise().owner_ = &owner;
    coroutine_.promise().set_scope(&scope);
    coroutine_.resume();
  }

 private:
  explicit RootCoroutine(std::coroutine_handle<promise_type> coroutine) : coroutine_(coroutine) {}

  std::coroutine_handle<promise_type> coroutine_;
};

// For the library's own use. What came of a task: its value or its exception.
template <class T>
struct TaskOutcome {
  std::optional<T> value;
  std::exception_ptr exception;
};

// For the library's own use. `outcome` outlives the coroutine.
template <class T>
RootCoroutine run_root(Task<T> task, TaskOutcome<T>& outcome) {
  try {
    outcome.value.emplace(co_await task);
  } catch (...) {
    outcome.exception = std::current_exception();
  }
}

class [[nodiscard]] StartedTask {
 public:
  StartedTask() = default;

  // Starts the task, which runs until it waits for the first time. `done` is called with its value, after the coroutine was
  // destroyed, and may destroy the StartedTask; it is called within start() if the task never waits. A task that ends with an
  // exception ends the program.
  template <class T, class Done>
  static StartedTask start(Task<T> task, Done done) {
    StartedTask started;
    started.state_ = State<T, Done>::start(std::move(task), std::move(done));
    return started;
  }

  // True also of one that was moved from or detached.
  bool is_done() const { return state_ == nullptr || state_->is_done; }
  // Asks the task to end; `done` is called when it has.
  void cancel(Error reason = make_error(ErrorCode::kCancelled, "cancelled by the program")) {
    if (!is_done()) state_->scope.cancel(std::move(reason));
  }
  // The task goes on without an owner, until its end or its engine's.
  void detach() {
    if (!is_done()) state_->itself = state_;
    state_.reset();
  }

 private:
  struct StateBase {
    StateBase() = default;
    StateBase(const StateBase&) = delete;
    StateBase& operator=(const StateBase&) = delete;
    virtual ~StateBase() = default;

    TaskScope scope;
    bool is_done = false;
    std::shared_ptr<StateBase> itself;  // if it is detached
  };

  template <class T, class Done>
  struct State final : StateBase, RootCoroutine::Owner {
    explicit State(Done on_done) : done(std::move(on_done)) {}

    static std::shared_ptr<StateBase> start(Task<T> task, Done done) {
      auto state = std::make_shared<State>(std::move(done));
      // Until the end of this call the callback must not be able to destroy what runs.
      const std::shared_ptr<State> held = state;
      state->root = run_root(std::move(task), state->outcome);
      state->root.start(*state, state->scope);
      return state;
    }

    std::coroutine_handle<> on_end() noexcept override {
      is_done = true;
      const std::shared_ptr<StateBase> held = std::move(itself);
      TaskOutcome<T> ended = std::move(outcome);
      Done callback = std::move(done);
      root = RootCoroutine();
      if (ended.exception) std::rethrow_exception(ended.exception);
      callback(std::move(*ended.value));
      return std::noop_coroutine();
    }

    Done done;
    TaskOutcome<T> outcome;
    // Goes first: its coroutine refers to the others.
    RootCoroutine root;
  };

  std::shared_ptr<StateBase> state_;
};

}  // namespace skua
