// TaskGroup: tasks that run at the same time, and of which none outlives the group.
//
//   skua::TaskGroup group;
//   auto orders = group.spawn(engine.scalar("SELECT count(*) FROM orders"));
//   auto items = group.spawn(engine.scalar("SELECT count(*) FROM item"));
//   SKUA_CO_TRY(co_await group.join());
//   use(orders.value(), items.value());
//
// The first task that fails asks the others to end; join() waits for all of them, and its error tells of each failure. A group
// that is destroyed before join() drops what still runs. When the task that is in join() is asked to end, its group's are too.
// Belongs to the thread of its engine's loop.
#pragma once

#include <algorithm>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "skua/started_task.h"
#include "skua/task.h"

namespace skua {

class TaskGroup {
 private:
  class Child;
  template <class T>
  class ChildOf;

 public:
  // One task of a group, for its value. Lives no longer than the group.
  template <class T>
  class Spawned {
   public:
    // Meaningful after join().
    const Result<T>& result() const { return *child_->outcome.value; }
    Result<T>& result() { return *child_->outcome.value; }
    // May be called only if the task did not fail: then join() succeeded, or others failed.
    std::add_lvalue_reference_t<T> value() {
      SKUA_CHECK(child_->outcome.value->has_value());
      if constexpr (!std::is_void_v<T>) return **child_->outcome.value;
    }

   private:
    friend class TaskGroup;
    explicit Spawned(ChildOf<T>* child) : child_(child) {}
    ChildOf<T>* child_;
  };

  TaskGroup() = default;
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;
  ~TaskGroup() = default;

  // Starts the task, which runs until it waits for the first time. Once the group was cancelled, tasks are started and asked
  // to end at once.
  template <class T>
  Spawned<T> spawn(Task<Result<T>> task);

  // Asks all tasks to end.
  void cancel(Error reason = make_error(ErrorCode::kCancelled, "cancelled by the program"));

  // Waits until all tasks have ended. The error is that of the first that failed, and its message tells of the others. If a
  // task ended with an exception, throws the first.
  auto join() { return Join(*this); }

  // In the order in which the tasks failed, without those that ended only because they were asked to.
  const std::vector<Error>& errors() const { return errors_; }
  // Tasks that have not ended.
  std::size_t running_count() const { return running_; }

 private:
  class Child : public RootCoroutine::Owner {
   public:
    explicit Child(TaskGroup& group) : group_(group) {}
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    virtual ~Child() = default;

    TaskScope scope;

   protected:
    TaskGroup& group_;
  };

  template <class T>
  class ChildOf final : public Child {
   public:
    using Child::Child;

    void start(Task<Result<T>> task) {
      root_ = run_root(std::move(task), outcome);
      root_.start(*this, scope);
    }
    std::coroutine_handle<> on_end() noexcept override {
      if (outcome.exception) return group_.on_exception(std::move(outcome.exception));
      return group_.on_end(*outcome.value ? nullptr : &outcome.value->error());
    }

    TaskOutcome<Result<T>> outcome;

   private:
    // Goes first: its coroutine refers to the outcome.
    RootCoroutine root_;
  };

  class [[nodiscard]] Join : public Suspension {
   public:
    explicit Join(TaskGroup& group) : group_(group) {}
    ~Join() { group_.joining_ = nullptr; }

    bool await_ready() const { return group_.running_ == 0; }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> awaiting) {
      TaskScope* scope = scope_of(awaiting);
      if (scope != nullptr && scope->cancelled() != nullptr) group_.cancel(*scope->cancelled());
      group_.joining_ = awaiting;
      enter(scope);
      return true;
    }
    Status await_resume() {
      leave();
      return group_.outcome();
    }
    void on_cancel() override { group_.cancel(*reason()); }

   private:
    TaskGroup& group_;
  };

  std::coroutine_handle<> on_end(const Error* error);
  std::coroutine_handle<> on_exception(std::exception_ptr exception);
  Status outcome() const;
  std::string others() const;

  static constexpr std::size_t kMessagesTold = 4;

  std::optional<Error> cancelled_;
  std::vector<Error> errors_;
  std::exception_ptr exception_;
  std::size_t running_ = 0;
  std::size_t stopped_ = 0;  // that ended with an error because they were asked to
  std::coroutine_handle<> joining_;
  // Goes first: its coroutines refer to the others.
  std::vector<std::unique_ptr<Child>> children_;
};

template <class T>
TaskGroup::Spawned<T> TaskGroup::spawn(Task<Result<T>> task) {
  auto child = std::make_unique<ChildOf<T>>(*this);
  ChildOf<T>* started = child.get();
  children_.push_back(std::move(child));
  ++running_;
  if (cancelled_) started->scope.cancel(*cancelled_);
  started->start(std::move(task));
  return Spawned<T>(started);
}

inline void TaskGroup::cancel(Error reason) {
  if (cancelled_) return;
  cancelled_ = std::move(reason);
  for (const auto& child : children_) child->scope.cancel(*cancelled_);
}

inline std::coroutine_handle<> TaskGroup::on_end(const Error* error) {
  --running_;
  if (error != nullptr) {
    const bool was_asked = cancelled_ && error->code == cancelled_->code && error->message == cancelled_->message;
    if (was_asked) {
      ++stopped_;
    } else {
      errors_.push_back(*error);
    }
    cancel(make_error(ErrorCode::kCancelled, "cancelled, because another task of its group failed"));
  }
  if (running_ > 0 || !joining_) return std::noop_coroutine();
  return std::exchange(joining_, nullptr);
}

inline std::coroutine_handle<> TaskGroup::on_exception(std::exception_ptr exception) {
  if (!exception_) exception_ = std::move(exception);
  const Error error = make_error(ErrorCode::kUsage, "a task ended with an exception");
  return on_end(&error);
}

inline Status TaskGroup::outcome() const {
  if (exception_) std::rethrow_exception(exception_);
  if (errors_.empty()) {
    if (stopped_ > 0) return *cancelled_;
    return {};
  }
  Error first = errors_.front();
  if (errors_.size() > 1) first.message += " (and " + std::to_string(errors_.size() - 1) + " more: " + others() + ")";
  return first;
}

inline std::string TaskGroup::others() const {
  // Tasks that do the same mostly fail with the same.
  std::vector<const std::string*> told = {&errors_.front().message};
  std::string text;
  for (const Error& error : errors_) {
    const auto is_same = [&](const std::string* message) { return *message == error.message; };
    if (std::any_of(told.begin(), told.end(), is_same)) continue;
    if (told.size() > kMessagesTold) return text + "; ...";
    told.push_back(&error.message);
    text += (text.empty() ? "" : "; ") + error.message;
  }
  return text.empty() ? "the same" : text;
}

}  // namespace skua
