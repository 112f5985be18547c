// A database whose log is emptied soon, for tests of drains.
#pragma once

#include <criterion/criterion.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tests/core/core_world.h"

namespace skua::test {

constexpr std::uint64_t kWalBudget = 10 * kMiB;
constexpr std::uint64_t kWalGraceMs = 1'000;

// Without files for streams: see stream_spools_test.cc.
inline Limits small_budget() {
  Limits limits;
  limits.wal_bytes_max = kWalBudget;
  limits.wal_drain_ms_max = kWalGraceMs;
  limits.group_requests_max = 2;
  limits.spool_total_bytes_max = 0;
  return limits;
}

inline bool is_checkpoint(const Job& job) { return job.kind == JobKind::kCheckpoint; }

// A world in which every write leaves the log at log_bytes.
struct WalScene {
  explicit WalScene(std::vector<std::string> databases = {"main"}) : world(small_budget(), std::move(databases)) {}
  explicit WalScene(const Limits& limits) : world(limits) {}

  std::uint64_t read(CoreClient& client) { return world.execute(client, "SELECT * FROM big", 0, 0, 1); }
  // A stream that waits for credit.
  std::uint64_t park_stream(CoreClient& client) {
    const std::uint64_t id = read(client);
    world.stream(5'000, world.job_count() - 1);
    return id;
  }
  // A write after which the log has `bytes`.
  std::uint64_t write(CoreClient& client, std::uint64_t bytes) {
    const std::uint64_t id = world.execute(client, "DELETE FROM t");
    world.log_bytes[0] = bytes;
    world.succeed(world.job_count() - 1);
    return id;
  }
  // A drain: the checkpoint that was asked for did not get past the readers.
  void start_drain(CoreClient& client, std::uint64_t bytes = kWalBudget / 2 + 1) {
    write(client, bytes);
    cr_assert(is_checkpoint(last_job()));
    world.checkpoint(false, world.job_count() - 1);
  }
  // The last reader is through: the log is emptied, and everything goes on.
  void end_drain() {
    world.succeed();
    world.checkpoint(true);
    world.settle();
  }
  Job& last_job() { return *world.executor.jobs.back(); }

  CoreWorld world;
};

inline const Answer& answer_of(const CoreClient& client, std::uint64_t id) {
  const Answer* answer = client.answer_to(id);
  cr_assert(answer != nullptr, "request %lu has no answer", static_cast<unsigned long>(id));
  return *answer;
}

inline void expect_wal_error(const CoreClient& client, std::uint64_t id, TransactionState state) {
  const Answer& answer = answer_of(client, id);
  cr_assert(answer.error.has_value());
  cr_expect(answer.error->code == ErrorCode::kLimit);
  cr_expect(answer.error->message.find("wal_bytes_max") != std::string::npos, "%s", answer.error->message.c_str());
  cr_expect(answer.error->message.find("restart the read") != std::string::npos);
  cr_expect(answer.error->transaction == state);
}

inline void expect_success(const CoreClient& client, std::uint64_t id) {
  cr_expect(not answer_of(client, id).error.has_value());
}

}  // namespace skua::test
