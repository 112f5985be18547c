#include "daemon/core/transaction.h"

#include <strings.h>

#include <algorithm>
#include <array>
#include <utility>

#include "daemon/core/executor.h"
#include "daemon/core/transaction_operation.h"

namespace skua {

namespace {

using Operation = TransactionOperation;
using State = Transaction::State;

// The moves that transaction.h draws.
constexpr std::array<std::pair<State, State>, 13> kMoves = {{
    {State::kWaiting, State::kOpening},
    {State::kWaiting, State::kAborted},
    {State::kWaiting, State::kClosed},
    {State::kOpening, State::kOpen},
    {State::kOpening, State::kAborted},
    {State::kOpening, State::kClosed},
    {State::kOpen, State::kEnding},
    {State::kOpen, State::kAborted},
    {State::kOpen, State::kClosed},
    {State::kEnding, State::kOpen},
    {State::kEnding, State::kAborted},
    {State::kEnding, State::kClosed},
    {State::kAborted, State::kClosed},
}};

}  // namespace

void Transaction::move_to(State to) {
  SKUA_CHECK(std::find(kMoves.begin(), kMoves.end(), std::pair(state, to)) != kMoves.end());
  state = to;
}

void Transaction::check_invariants() const {
  if (!has_connection()) {
    SKUA_CHECK(!job_running && cursors.empty() && running == nullptr);
  }
  if (state == State::kOpening || state == State::kEnding) SKUA_CHECK(job_running);
  if (state == State::kClosed) SKUA_CHECK(queue.empty());
  if (running != nullptr) SKUA_CHECK(job_running);
  if (!siblings.empty()) SKUA_CHECK(state == State::kWaiting || state == State::kOpening);
}

std::size_t Transaction::find_savepoint(const std::string& name) const {
  for (std::size_t i = savepoints.size(); i > 0; --i) {
    if (strcasecmp(savepoints[i - 1].c_str(), name.c_str()) == 0) return i - 1;
  }
  return savepoints.size();
}

void Transaction::on_savepoint(SavepointAction action, const std::string& name) {
  const std::size_t at = find_savepoint(name);
  switch (action) {
    case SavepointAction::kSet: savepoints.push_back(name); break;
    case SavepointAction::kRelease: savepoints.resize(at); break;
    case SavepointAction::kRollbackTo: savepoints.resize(at + 1); break;
  }
}

bool Transaction::is_opened_by(const Request& request) const {
  if (state != State::kWaiting) return false;
  const Operation operation = operation_of(request);
  if (operation != Operation::kBegin && operation != Operation::kSavepoint) return false;
  return std::none_of(queue.begin(), queue.end(), [&](const auto& queued) { return queued.get() == &request; });
}

TransactionState Transaction::state_after_stop(const Request& request) const {
  if (pinned) return TransactionState::kNone;
  const bool lost = is_opened_by(request) || state == State::kAborted || abort_on_error || !abort_reason.empty();
  return lost ? TransactionState::kAborted : TransactionState::kOpen;
}

Error transaction_error(ErrorCode code, TransactionState state, std::string message) {
  Error error = make_error(code, std::move(message));
  error.transaction = state;
  return error;
}

}  // namespace skua
