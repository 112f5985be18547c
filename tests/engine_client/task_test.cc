// Task, StartedTask, TaskGroup: without any daemon or loop, on a gate that the test opens.
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "skua/started_task.h"
#include "skua/task.h"
#include "skua/task_group.h"
#include "tests/engine_client/co_test.h"

using namespace skua;

namespace {

int living = 0;

// Lives as long as the coroutine that it is in.
struct Living {
  Living() { ++living; }
  ~Living() { --living; }
};

// What tasks wait at until the test opens it; a cancel is noted, and opens it when the test says so.
class Gate {
 public:
  class Wait : public Suspension {
   public:
    explicit Wait(Gate& gate) : gate_(gate) {}
    ~Wait() { std::erase(gate_.waiting_, this); }
    bool await_ready() const { return false; }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> awaiting) {
      coroutine_ = awaiting;
      scope_ = scope_of(awaiting);
      if (scope_ != nullptr && scope_->cancelled() != nullptr) return false;
      enter(scope_);
      gate_.waiting_.push_back(this);
      return true;
    }
    Status await_resume() {
      leave();
      if (scope_ != nullptr && scope_->cancelled() != nullptr) return *scope_->cancelled();
      return {};
    }
    void on_cancel() override { ++gate_.cancels; }

   private:
    friend class Gate;
    Gate& gate_;
    std::coroutine_handle<> coroutine_;
    TaskScope* scope_ = nullptr;
  };

  Wait pass() { return Wait(*this); }
  void open() {
    const std::vector<Wait*> waiting = std::move(waiting_);
    waiting_.clear();
    for (Wait* wait : waiting) wait->coroutine_.resume();
  }
  std::size_t waiting_count() const { return waiting_.size(); }

  int cancels = 0;

 private:
  std::vector<Wait*> waiting_;
};

Task<Result<int>> pass_and_return(Gate& gate, int value) {
  const Living here;
  SKUA_CO_TRY(co_await gate.pass());
  co_return value;
}

Task<Result<int>> fail_behind(Gate& gate, std::string message) {
  const Living here;
  SKUA_CO_TRY(co_await gate.pass());
  co_return make_error(ErrorCode::kSql, message);
}

Task<Result<int>> throw_behind(Gate& gate) {
  const Living here;
  SKUA_CO_TRY(co_await gate.pass());
  throw std::runtime_error("thrown");
}

Task<Result<int>> sum_of(Gate& gate, int depth) {
  const Living here;
  if (depth == 0) co_return co_await pass_and_return(gate, 1);
  SKUA_CO_ASSIGN(const int below, co_await sum_of(gate, depth - 1));
  co_return below + 1;
}

}  // namespace

CoTest(task, begins_when_it_is_awaited) {
  Gate gate;
  {
    Task<Result<int>> never = pass_and_return(gate, 1);
    cr_assert_eq(living, 0);
  }
  int value = 0;
  const StartedTask started = StartedTask::start(pass_and_return(gate, 7), [&](Result<int> done) { value = *done; });
  cr_assert(!started.is_done());
  cr_assert_eq(living, 1);
  gate.open();
  cr_assert(started.is_done());
  cr_assert_eq(value, 7);
  cr_assert_eq(living, 0);
}

CoTest(task, passes_values_and_errors_through_chains) {
  Gate gate;
  int value = 0;
  const StartedTask started = StartedTask::start(sum_of(gate, 500), [&](Result<int> done) { value = *done; });
  cr_assert_eq(living, 502);
  gate.open();
  cr_assert_eq(value, 501);
  cr_assert_eq(living, 0);
}

CoTest(task, that_is_dropped_is_gone_with_all_it_waits_for) {
  Gate gate;
  bool called = false;
  {
    const StartedTask started = StartedTask::start(sum_of(gate, 20), [&](Result<int>) { called = true; });
    cr_assert_eq(gate.waiting_count(), 1);
  }
  cr_assert_eq(living, 0);
  cr_assert_eq(gate.waiting_count(), 0);
  cr_assert(!called);
}

