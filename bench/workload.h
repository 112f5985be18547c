// Workload: one thing to do, by Skua and by the peers it is compared with. Contestant: one that does it.
//
// A workload's first contestant is Skua. One thread; a contestant's operations run in forked processes.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/result.h"

namespace skua::bench {

// Does one operation and returns how many units it was: 1 for a round trip, the rows of a stream. After an
// error it can be called again.
using Operation = std::function<Result<std::uint64_t>()>;

class Contestant {
 public:
  virtual ~Contestant() = default;

  // As the report has it, and as --peers takes it.
  virtual std::string_view name() const = 0;
  // Whether it takes part when there are so many clients.
  virtual bool accepts(std::size_t clients) const { return clients > 0; }
  // 0: every client is a process. Otherwise the clients are so many threads of one process, however many
  // clients the others have.
  virtual std::size_t thread_count() const { return 0; }
  // Once, before the first round: starts what must run, makes the data. A peer that fails here is missing.
  virtual Status prepare() = 0;
  // The process, with its children, that does the work for the clients; 0 if they do it themselves. Known after
  // prepare().
  virtual pid_t server_pid() const { return 0; }
  // In the process and thread of the client with this number, from 0: connects and returns what it does over
  // and over. What it returns owns all it needs.
  virtual Result<Operation> make_operation(std::size_t client) = 0;
  // Once, after the last round: whether the data is what the operations must have left.
  virtual Status verify() { return {}; }
};

struct Workload {
  std::string name;
  std::string description;
  std::string unit;  // plural: "round trips"
  std::vector<std::unique_ptr<Contestant>> contestants;
};

}  // namespace skua::bench
