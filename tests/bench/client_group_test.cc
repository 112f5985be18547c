// measure_clients: what becomes of the operations of a contestant's clients, one by one and in windows.
#include "bench/client_group.h"

#include <criterion/criterion.h>

#include <chrono>
#include <thread>

#include "tests/support/failure.h"

using namespace skua;
using namespace skua::bench;
using namespace skua::test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kDepth = 16;
constexpr auto kLatency = 3ms;
constexpr auto kAside = 20ms;

// A contestant without a server, whose clients do what a test says.
class Windows final : public Contestant {
 public:
  explicit Windows(Window window) : window_(std::move(window)) {}

  std::string_view name() const override { return "windows"; }
  Status prepare() override { return {}; }
  bool has_windows() const override { return true; }
  Result<Operation> make_operation(std::size_t) override { return make_error(ErrorCode::kUsage, "none"); }
  Result<Window> make_window(std::size_t) override { return window_; }

 private:
  Window window_;
};

Measurement measure(Contestant& contestant, std::size_t clients = 1) {
  const TurnMeasurement measured = must(measure_clients(contestant, {{{0, clients}}, 0ms, 50ms}));
  cr_assert_eq(measured.groups.size(), 1u);
  return measured.groups.front();
}

}  // namespace

Test(client_group, a_window_counts_each_request_that_was_in_flight) {
  Windows contestant([](Tally& tally) -> Result<std::uint64_t> {
    std::this_thread::sleep_for(1ms);
    for (std::size_t i = 0; i < kDepth; ++i) tally.latencies.add(kLatency);
    return std::uint64_t{kDepth};
  });
  const Measurement measured = measure(contestant, 2);
  cr_assert_eq(measured.errors, 0u);
  cr_assert_gt(measured.operations, 0u);
  cr_assert_eq(measured.operations % kDepth, 0u);
  cr_assert_eq(measured.latencies.count(), measured.operations);
  // As the window said, and not as long as it took.
  cr_assert_eq(measured.latencies.max_us(), 3'000.0);
}

Test(client_group, what_a_window_does_aside_is_not_its_time) {
  Windows contestant([](Tally& tally) -> Result<std::uint64_t> {
    std::this_thread::sleep_for(1ms);
    tally.latencies.add(1ms);
    std::this_thread::sleep_for(kAside);
    tally.aside += kAside;
    return std::uint64_t{1};
  });
  const Measurement measured = measure(contestant);
  // With that time it would be 50 at most: 1,000 in 21 seconds.
  cr_assert_gt(measured.units_per_second, 60.0);
  cr_assert_leq(measured.units_per_second, 1'000.0);
}

Test(client_group, a_window_that_fails_keeps_what_had_succeeded) {
  Windows contestant([](Tally& tally) -> Result<std::uint64_t> {
    std::this_thread::sleep_for(1ms);
    tally.latencies.add(1ms);
    return make_error(ErrorCode::kInternal, "the second of them");
  });
  const Measurement measured = measure(contestant);
  cr_assert_gt(measured.errors, 0u);
  cr_assert_eq(measured.operations, measured.errors);
  cr_assert_neq(measured.first_error.find("the second of them"), std::string::npos);
  cr_assert_eq(measured.units_per_second, 0.0);
}

Test(client_group, cpu_of_a_process_of_the_clients_own_counts) {
  Windows contestant([](Tally& tally) -> Result<std::uint64_t> {
    std::this_thread::sleep_for(1ms);
    tally.latencies.add(1ms);
    tally.elsewhere_cpu_seconds += 10;
    return std::uint64_t{1};
  });
  const Measurement measured = measure(contestant);
  cr_assert_geq(measured.client_cpu_seconds, 10.0 * static_cast<double>(measured.operations));
}

Test(client_group, a_program_with_a_clock_of_its_own_says_what_it_measured) {
  class Program final : public Contestant {
   public:
    std::string_view name() const override { return "program"; }
    Status prepare() override { return {}; }
    Result<Operation> make_operation(std::size_t) override { return make_error(ErrorCode::kUsage, "none"); }
    std::optional<Result<TurnMeasurement>> measure(const Turn& turn) override {
      TurnMeasurement measured;
      measured.groups.emplace_back().operations = turn.groups.front().clients;
      return measured;
    }
  } contestant;
  cr_assert_eq(measure(contestant, 7).operations, 7u);
}
