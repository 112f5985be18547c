// CancelClient: one session of stress_cancel, with work of every kind under way at once, random parts of which it cancels or
// gives a deadline; and what that must not change.
//
// Everything a request says when it ends is checked against what was asked for and what happened to it; what a write should
// have left in the table `entry` goes into the Ledger. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/stress/pipeline.h"
#include "tests/support/random.h"

namespace skua::stress {

enum class Work : std::uint8_t {
  kPoint,
  kRange,
  kScan,
  kEndless,
  kStream,
  kWrite,
  kMany,
  kSlices,
  kProgram,
  kInWrite,
  kInRead,
  kEnd,
};
inline constexpr std::size_t kWorks = 12;
inline constexpr std::array<std::string_view, kWorks> kWorkNames = {
    "point select",       "range on a lane",         "join, aggregated",       "endless recursion",
    "stream",             "write",                   "executeMany",            "executeMany in slices",
    "program of 2 writes", "in a write transaction", "in a read transaction", "commit or rollback"};

// What came of all requests of a kind.
struct Outcomes {
  std::uint64_t requests = 0;
  std::uint64_t done = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t deadlines = 0;
  std::uint64_t aborted = 0;  // with their transaction, for what happened to another request in it
  // Of those that were cancelled or had a deadline, done all the same.
  std::uint64_t too_late = 0;
};

// Shared by all clients of a run.
struct Ledger {
  std::array<Outcomes, kWorks> outcomes;
  std::uint64_t cancels = 0;
  std::uint64_t deadlines = 0;
  // From the cancel to the end of what ended by it; from the deadline, likewise. In microseconds.
  std::vector<std::uint32_t> cancel_us;
  std::vector<std::uint32_t> late_us;
  // How many rows each write should have left.
  std::map<std::int64_t, std::int64_t> rows;

  std::uint64_t disturbances() const { return cancels + deadlines; }
};

class CancelClient {
 public:
  static constexpr std::int64_t kItems = 3'000;
  static constexpr std::int64_t kAccounts = 100;
  static constexpr std::int64_t kTotal = kAccounts * 1'000;

  // `schedule` calls an action at a time to come.
  using Schedule = std::function<void(Clock::duration, std::function<void()>)>;

  CancelClient(const std::string& socket_path, Ledger& ledger, std::uint64_t seed, Schedule schedule);

  // The tables and their rows.
  static void create_tables(Pipeline& pipeline);

  Pipeline& pipeline() { return pipeline_; }
  // Starts one more piece of work.
  void act();
  // It has something under way, or to do when that has ended.
  bool is_busy() const { return pipeline_.under_way() > 0; }

 private:
  struct Fate {
    std::uint32_t deadline_ms = 0;
    bool cancelled = false;
  };
  struct Together;  // the requests of a transaction

  using Check = std::function<void(const Ending&)>;

  std::int64_t between(std::int64_t low, std::int64_t high) { return random_.between(low, high); }
  Fate draw_fate(bool is_certain);
  // Starts a request, and perhaps cancels it. `check` sees how it ended; if not done, it has been found right.
  std::uint64_t start(Work work, Fate fate, std::uint32_t transaction, const Pipeline::Fill& fill, Check check,
                      Granting granting = Granting::kAtOnce);
  std::uint64_t execute(Work work, std::string_view sql, std::initializer_list<std::int64_t> parameters, Check check);
  void cancel_soon(std::uint64_t id);
  void count(Work work, const Fate& fate, const Ending& ending, bool in_transaction);

  void points();
  void range();
  void scan();
  void endless();
  void stream(std::uint32_t transaction, Work work, Check check);
  void grant_slowly(std::uint64_t id);
  void write();
  void many(bool in_slices);
  void program();
  void write_transaction();
  void read_transaction();
  // A request in a transaction, disturbed less often.
  void add(const std::shared_ptr<Together>& together, const Pipeline::Fill& fill, Check check);
  void begin(const std::shared_ptr<Together>& together, bool read_only);
  void settle(const std::shared_ptr<Together>& together);
  void roll_back(std::uint32_t transaction);

  Pipeline pipeline_;
  Ledger& ledger_;
  test::Random random_;
  Schedule schedule_;
  std::int64_t last_operation_;
  std::uint32_t last_transaction_ = 0;
};

}  // namespace skua::stress
