// SliceRunner: one slice of an executeMany whose rows are independent: as many rows as its time allows, and one
// at least, in a transaction of their own.
//
// A row has the outcome it would have had by itself, whatever slice it falls into. One that fails is undone
// whole, what comes before it is committed, and what comes after it is not tried. Belongs to the writer's
// thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "daemon/core/executor.h"
#include "daemon/engine/connection.h"
#include "daemon/engine/row_runner.h"

namespace skua {

class SliceRunner {
 public:
  SliceRunner(Connection& connection, Job& job) : connection_(connection), job_(job), slices_(*job.slices) {}

  // Job::slices tells what is committed, also after an error, whose row is the first that is not.
  Status run();

 private:
  Status open();
  // Begins a transaction and runs rows from the first that is not committed: those before `end`, until the time
  // is over or the request is stopped. `next` becomes the first row that was not run.
  Status run_rows(std::size_t end, std::uint64_t until_us, std::size_t& next, Summary& summary);
  Status run_row(RowRunner& runner, std::size_t row, Summary& summary);
  Status commit(std::size_t next, const Summary& summary);
  // After a rollback because of the row `failed`: those before it once more, which takes no longer than a
  // slice.
  Status run_again(std::size_t failed);
  bool is_stopped() const { return job_.request->token.is_cancelled(); }
  void answer();

  Connection& connection_;
  Job& job_;
  BulkSlices& slices_;
};

}  // namespace skua
