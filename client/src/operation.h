// Operation: a request that is ready to be sent, and what is told of it to who watches. What the blocking client and the engine
// have in common, but for the waiting: each function here is one operation of the protocol, as both offer it.
//
// The functions take the next request id of the channel, so what they return must be sent on it, in that order. They fail with
// kLimit if the request does not fit into a frame. Thread: the channel's.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "client/src/channel.h"
#include "client/src/observer.h"
#include "client/src/request.h"
#include "skua/options.h"
#include "skua/parameters.h"
#include "skua/program.h"

namespace skua {

struct Operation {
  Request request;
  Observation observation{};
};

// What the columns of the result most likely are goes to `known`.
Result<Operation> execute_operation(Channel& channel, Execution::Kind kind, std::string_view sql, const Parameters& parameters,
                                    const RequestOptions& options, std::uint32_t transaction, KnownColumns::Entry& known);
Result<Operation> execute_many_operation(Channel& channel, std::string_view sql, const ParameterRows& rows,
                                         const RequestOptions& options, std::uint32_t transaction);
Result<Operation> program_operation(Channel& channel, const Program& program, const RequestOptions& options);
// With the channel's next transaction number, which goes to `number`.
Result<Operation> begin_operation(Channel& channel, TransactionMode mode, const RequestOptions& options, std::uint32_t& number);
// So too, one number for each element. kVersion if the daemon is too old, kUsage for no transactions.
Result<Operation> begin_group_operation(Channel& channel, const RequestOptions& options, std::span<std::uint32_t> numbers);
Result<Operation> commit_operation(Channel& channel, const RequestOptions& options, std::uint32_t transaction);
Result<Operation> rollback_operation(Channel& channel, const RequestOptions& options, std::uint32_t transaction);
Result<Operation> savepoint_operation(Channel& channel, const RequestOptions& options, std::uint32_t transaction,
                                      std::string_view name, SavepointAction action);

// What the response was, for who asked; told to who watches. `Body` must be the only kind that answers the request.
template <class Body>
Result<Body> conclude(Channel& channel, Observation& observation, Result<Response> response) {
  Result<Body> body = channel.body_of<Body>(std::move(response));
  if (!body) {
    observation.fail(body.error());
  } else if constexpr (std::is_same_v<Body, Summary>) {
    observation.succeed(&*body);
  } else {
    observation.succeed();
  }
  return body;
}

// Sends it and waits for its one response.
template <class Body>
Result<Body> perform(Channel& channel, Operation operation) {
  const Result<std::uint64_t> id = channel.start(std::move(operation.request));
  if (!id) {
    operation.observation.fail(id.error());
    return id.error();
  }
  return conclude<Body>(channel, operation.observation, channel.receive(*id));
}

}  // namespace skua
