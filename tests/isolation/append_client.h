// AppendClient: one client of the list_append program, in a process of its own. Appends to lists and reads
// them, in every kind of transaction there is, and logs what it was told.
//
// A lost connection is opened again: daemons are killed here. A Fault makes it lie now and then, so that the
// checker can be seen to find it. One thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "skua/client.h"
#include "tests/isolation/history_check.h"
#include "tests/isolation/history_log.h"
#include "tests/support/random.h"

namespace skua::test {

enum class Fault : std::uint8_t {
  kNone,
  kDropAppend,     // an append is reported and was never sent
  kAppendTwice,    // an append is sent twice
  kTear,           // half of several appends is sent, the rest is in doubt
  kHideCommit,     // a commit is reported as failed
  kSwapElements,   // a read has two elements in the wrong order
  kStaleRead,      // a read is answered with what an earlier one saw
  kOldSnapshot,    // a write transaction reads from a snapshot that is older than it
  kOutsideRead,    // a write transaction reads from outside of it
  kNoTransaction,  // a transaction's statements are sent without one
};
struct FaultName {
  Fault fault;
  std::string_view name;
  Anomaly anomaly;  // what it must be found as
};
inline constexpr FaultName kFaults[] = {
    {Fault::kDropAppend, "drop-append", Anomaly::kLostAppend},
    {Fault::kAppendTwice, "append-twice", Anomaly::kDuplicateElement},
    {Fault::kTear, "tear", Anomaly::kTornTransaction},
    {Fault::kHideCommit, "hide-commit", Anomaly::kAbortedRead},
    {Fault::kSwapElements, "swap-elements", Anomaly::kNonPrefixRead},
    {Fault::kStaleRead, "stale-read", Anomaly::kRealTimeCycle},
    {Fault::kOldSnapshot, "old-snapshot", Anomaly::kDependencyCycle},
    {Fault::kOutsideRead, "outside-read", Anomaly::kInternal},
    {Fault::kNoTransaction, "no-transaction", Anomaly::kWriteCycle},
};

class AppendClient {
 public:
  static constexpr std::string_view kCreateTable =
      "CREATE TABLE list(key INTEGER PRIMARY KEY, elements TEXT NOT NULL)";

  // What all clients share.
  struct Plan {
    std::string socket_path;
    std::int64_t transactions = 0;
    Fault fault = Fault::kNone;
    std::atomic<std::int64_t>* next_transaction = nullptr;  // in shared memory
  };

  AppendClient(const Plan& plan, const std::string& log_file, std::uint64_t seed);

  // Until all transactions are taken.
  void run();

 private:
  enum class Shape : std::uint8_t { kStatement, kTransaction, kReadTransaction, kProgram, kExecuteMany };

  void connect();
  Shape any_shape();
  ListTransaction plan_transaction(std::int64_t id, Shape shape);
  void perform(ListTransaction& transaction, Shape shape);
  // True one time in so many, if this is the fault that the plan has.
  bool strikes(Fault fault, std::uint32_t times = 4);

  Status statement(ListTransaction& transaction);
  Status interactive(ListTransaction& transaction, TransactionMode mode);
  Status without_transaction(ListTransaction& transaction);
  Status program(ListTransaction& transaction);
  Status execute_many(ListTransaction& transaction);

  template <class Executor>
  Status execute(Executor& executor, ListOperation& operation);
  Status take_elements(const ResultSet& rows, ListOperation& operation);
  RequestOptions any_durability();

  const Plan plan_;
  HistoryLog log_;
  Random random_;
  std::optional<Connection> connection_;
  std::map<std::int64_t, Elements> remembered_;  // by key: what a read saw, for kStaleRead
};

}  // namespace skua::test
