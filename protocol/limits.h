// Every limit of the protocol and of the daemon: its name, its default, and what it is derived from.
//
// A limit that an operator can change has a key in the configuration file ([limits] section, the name without the
// leading k, in snake case); those are the members of Limits. The others are fixed by the protocol.
#pragma once

#include <cstddef>
#include <cstdint>

namespace skua {

inline constexpr std::size_t kKiB = 1024;
inline constexpr std::size_t kMiB = 1024 * kKiB;
inline constexpr std::size_t kWordBytes = 8;

// ---- fixed by the protocol

inline constexpr std::uint16_t kProtocolVersionMin = 1;
inline constexpr std::uint16_t kProtocolVersionMax = 1;

// One text or blob parameter. Values in results are bounded by the row.
inline constexpr std::size_t kValueBytesMax = 64 * kMiB;
// One row, either way: SQLite's own limit on a row (SQLITE_LIMIT_LENGTH) is set to it.
inline constexpr std::size_t kRowBytesMax = 96 * kMiB;
// One frame: a row of the largest size, its SQL and its framing.
inline constexpr std::size_t kFrameBytesMax = 128 * kMiB;
// Of each of the two rings that a session may share with its client: fifty short requests, and little enough to be kept by
// sessions that are idle. Both sides must have the same.
inline constexpr std::size_t kRingBytes = 16 * kKiB;
// Before Hello a peer has shown nothing, and Hello is small.
inline constexpr std::size_t kHelloFrameBytesMax = 64 * kKiB;
// Cap'n Proto messages may have many segments; builders make few.
inline constexpr std::uint32_t kFrameSegmentsMax = 64;
// A reader may follow pointers over this many times the frame's own size before it is taken for an attack.
inline constexpr std::uint64_t kTraversalFactor = 8;
// The schema nests eight deep at the most.
inline constexpr int kNestingLevelsMax = 16;
// SQLite's own limits. Debian's SQLite allows more parameters and longer SQL; these are what upstream allows, and what
// one frame and a second of parsing bear.
inline constexpr std::size_t kColumnsMax = 2000;
inline constexpr std::size_t kParametersMax = 32'766;
inline constexpr std::size_t kSqlBytesMax = 1 * kMiB;
// A pattern of LIKE or GLOB. What cannot be stopped takes as long as the product of its length and the text's:
// SQLite's own 50,000 against a megabyte are minutes.
inline constexpr std::size_t kPatternBytesMax = 1000;
inline constexpr std::size_t kProgramStepsMax = 1000;
inline constexpr std::size_t kClientNameBytesMax = 128;
inline constexpr std::size_t kSavepointNameBytesMax = 256;
inline constexpr std::size_t kSavepointsMax = 64;
inline constexpr std::size_t kIdempotencyKeyBytesMax = 255;
// An answer that is kept for its idempotency key.
inline constexpr std::size_t kIdempotencyReplyBytesMax = 64 * kKiB;

// What `locks` shows of an SQL text, and how many of those who wait for a writer.
inline constexpr std::size_t kLockSqlBytesMax = 1000;
inline constexpr std::size_t kLockWaitersMax = 100;

// Pages of 4 KiB that the TEMP tables of one session may have: 1 GiB, in unlinked files of the system's temporary folder.
inline constexpr int kTemporaryPagesMax = 262'144;

// Row batches: a first small one at once, then larger ones.
inline constexpr std::size_t kFirstBatchBytes = 8 * kKiB;
// The first one if the loop thread makes it, which has others to serve.
inline constexpr std::size_t kLoopBatchBytes = 1 * kKiB;
inline constexpr std::size_t kBatchBytes = 64 * kKiB;
// A stream that has a thread goes on by so much before what it has made is sent.
inline constexpr std::size_t kRunAheadBytes = 2 * kBatchBytes;
inline constexpr std::size_t kBatchRowsMax = 65'536;
// A frame with a batch in it: what the last row may go over, and the framing. A larger one is made as well, in memory of
// its own.
inline constexpr std::size_t kBatchFrameBytes = kBatchBytes + 8 * kKiB;
// Memory of such frames that is kept for the next ones: by each database of the daemon, and by each client's connection.
inline constexpr std::size_t kDatabaseFramesKept = 32;
inline constexpr std::size_t kClientFramesKept = 8;
// Rows that one received batch may claim: columns of NULLs cost no bytes, so the frame's size does not bound them.
inline constexpr std::size_t kReceivedBatchRowsMax = std::size_t{1} << 22;
// A backup travels in pieces of this size.
inline constexpr std::size_t kBackupPieceBytes = 256 * kKiB;
// A session whose client does not read gets no further batches beyond this, whatever its credit.
inline constexpr std::size_t kStreamUnsentBytesMax = 4 * kMiB;
// How long a session that is being closed may take to read what it was sent.
inline constexpr std::uint64_t kLingerMs = 5'000;

// A response of at most this size is sent without looking at the credit: it costs less than holding it.
inline constexpr std::size_t kFrameBytesFree = 1 * kKiB;

// ---- set by the operator

struct Limits {
  std::uint32_t sessions_max = 4'096;
  // Requests of one session that are queued or running. One more is refused, not queued.
  std::uint32_t requests_per_session_max = 16'384;
  // Bytes of requests of one session that are queued or running.
  std::uint64_t request_bytes_per_session_max = 256 * kMiB;
  std::uint32_t transactions_per_session_max = 64;
  // Bytes of responses that a session may leave unread before its further requests are refused.
  std::uint64_t unsent_bytes_per_session_max = 64 * kMiB;
  // The credit of a stream whose request asks for the default, and the most a client can ask for.
  std::uint32_t stream_window_bytes = 256 * kKiB;
  std::uint32_t stream_window_bytes_max = 64 * kMiB;
  // Result rows that have to be held until a commit or a program's end (RETURNING, program steps).
  std::uint64_t held_result_bytes_max = 64 * kMiB;
  // Connections for reading, each with its own page cache; threads that run them.
  std::uint32_t reader_connections_max = 256;
  std::uint32_t reader_threads = 8;
  // Of a database's reader connections, those that sessions with TEMP objects keep for themselves. At least one is always
  // left to the others.
  std::uint32_t pinned_connections_max = 64;
  // How long a begin with siblings, once it is its turn, waits until enough connections are free at once, and lets nobody else have
  // any meanwhile.
  std::uint32_t siblings_wait_ms_max = 5'000;
  // Requests of all sessions that wait for the writer of one database.
  std::uint32_t write_queue_max = 65'536;
  // How long a request waits for the writer.
  std::uint32_t write_wait_ms_max = 60'000;
  // Writes of different requests that are committed together, and the bytes of those requests; how long the writer waits
  // for more of them once it has one.
  std::uint32_t group_requests_max = 256;
  std::uint64_t group_bytes_max = 16 * kMiB;
  std::uint32_t group_wait_us = 0;
  // After this time an executeMany whose rows are independent commits those it has done and lets others write. It always does
  // one row.
  std::uint32_t bulk_slice_ms_max = 20;
  // A transaction whose client sends nothing, and one of any kind, is rolled back after this time.
  std::uint32_t transaction_idle_ms_max = 30'000;
  std::uint32_t transaction_total_ms_max = 600'000;
  // A stream whose client grants no credit is ended after this time. It holds a connection and a snapshot.
  std::uint32_t stream_idle_ms_max = 300'000;
  // How long a stream outside of transactions may keep its cursor, and with it a connection and a snapshot, before the rest of
  // its rows is put into a file. 0: until others need what it holds.
  std::uint32_t stream_lease_ms_max = 30'000;
  // Of those files: one, and all together. All together 0: there are none.
  std::uint64_t spool_bytes_max = 1'024 * kMiB;
  std::uint64_t spool_total_bytes_max = 4'096 * kMiB;
  // All responses that are in memory: those being made, those that wait for credit, and those that no socket has taken. And all
  // requests that are queued or running.
  std::uint64_t response_memory_bytes_max = 256 * kMiB;
  std::uint64_t request_memory_bytes_max = 1'024 * kMiB;
  // What the write-ahead log of one database may take on the disk, and how long reads that keep it from being emptied may go
  // on once it has half of that.
  std::uint64_t wal_bytes_max = 256 * kMiB;
  std::uint32_t wal_drain_ms_max = 1'000;
  // A session that does not say Hello in time, and how long a shutdown waits for work in progress.
  std::uint32_t hello_ms_max = 10'000;
  std::uint32_t drain_ms_max = 10'000;
  // Sessions that may share memory with their clients, 36 KiB each.
  std::uint32_t rings_max = 256;
  // As long as requests come within that time of each other the loop thread does not sleep in between (BusyPoll).
  std::uint32_t busy_poll_us = 50;
  // Prepared statements that each connection keeps, and what they take in memory, with their SQL texts.
  std::uint32_t statement_cache_entries = 256;
  std::uint64_t statement_cache_bytes_max = 2 * kMiB;
};

}  // namespace skua
