// Builds the requests of the protocol, ready to be sent. No I/O: the blocking client and any other engine share
// it.
//
// Every function that takes what a caller supplies fails with kLimit if the request would not fit into one
// frame. Any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "protocol/frame.h"
#include "protocol/result.h"
#include "skua/options.h"
#include "skua/parameters.h"
#include "skua/program.h"

namespace skua {

// What all requests have in common.
struct RequestHead {
  std::uint64_t id = 0;
  std::string_view database;      // must live until the request was built
  std::uint32_t transaction = 0;  // 0: none
  std::uint32_t deadline_ms = 0;  // 0: none
  std::string_view idempotency_key{};  // as the database
};

struct Request {
  std::uint64_t id = 0;
  std::uint32_t deadline_ms = 0;
  // True if the request can make something permanent, so that losing the connection before its answer leaves
  // the caller in doubt (kInDoubt). Otherwise nothing was changed, or the daemon rolls it back (kLost). True
  // for a commit, as a request or as SQL text, and for whatever executes SQL outside of a transaction: only the
  // daemon knows whether that SQL writes.
  bool may_commit = false;
  Frame frame;
};

enum class SavepointAction : std::uint16_t { kSet = 0, kRelease = 1, kRollbackTo = 2 };

Result<Request> hello_request(std::uint64_t id, std::string_view client_name);
Result<Request> ping_request(const RequestHead& head);
Result<Request> stats_request(const RequestHead& head);
Result<Request> rings_request(const RequestHead& head);
Result<Request> locks_request(const RequestHead& head);
Result<Request> backup_request(const RequestHead& head);
// `known_columns`: the id of columns that the result most likely has, which then need not be sent; 0 for none.
Result<Request> execute_request(const RequestHead& head, std::string_view sql, const Parameters& parameters,
                                std::uint32_t window_bytes, Durability durability, std::uint64_t known_columns = 0);
Result<Request> execute_many_request(const RequestHead& head, std::string_view sql, const ParameterRows& rows,
                                     Durability durability, bool independent = false);
Result<Request> program_request(const RequestHead& head, const Program& program, Durability durability);
// The transaction goes on after an error: the caller of a blocking client sees each one. The durability is that
// of its commit.
Result<Request> begin_request(const RequestHead& head, TransactionMode mode, Durability durability);
// A read transaction with the head's number and others on its snapshot.
Result<Request> begin_group_request(const RequestHead& head, std::span<const std::uint32_t> siblings);
Result<Request> commit_request(const RequestHead& head);
Result<Request> rollback_request(const RequestHead& head);
Result<Request> savepoint_request(const RequestHead& head, std::string_view name, SavepointAction action);
Result<Request> describe_request(const RequestHead& head, std::string_view sql);

Request grant_request(std::uint64_t id, std::uint64_t request, std::uint64_t bytes);
Request cancel_request(std::uint64_t id, std::uint64_t request);

}  // namespace skua
