// measure_clients: so many clients do a contestant's operation over and over for a while, and begin together. There may be
// several groups of them, one for each role that is at work; each is measured for itself.
//
// Processes and not threads, unless the contestant says otherwise, because that is what a server on one machine
// serves. The caller has one thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

#include "bench/measurement.h"
#include "bench/workload.h"

namespace skua::bench {

struct ClientGroup {
  std::size_t role = 0;
  std::size_t clients = 1;
};

struct Turn {
  std::vector<ClientGroup> groups = {{}};
  std::chrono::nanoseconds warm_up{};
  std::chrono::nanoseconds duration{};
};

// An error of an operation or of a client is counted in the measurement. The result is an error only if the
// clients cannot be started.
Result<TurnMeasurement> measure_clients(Contestant& contestant, const Turn& turn);

}  // namespace skua::bench
