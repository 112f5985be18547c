// Task: what a coroutine of the engine returns. It begins when it is awaited, and gives one value to who awaits it.
//
//   skua::Task<skua::Result<double>> total(skua::Engine& engine, std::int64_t order) {
//     SKUA_CO_ASSIGN(const skua::Value sum, co_await engine.scalar("SELECT ...", skua::Parameters::of(order)));
//     co_return std::get<double>(sum);
//   }
//
// A task owns its coroutine: destroying it before its end ends it where it waits, and with it all that it waits for. Requests
// that were under way are cancelled in the daemon, transactions rolled back. A task may also be asked to end, as a TaskGroup
// does with the siblings of one that failed: what it waits for then fails with kCancelled, and so does what it begins to wait
// for later, so that it can put things in order before it returns.
//
// Tasks and all they use belong to the thread of their engine's loop. Exceptions pass through to who awaits.
//
// TaskScope: what a chain of tasks that await each other has in common: whether it was asked to end. Suspension: what such a
// chain waits in, for those who make things that can be awaited.
#pragma once

#include <concepts>
#include <coroutine>
#include <exception>
#include <optional>
#include <utility>
#include <variant>

#include "protocol/result.h"

namespace skua {

class TaskScope;

class Suspension {
 public:
  Suspension(const Suspension&) = delete;
  Suspension& operator=(const Suspension&) = delete;

  // The chain was asked to end. Makes the wait end soon, but never within the call; that it goes well after all is no mistake.
  virtual void on_cancel() = 0;

 protected:
  Suspension() = default;
  ~Suspension() { leave(); }

  // The chain waits here, until leave(). `scope` may be null: then nobody can ask it to end.
  void enter(TaskScope* scope);
  void leave();
  // In on_cancel(): why.
  const Error* reason() const;

 private:
  TaskScope* scope_ = nullptr;
};

class TaskScope {
 public:
  TaskScope() = default;
  TaskScope(const TaskScope&) = delete;
  TaskScope& operator=(const TaskScope&) = delete;

  // Asks the chain to end, for this reason. Later reasons are not heard.
  void cancel(Error reason) {
    if (reason_) return;
    reason_ = std::move(reason);
    if (waits_in_ != nullptr) waits_in_->on_cancel();
  }
  // The reason; null if it was not asked.
  const Error* cancelled() const { return reason_ ? &*reason_ : nullptr; }

 private:
  friend class Suspension;

  std::optional<Error> reason_;
  Suspension* waits_in_ = nullptr;
};

inline void Suspension::enter(TaskScope* scope) {
  scope_ = scope;
  if (scope_ != nullptr) scope_->waits_in_ = this;
}

inline const Error* Suspension::reason() const { return scope_ == nullptr ? nullptr : scope_->cancelled(); }

inline void Suspension::leave() {
  if (scope_ != nullptr && scope_->waits_in_ == this) scope_->waits_in_ = nullptr;
  scope_ = nullptr;
}

// For the library's own use: what the promises of all tasks have.
class TaskPromiseBase {
 public:
  TaskScope* scope() const { return scope_; }
  void set_scope(TaskScope* scope) { scope_ = scope; }
  void set_continuation(std::coroutine_handle<> continuation) { continuation_ = continuation; }

  std::suspend_always initial_suspend() noexcept { return {}; }
  // Goes on with who awaits.
  struct FinalAwaiter {
    bool await_ready() noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> ended) noexcept {
      return ended.promise().continuation_;
    }
    void await_resume() noexcept {}
  };
  FinalAwaiter final_suspend() noexcept { return {}; }

 private:
  std::coroutine_handle<> continuation_ = std::noop_coroutine();
  TaskScope* scope_ = nullptr;
};

// For those who make things that can be awaited: the scope of a coroutine that awaits something; null if it is not one of ours.
template <class Promise>
TaskScope* scope_of(const std::coroutine_handle<Promise>& awaiting) {
  if constexpr (std::derived_from<Promise, TaskPromiseBase>) {
    return awaiting.promise().scope();
  } else {
    return nullptr;
  }
}

// For the library's own use.
template <class T>
class TaskPromise;

template <class T = void>
class [[nodiscard]] Task {
 public:
  // What the compiler and templates ask for.
  using promise_type = TaskPromise<T>;
  using value_type = T;

  Task() = default;
  explicit Task(std::coroutine_handle<promise_type> coroutine) : coroutine_(coroutine) {}
  Task(Task&& other) noexcept : coroutine_(std::exchange(other.coroutine_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    Task(std::move(other)).swap(*this);
    return *this;
  }
  ~Task() {
    if (coroutine_) coroutine_.destroy();
  }

  // False after a move. Each task is awaited once.
  explicit operator bool() const { return static_cast<bool>(coroutine_); }

  // For the library's own use: what awaits it.
  class Awaiter {
   public:
    explicit Awaiter(std::coroutine_handle<promise_type> coroutine) : coroutine_(coroutine) {}

    bool await_ready() const noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
      coroutine_.promise().set_continuation(awaiting);
      coroutine_.promise().set_scope(scope_of(awaiting));
      return coroutine_;
    }
    T await_resume() { return coroutine_.promise().take(); }

   private:
    std::coroutine_handle<promise_type> coroutine_;
  };
  // The task stays the owner until its value was taken.
  Awaiter operator co_await() const& noexcept { return Awaiter(coroutine_); }
  Awaiter operator co_await() const&& noexcept { return Awaiter(coroutine_); }

 private:
  void swap(Task& other) noexcept { std::swap(coroutine_, other.coroutine_); }

  std::coroutine_handle<promise_type> coroutine_;
};

// For the library's own use.
template <class T>
class TaskPromise final : public TaskPromiseBase {
 public:
  Task<T> get_return_object() { return Task<T>(std::coroutine_handle<TaskPromise>::from_promise(*this)); }
  void return_value(T value) { outcome_.template emplace<1>(std::move(value)); }
  void unhandled_exception() { outcome_.template emplace<2>(std::current_exception()); }
  T take() {
    if (outcome_.index() == 2) std::rethrow_exception(std::get<2>(outcome_));
    return std::move(std::get<1>(outcome_));
  }

 private:
  std::variant<std::monostate, T, std::exception_ptr> outcome_;
};

// For the library's own use.
template <>
class TaskPromise<void> final : public TaskPromiseBase {
 public:
  Task<void> get_return_object() { return Task<void>(std::coroutine_handle<TaskPromise>::from_promise(*this)); }
  void return_void() {}
  void unhandled_exception() { exception_ = std::current_exception(); }
  void take() {
    if (exception_) std::rethrow_exception(exception_);
  }

 private:
  std::exception_ptr exception_;
};

}  // namespace skua

// SKUA_TRY for coroutines: ends the coroutine with the error of what was awaited, or goes on. Commas need no parentheses.
#define SKUA_CO_TRY(...) SKUA_CO_TRY_INNER(SKUA_CONCAT(skua_status_, __LINE__), (__VA_ARGS__))
#define SKUA_CO_TRY_INNER(name, expression) \
  if (auto name = expression; !name) co_return std::move(name).error()

// SKUA_ASSIGN for coroutines: ends the coroutine with the error, or declares the value and goes on. Only the first comma
// counts.
#define SKUA_CO_ASSIGN(declaration, ...) \
  SKUA_CO_ASSIGN_INNER(SKUA_CONCAT(skua_result_, __LINE__), declaration, (__VA_ARGS__))
#define SKUA_CO_ASSIGN_INNER(name, declaration, expression) \
  auto name = expression;                                   \
  if (!name) co_return std::move(name).error();             \
  declaration = std::move(name).value()
