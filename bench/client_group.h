// measure_clients: so many clients do a contestant's operation over and over for a while, and begin together. There may be
// several groups of them, one for each role that is at work; each is measured for itself.
//
// Processes and not threads, unless the contestant says otherwise, because that is what a server on one machine
// serves. The caller has one thread.
#pragma once

#include "bench/measurement.h"
#include "bench/workload.h"

namespace skua::bench {

// An error of an operation or of a client is counted in the measurement. The result is an error only if the
// clients cannot be started.
Result<TurnMeasurement> measure_clients(Contestant& contestant, const Turn& turn);

}  // namespace skua::bench
