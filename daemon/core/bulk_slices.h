// BulkSlices: how far an executeMany whose rows are independent has come.
//
// Such a request is executed in slices, each a job and a transaction of its own; between them it waits for its
// turn like a request that has just come. Owned by the request while it waits, and by the job while a lane has
// it.
#pragma once

#include <cstdint>
#include <vector>

#include "protocol/row_batch.h"
#include "protocol/summary.h"

namespace skua {

struct BulkSlices {
  // ---- filled in by core/
  // After this time a slice ends with the row it is at.
  std::uint64_t slice_us_max = 0;
  // Durability. Not asked of the message each time, for the reason below.
  bool relaxed = false;

  // ---- filled in by the engine
  // The rows, and the parameter that each of their columns is. Read from the message once: what a reader may
  // traverse of it would be spent after some slices.
  bool is_open = false;
  RowBatchReader rows;
  std::vector<int> parameters;
  // Rows that are committed, and what they changed.
  std::uint64_t rows_done = 0;
  Summary summary;
  // The job did its slice, and rows are left.
  bool more = false;
};

}  // namespace skua
