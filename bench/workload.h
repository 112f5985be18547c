// Workload: one thing to do, by Skua and by the peers it is compared with. Contestant: one that does it.
//
// A workload's first contestant is Skua. One thread; a contestant's operations run in forked processes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/result.h"

namespace skua::bench {

// Does one operation and returns how many units it was: 1 for a round trip, the rows of a stream.
using Operation = std::function<Result<std::uint64_t>()>;

class Contestant {
 public:
  virtual ~Contestant() = default;

  virtual std::string_view name() const = 0;
  // Once, before the first round: starts what must run, makes the data.
  virtual Status prepare() = 0;
  // In the process of the client with this number, from 0: connects and returns what it does over and over.
  // What it returns owns all it needs.
  virtual Result<Operation> make_operation(std::size_t client) = 0;
};

struct Workload {
  std::string name;
  std::string description;
  std::string unit;  // plural: "round trips"
  std::vector<std::unique_ptr<Contestant>> contestants;
};

}  // namespace skua::bench
