// MixedWorker: one client of the mixed load, on a connection of its own. It checks every answer it gets.
//
// The mix is a shuffled deck played over and over, so that the clients' numbers of operations can be compared.
// One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "skua/client.h"
#include "tests/stress/worker_report.h"
#include "tests/support/random.h"

namespace skua::stress {

class MixedWorker {
 public:
  MixedWorker(Connection connection, std::int64_t process, std::uint64_t seed, WorkerReport& report);

  // Stops between two operations, or after the connection was lost.
  void run_until(std::chrono::steady_clock::time_point end);

 private:
  struct TransferPlan {
    std::int64_t source;
    std::int64_t target;
    std::int64_t amount;
  };

  void shuffle();
  Status perform(Operation operation);

  Status point_read();
  Status range_read();
  Status insert();
  Status read_own_insert();
  Status transfer(bool commit);
  Status transfer_program();
  Status read_transaction();
  Status stream();
  Status abandon_stream();

  TransferPlan plan_transfer();
  std::int64_t any_account();

  Connection connection_;
  std::int64_t process_;
  test::Random random_;
  WorkerReport& report_;
  std::vector<Operation> deck_;
};

}  // namespace skua::stress