CoTest(task, callback_may_destroy_the_task) {
  Gate gate;
  auto started = std::make_unique<StartedTask>();
  *started = StartedTask::start(pass_and_return(gate, 1), [&](Result<int>) { started.reset(); });
  gate.open();
  cr_assert(started == nullptr);
  cr_assert_eq(living, 0);
}

CoTest(task, detached_goes_on_alone) {
  Gate gate;
  int value = 0;
  StartedTask::start(pass_and_return(gate, 3), [&](Result<int> done) { value = *done; }).detach();
  gate.open();
  cr_assert_eq(value, 3);
  cr_assert_eq(living, 0);
}

CoTest(task, that_is_asked_to_end_hears_it_where_it_waits_and_later) {
  Gate gate;
  std::string message;
  StartedTask started = StartedTask::start(sum_of(gate, 3), [&](Result<int> done) { message = done.error().message; });
  started.cancel(make_error(ErrorCode::kCancelled, "enough"));
  started.cancel(make_error(ErrorCode::kCancelled, "a later reason"));
  cr_assert_eq(gate.cancels, 1);
  cr_assert(!started.is_done(), "a cancel asks, it does not end");
  gate.open();
  cr_assert(message == "enough");
}

CoTest(task_group, gives_each_value) {
  Gate gate;
  std::vector<int> values;
  const auto body = [&]() -> Task<Status> {
    TaskGroup group;
    auto first = group.spawn(pass_and_return(gate, 1));
    auto second = group.spawn(pass_and_return(gate, 2));
    SKUA_CO_TRY(co_await group.join());
    values = {first.value(), second.value()};
    co_return Status();
  };
  const StartedTask started = StartedTask::start(body(), [](Status status) { cr_assert(status.has_value()); });
  gate.open();
  cr_assert(started.is_done());
  cr_assert(values == std::vector<int>({1, 2}));
  cr_assert_eq(living, 0);
}

CoTest(task_group, first_failure_asks_the_others_and_waits_for_them) {
  Gate fast;
  Gate slow;
  Status joined;
  std::size_t error_count = 0;
  const auto body = [&]() -> Task<Status> {
    TaskGroup group;
    group.spawn(pass_and_return(slow, 1));
    group.spawn(fail_behind(fast, "broken"));
    group.spawn(pass_and_return(slow, 2));
    joined = co_await group.join();
    error_count = group.errors().size();
    co_return Status();
  };
  const StartedTask started = StartedTask::start(body(), [](Status) {});
  fast.open();
  cr_assert_eq(slow.cancels, 2);
  cr_assert(!started.is_done(), "join() waits for all");
  slow.open();
  cr_assert(started.is_done());
  cr_assert(joined.error().code == ErrorCode::kSql);
  cr_assert(joined.error().message == "broken");
  cr_assert_eq(error_count, 1, "those that were asked to end have not failed");
  cr_assert_eq(living, 0);
}

CoTest(task_group, tells_of_all_failures) {
  Gate gate;
  Status joined;
  const auto body = [&]() -> Task<Status> {
    TaskGroup group;
    group.spawn(fail_behind(gate, "one"));
    group.spawn([](Gate& its) -> Task<Result<int>> {
      static_cast<void>(co_await its.pass());
      co_return make_error(ErrorCode::kIo, "two");
    }(gate));
    joined = co_await group.join();
    cr_assert_eq(group.errors().size(), 2);
    co_return Status();
  };
  const StartedTask started = StartedTask::start(body(), [](Status) {});
  gate.open();
  cr_assert(joined.error().message == "one (and 1 more: two)", "%s", joined.error().message.c_str());
}

