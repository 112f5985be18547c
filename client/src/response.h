// Reads the responses of the protocol. No I/O: the blocking client and any other engine share it. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "protocol/frame.h"
#include "protocol/limits.h"
#include "protocol/locks.h"
#include "protocol/result.h"
#include "protocol/summary.h"
#include "skua/backup.h"
#include "skua/batch.h"
#include "skua/connection.h"
#include "skua/program.h"

namespace skua {

struct HelloReply {
  std::uint16_t version = 0;
  std::uint64_t features = 0;
  ServerInfo server;
  // The daemon's, as far as it names them; the defaults otherwise.
  std::uint32_t stream_window_bytes = Limits{}.stream_window_bytes;
  std::uint32_t stream_window_bytes_max = Limits{}.stream_window_bytes_max;
};

struct RowsReply {
  bool has_columns = false;  // only in a request's first
  Columns columns;
  std::uint64_t columns_id = 0;  // only in a request's first, and 0 if the daemon gave none
  Batch batch;
  std::optional<Summary> done;  // only in the last
};

// One response, read and checked.
struct Response {
  std::uint64_t id = 0;  // 0: the session as a whole
  std::size_t byte_count = 0;
  bool is_last = true;  // ends its request
  std::variant<Error, HelloReply, RowsReply, Summary, ProgramResult, Description,
               std::vector<DatabaseLock>, BackupProgress>
      body;
};

// An answer that is one short response: rows of columns that the client knows, all of them, or the end of a request.
struct ShortAnswer {
  std::uint64_t id = 0;
  std::uint64_t columns_id = 0;  // 0: there were no rows to be had
  Batch batch;
  Summary summary;
};
// Nothing for any other answer, and for what Cap'n Proto has to read; the frame is then as it was.
std::optional<ShortAnswer> read_short_answer(Frame& frame);

// kProtocol for a response that is malformed, contradicts itself, or is of a kind that this version does not
// know.
Result<Response> read_response(Frame frame);

}  // namespace skua
