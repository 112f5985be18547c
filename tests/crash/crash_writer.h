// CrashWriter: one client that writes until its connection is lost, and notes what became of each operation.
//
// Single inserts, transactions, programs and executeMany; some with relaxed durability, some that must be
// refused. An operation without an answer is in doubt only if libskua says so. One thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "skua/client.h"
#include "tests/crash/ledger.h"
#include "tests/support/random.h"

namespace skua::test {

class CrashWriter {
 public:
  // The first operation's id; the others follow. The clock ticks for all writers.
  CrashWriter(Connection connection, std::int64_t first_id, std::uint64_t seed,
              std::atomic<std::uint64_t>& clock);

  void run_until_lost();

  const std::vector<Operation>& operations() const { return operations_; }
  // Answers that the daemon should not have given.
  const std::vector<std::string>& surprises() const { return surprises_; }

 private:
  // What an operation does; its name, for surprises.
  struct Act {
    const char* name;
    Status (CrashWriter::*perform)(Operation& operation);
    bool is_refused;  // it must fail, or roll itself back
    int weight;
  };
  static const std::vector<Act>& acts();

  const Act& choose();
  void perform(const Act& act);

  Status insert(Operation& operation);
  Status insert_many(Operation& operation);
  Status transaction(Operation& operation);
  Status program(Operation& operation);
  Status transfer(Operation& operation);
  Status transfer_program(Operation& operation);
  Status broken_many(Operation& operation);
  Status broken_program(Operation& operation);
  Status rolled_back(Operation& operation);
  Status refused_commit(Operation& operation);

  Result<Transaction> begin(const Operation& operation);
  template <class Executor>
  Status insert_part(Executor& executor, const Operation& operation, std::int64_t part);
  Program inserts(const Operation& operation);
  Parameters entry(const Operation& operation, std::int64_t part);
  RequestOptions options(const Operation& operation) const;
  std::string payload();

  Connection connection_;
  std::int64_t next_id_;
  Random random_;
  std::atomic<std::uint64_t>& clock_;
  std::vector<Operation> operations_;
  std::vector<std::string> surprises_;
};

}  // namespace skua::test
