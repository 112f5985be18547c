// SessionState: what core/ knows of one session. Owned by the Dispatcher, gone at once when the session ends; requests
// and transactions that a lane still works on outlive it with a null pointer to it. Loop thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "daemon/core/peer_identity.h"
#include "daemon/core/reply_sink.h"
#include "daemon/core/request.h"

namespace skua {

struct Transaction;

struct SessionState {
  std::uint64_t id = 0;
  PeerIdentity peer;
  ReplySink* sink = nullptr;
  bool greeted = false;
  bool closing = false;
  bool has_rings = false;  // memory shared with its client
  std::string client_name;
  std::uint64_t last_request_id = 0;
  std::uint64_t request_bytes = 0;  // of requests, not of responses
  std::uint32_t batches_under_way = 0;
  std::uint64_t hello_timer = 0;
  // The turn of the loop in which its last read on the loop thread ran, and how many did in that turn.
  std::uint64_t inline_turn = 0;
  std::uint32_t inline_reads = 0;
  // What its next write outside of transactions is expected to use of the lane: at least 1, and a guess before the first.
  std::uint64_t write_us = 500;
  // All that are not ended.
  std::unordered_map<std::uint64_t, std::shared_ptr<Request>> requests;
  // By the client's number; 0 is the session's own, opened by BEGIN as SQL text.
  std::unordered_map<std::uint32_t, std::shared_ptr<Transaction>> transactions;
  // Connections of the session's own, by database.
  std::unordered_map<std::uint16_t, std::shared_ptr<Transaction>> pins;
};

}  // namespace skua
