// measure_clients: so many clients do a contestant's operation over and over for a while, and begin together.
//
// Processes and not threads, unless the contestant says otherwise, because that is what a server on one machine
// serves. The caller has one thread.
#pragma once

#include <chrono>
#include <cstddef>

#include "bench/measurement.h"
#include "bench/workload.h"

namespace skua::bench {

struct Turn {
  std::size_t clients = 1;
  std::chrono::nanoseconds warm_up{};
  std::chrono::nanoseconds duration{};
};

// An error of an operation or of a client is counted in the measurement. The result is an error only if the
// clients cannot be started.
Result<Measurement> measure_clients(Contestant& contestant, const Turn& turn);

}  // namespace skua::bench
