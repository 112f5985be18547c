// The frames of short answers, laid out by hand: rows, and the end of a request. Any thread.
#pragma once

#include <cstdint>

#include "protocol/frame.h"
#include "protocol/frame_pool.h"
#include "protocol/row_batch.h"
#include "protocol/summary.h"

namespace skua {

// `rows` of a result whose columns the client knows. `done` makes it the request's last; null: more follow. `columns_id`: 0 but
// in a request's first. `pool` may be null.
Frame rows_response(std::uint64_t request, std::uint64_t columns_id, const RowBatchBuilder& batch, const Summary* done,
                    FramePool* pool);
Frame done_response(std::uint64_t request, const Summary& summary);

}  // namespace skua
