// measure_clients: so many client processes do a contestant's operation over and over for a while, and begin
// together.
//
// Processes and not threads, because that is what a server on one machine serves. The caller has one thread.
#pragma once

#include <chrono>
#include <cstddef>

#include "bench/measurement.h"
#include "bench/workload.h"

namespace skua::bench {

// Each client warms up for a tenth of the time first. The first client's error is the result if there is one.
Result<Measurement> measure_clients(Contestant& contestant, std::size_t clients,
                                    std::chrono::nanoseconds duration);

}  // namespace skua::bench