CoTest(task_group, tells_once_of_what_failed_alike) {
  Gate gate;
  Status joined;
  const auto fail = [](Gate& its, std::string message) -> Task<Result<int>> {
    static_cast<void>(co_await its.pass());
    co_return make_error(ErrorCode::kIo, message);
  };
  const auto body = [&]() -> Task<Status> {
    TaskGroup alike;
    for (int i = 0; i < 50; ++i) alike.spawn(fail(gate, "full"));
    joined = co_await alike.join();
    cr_assert_eq(alike.errors().size(), 50);
    co_return Status();
  };
  const StartedTask started = StartedTask::start(body(), [](Status) {});
  gate.open();
  cr_assert(joined.error().message == "full (and 49 more: the same)", "%s", joined.error().message.c_str());
}

CoTest(task_group, fails_and_succeeds_without_waiting) {
  const auto now = [](int value) -> Task<Result<int>> { co_return value; };
  const auto fail = []() -> Task<Result<int>> { co_return make_error(ErrorCode::kSql, "at once"); };
  Status joined;
  const auto body = [&]() -> Task<Status> {
    TaskGroup empty;
    SKUA_CO_TRY(co_await empty.join());
    TaskGroup group;
    auto first = group.spawn(now(1));
    SKUA_CO_TRY(co_await group.join());
    cr_assert_eq(first.value(), 1);
    TaskGroup failing;
    failing.spawn(fail());
    joined = co_await failing.join();
    co_return Status();
  };
  const StartedTask started = StartedTask::start(body(), [](Status status) { cr_assert(status.has_value()); });
  cr_assert(started.is_done());
  cr_assert(joined.error().message == "at once");
}

CoTest(task_group, that_is_dropped_drops_its_tasks) {
  Gate gate;
  {
    const auto body = [&]() -> Task<Status> {
      TaskGroup group;
      group.spawn(sum_of(gate, 3));
      group.spawn(sum_of(gate, 3));
      co_return co_await group.join();
    };
    const StartedTask started = StartedTask::start(body(), [](Status) {});
    cr_assert_eq(gate.waiting_count(), 2);
  }
  cr_assert_eq(gate.waiting_count(), 0);
  cr_assert_eq(living, 0);
}

CoTest(task_group, passes_the_wish_to_end_on) {
  Gate gate;
  Status joined;
  const auto body = [&]() -> Task<Status> {
    TaskGroup group;
    group.spawn(sum_of(gate, 1));
    group.spawn(sum_of(gate, 1));
    joined = co_await group.join();
    co_return joined;
  };
  StartedTask started = StartedTask::start(body(), [](Status) {});
  started.cancel(make_error(ErrorCode::kDeadline, "late"));
  cr_assert_eq(gate.cancels, 2);
  gate.open();
  cr_assert(joined.error().code == ErrorCode::kDeadline);
  cr_assert_eq(living, 0);
}

CoTest(task_group, throws_what_a_task_threw_when_all_have_ended) {
  Gate gate;
  std::string caught;
  const auto body = [&]() -> Task<Status> {
    TaskGroup group;
    group.spawn(throw_behind(gate));
    group.spawn(pass_and_return(gate, 1));
    try {
      static_cast<void>(co_await group.join());
    } catch (const std::runtime_error& error) {
      caught = error.what();
    }
    co_return Status();
  };
  const StartedTask started = StartedTask::start(body(), [](Status) {});
  gate.open();
  cr_assert(caught == "thrown");
  cr_assert_eq(living, 0);
}

CoTest(task_group, starts_tasks_of_a_cancelled_group_to_end_them) {
  Gate gate;
  const auto body = [&]() -> Task<Status> {
    TaskGroup group;
    group.cancel(make_error(ErrorCode::kCancelled, "no more"));
    auto late = group.spawn(pass_and_return(gate, 1));
    const Status joined = co_await group.join();
    cr_assert(joined.error().message == "no more");
    cr_assert(late.result().error().message == "no more");
    co_return Status();
  };
  const StartedTask started = StartedTask::start(body(), [](Status) {});
  cr_assert(started.is_done());
}
