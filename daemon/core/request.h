// Request: one request from its arrival to its last response.
//
// Shared by the session that sent it, the queue it waits in and the job that runs it. The loop thread owns its state;
// a lane reads what is not guarded and nothing else.
//
//            ┌──────────► ended ◄─────────┐
//            │              ▲             │        queued: in a queue, no lane has seen it
//   arrival ─┴─► queued ─► running ─► parked       running: a lane has a job of it
//                   ▲        │  ▲         │        parked: its cursor waits for credit or for its transaction's turn
//                   └────────┘  └─────────┘        (running → queued: it writes, and goes on to the writer lane,
//                                                   or its next slice waits for its turn)
//
// The rows of a stream outside of transactions come from its cursor, or from a file (StreamSpool):
//
//            its lease is over, or             all of its rows are there:
//            others need what it holds         the connection goes back
//   cursor ────────────────────────► filling ────────────────────────────► complete ─► ended
//     ▲                                 │ a cap is reached
//     └──────────── full ◄──────────────┘
//       the client has   └─► ended: it did not read that in the time of another lease
//       read the file
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "daemon/base/thread_annotations.h"
#include "daemon/core/bulk_slices.h"
#include "daemon/core/cancel_token.h"
#include "daemon/core/request_message.h"
#include "daemon/core/statement_kind.h"
#include "daemon/core/stream_spool.h"
#include "protocol/flat_queue.h"

namespace skua {

struct SessionState;
struct Transaction;

struct Request {
  enum class Stage : std::uint8_t { kQueued, kRunning, kParked, kEnded };

  // Set before the request is shared and never changed.
  std::uint64_t id = 0;
  std::uint64_t serial = 0;  // unique in the daemon: names the request's cursor
  std::uint64_t session_id = 0;
  std::uint16_t database = 0;
  wire::Request::Which kind = wire::Request::PING;
  StatementKind statement;
  bool has_key = false;    // an idempotency key
  bool in_slices = false;  // an executeMany whose rows are independent
  // In the message: the SQL of an execute or executeMany, or of a program's first step; empty otherwise. For the loop
  // thread while a lane reads the message, and as often as it likes: what a reader may traverse is not spent.
  std::string_view sql;
  // In the message: what an execute has for its parameters.
  ParameterList parameters;
  // The id of columns that need not be sent; 0 for none.
  std::uint64_t known_columns = 0;
  // The credit that an execute begins with; 0 for the default.
  std::uint32_t window_bytes = 0;
  std::uint64_t arrival_us = 0;
  std::optional<RequestMessage> message;
  // The two members that both threads use at once. Of the second: bytes of responses, counted from the request's first,
  // that a lane may make without coming back; the loop thread moves it while the lane works.
  CancelToken token;
  std::atomic<std::uint64_t> wanted_bytes = 0;

  // Null once the request has ended, or the session is gone.
  SessionState* session SKUA_GUARDED_BY(loop_thread) = nullptr;
  // It is among the requests of its session: one that is answered as soon as it has come never is.
  bool is_listed SKUA_GUARDED_BY(loop_thread) = false;
  Stage stage SKUA_GUARDED_BY(loop_thread) = Stage::kQueued;
  std::shared_ptr<Transaction> transaction SKUA_GUARDED_BY(loop_thread);
  std::uint64_t deadline_timer SKUA_GUARDED_BY(loop_thread) = 0;
  std::uint64_t idle_timer SKUA_GUARDED_BY(loop_thread) = 0;
  // While it waits for the writer, and since when.
  std::uint64_t wait_timer SKUA_GUARDED_BY(loop_thread) = 0;
  std::uint64_t wait_since_us SKUA_GUARDED_BY(loop_thread) = 0;
  // Bytes the client still wants; may be overdrawn by one batch. And what was sent of its responses.
  std::int64_t credit_bytes SKUA_GUARDED_BY(loop_thread) = 0;
  std::uint64_t sent_bytes SKUA_GUARDED_BY(loop_thread) = 0;
  // The reader connection it has; kWriterSlot while it runs on the writer.
  std::uint32_t slot SKUA_GUARDED_BY(loop_thread) = 0;
  bool cursor_open SKUA_GUARDED_BY(loop_thread) = false;
  // Nothing but the first batch, and on the loop thread, was made by its cursor.
  bool is_fresh SKUA_GUARDED_BY(loop_thread) = false;
  // Responses that wait for credit, and whether the last of them ends the request.
  FlatQueue<Frame> held SKUA_GUARDED_BY(loop_thread);
  bool last_is_held SKUA_GUARDED_BY(loop_thread) = false;

  // Null while all of its rows come from its cursor. And until when the cursor may be kept as it is.
  std::unique_ptr<StreamSpool> spool SKUA_GUARDED_BY(loop_thread);
  std::uint64_t lease_until_us SKUA_GUARDED_BY(loop_thread) = 0;
  // A batch of it is being made, or waits for memory (Delivery).
  bool batch_under_way SKUA_GUARDED_BY(loop_thread) = false;
  bool waits_for_memory SKUA_GUARDED_BY(loop_thread) = false;

  // With in_slices: null before the first slice, and while a job has it; the rows that are committed.
  std::unique_ptr<BulkSlices> slices SKUA_GUARDED_BY(loop_thread);
  std::uint64_t rows_done SKUA_GUARDED_BY(loop_thread) = 0;

  // Reads what its message has of an execute, once. Throws kj::Exception if it is malformed.
  void open_execute() {
    const RequestMessage::Execute execute = message->execute();
    sql = execute.sql;
    parameters = execute.parameters;
    window_bytes = execute.window_bytes;
    // An answer that is kept for its key may be read by a client who does not know them.
    known_columns = has_key ? 0 : execute.known_columns;
  }

  bool is_ended() const SKUA_REQUIRES(loop_thread) { return stage == Stage::kEnded; }
};

}  // namespace skua
