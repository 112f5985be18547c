#include "daemon/core/transaction_manager.h"

#include <fmt/format.h>

#include <utility>

#include "daemon/core/lock_report.h"
#include "daemon/core/opening_check.h"
#include "daemon/core/transaction_operation.h"

namespace skua {

namespace {

using State = Transaction::State;
using Operation = TransactionOperation;

}  // namespace

// ---- states

void TransactionManager::move(Transaction& transaction, State to) {
  if (to == State::kClosed && transaction.pinned) --pins_[transaction.database];
  transaction.move_to(to);
}

void TransactionManager::release_connection(const Pointer& transaction) {
  if (!transaction->pinned) --open_count_;
  context_.janitor.cancel(std::exchange(transaction->idle_timer, 0));
  context_.janitor.cancel(std::exchange(transaction->total_timer, 0));
  if (transaction->read_only) {
    readers_.release(transaction->database, transaction->slot);
  } else {
    writers_.release(transaction->database);
  }
}

void TransactionManager::close(const Pointer& transaction) {
  const bool had_connection = transaction->has_connection();
  move(*transaction, State::kClosed);
  alive_.erase(transaction.get());
  if (transaction->session != nullptr && !transaction->pinned) {
    transaction->session->transactions.erase(transaction->number);
  }
  const Error gone = transaction_error(ErrorCode::kTransactionState, TransactionState::kNone,
                                       "the transaction has ended before this request");
  for (const auto& request : std::exchange(transaction->queue, {})) delivery_.fail(request, gone);
  if (had_connection) release_connection(transaction);
}

void TransactionManager::abort(const Pointer& transaction, std::string reason) {
  ++context_.counters.transactions_aborted;
  const bool had_connection = transaction->has_connection();
  if (transaction->abort_reason.empty()) transaction->abort_reason = std::move(reason);
  end_cursors(transaction, transaction_error(ErrorCode::kTransactionAborted, TransactionState::kAborted,
                                             transaction->abort_reason));
  move(*transaction, State::kAborted);
  if (had_connection) release_connection(transaction);
}

void TransactionManager::doom(const Pointer& transaction, CancelReason cause, std::string reason) {
  if (!transaction->abort_reason.empty()) return;
  transaction->abort_reason = std::move(reason);
  if (transaction->running != nullptr) transaction->running->token.cancel(cause);
  advance(transaction);
}

TransactionState TransactionManager::on_request_refused(const Pointer& transaction) {
  if (transaction->state == State::kAborted || !transaction->abort_reason.empty()) return TransactionState::kAborted;
  if (!transaction->abort_on_error) return TransactionState::kOpen;
  doom(transaction, CancelReason::kAborted, "a request in it was refused");
  return TransactionState::kAborted;
}

void TransactionManager::refuse(const Pointer& transaction, const std::shared_ptr<Request>& request, ErrorCode code,
                                std::string why) {
  const TransactionState state = transaction->abort_on_error ? TransactionState::kAborted : TransactionState::kOpen;
  delivery_.fail(request, transaction_error(code, state, std::move(why)));
  // Without a job under way this only marks it: whoever started the request goes on with advance().
  if (transaction->abort_on_error && transaction->abort_reason.empty()) {
    transaction->abort_reason = "a request in it was refused";
  }
}

void TransactionManager::end_cursors(const Pointer& transaction, const Error& error) {
  // The engine closed them together with the transaction.
  for (const auto& request : std::exchange(transaction->cursors, {})) {
    request->cursor_open = false;
    delivery_.fail(request, error);
  }
}

// ---- arrivals

TransactionManager::~TransactionManager() {
  loop_thread.assert_here();
  for (const auto& [address, held] : alive_) {
    const Pointer transaction = held.lock();
    if (transaction == nullptr) continue;
    transaction->running = nullptr;
    transaction->queue.clear();
    transaction->cursors.clear();
  }
}

TransactionManager::Pointer TransactionManager::create(const Request& request, SessionState& session) {
  auto transaction = std::make_shared<Transaction>();
  transaction->session_id = session.id;
  transaction->session = &session;
  transaction->database = request.database;
  alive_.emplace(transaction.get(), transaction);
  return transaction;
}

void TransactionManager::create_siblings(const Request& request, SessionState& session, Transaction& leader) {
  for (const std::uint32_t number : request.message->root().getBegin().getSiblings()) {
    const Pointer sibling = create(request, session);
    sibling->number = number;
    sibling->read_only = leader.read_only;
    sibling->abort_on_error = leader.abort_on_error;
    session.transactions[number] = sibling;
    leader.siblings.push_back(sibling);
  }
}

void TransactionManager::open(const std::shared_ptr<Request>& request, SessionState& session, std::uint32_t number) {
  const Pointer transaction = create(*request, session);
  transaction->number = number;
  if (request->kind == wire::Request::BEGIN) {
    const wire::Begin::Reader begin = request->message->root().getBegin();
    transaction->read_only = begin.getMode() == wire::TransactionMode::READ;
    transaction->abort_on_error = begin.getOnError() == wire::TransactionErrorMode::ABORT;
    transaction->relaxed = begin.getDurability() == wire::Durability::RELAXED;
    create_siblings(*request, session, *transaction);
  } else {
    transaction->read_only = request->statement.read_only;
    transaction->relaxed = request->message->root().getExecute().getDurability() == wire::Durability::RELAXED;
    transaction->opened_by_savepoint = operation_of(*request) == Operation::kSavepoint;
  }
  session.transactions[number] = transaction;
  request->transaction = transaction;
  transaction->read_only ? readers_.submit(request) : writers_.submit(request);
  if (request->is_ended()) on_request_ended(request);  // the queue was full
}

void TransactionManager::open_pin(const std::shared_ptr<Request>& request, SessionState& session) {
  const std::uint32_t pinned_max = pins_max(context_.limits);
  if (pins_[request->database] >= pinned_max) {
    return delivery_.fail(request,
                          make_error(ErrorCode::kLimit, fmt::format("{} sessions have TEMP objects in this database, the "
                                                                    "most (pinned_connections_max)",
                                                                    pinned_max)));
  }
  ++pins_[request->database];
  const Pointer pin = create(*request, session);
  pin->read_only = true;  // the connection is a reader's
  pin->pinned = true;
  session.pins[request->database] = pin;
  request->transaction = pin;
  readers_.submit(request);
}

// The request that a pin waits for a connection with has ended: another one takes its place, or the pin goes.
void TransactionManager::replace_opener(const Pointer& pin) {
  while (!pin->queue.empty()) {
    const std::shared_ptr<Request> next = pin->queue.front();
    pin->queue.pop_front();
    if (!next->is_ended()) return readers_.submit(next);
  }
  if (pin->session != nullptr) pin->session->pins.erase(pin->database);
  move(*pin, State::kClosed);
}

void TransactionManager::submit(const Pointer& transaction, const std::shared_ptr<Request>& request) {
  request->transaction = transaction;
  transaction->queue.push_back(request);
  advance(transaction);
}

void TransactionManager::on_lane_granted(const std::shared_ptr<Request>& request, std::uint32_t slot) {
  const Pointer transaction = request->transaction;
  if (transaction->pinned) {
    transaction->slot = slot;
    move(*transaction, State::kOpening);
    move(*transaction, State::kOpen);
    transaction->queue.push_front(request);
    return advance(transaction);
  }
  grant(*transaction, slot);
  run_kind(transaction, request, JobKind::kBegin);
}

void TransactionManager::on_group_granted(const std::shared_ptr<Request>& request,
                                          const std::vector<std::uint32_t>& slots) {
  const Pointer leader = request->transaction;
  SKUA_CHECK(slots.size() == 1 + leader->siblings.size());
  for (std::size_t i = 0; i < leader->siblings.size(); ++i) {
    Transaction& sibling = *leader->siblings[i];
    grant(sibling, slots[i + 1]);
    sibling.job_running = true;
    sibling.check_invariants();
  }
  grant(*leader, slots.front());
  auto job = std::make_unique<Job>();
  job->kind = JobKind::kBegin;
  job->group_slots = slots;
  run(leader, request, std::move(job));
}

void TransactionManager::grant(Transaction& transaction, std::uint32_t slot) {
  transaction.slot = slot;
  move(transaction, State::kOpening);
  ++open_count_;
  ++context_.counters.transactions_total;
  transaction.held_since_us = context_.now_us;
  transaction.request_count = 1;
}

void TransactionManager::on_wait_over(const std::shared_ptr<Request>& request, Error error) {
  const Pointer transaction = request->transaction;
  if (transaction != nullptr) error.transaction = transaction->state_after_stop(*request);
  delivery_.fail(request, error);
  if (transaction != nullptr) on_request_ended(request);
}

void TransactionManager::on_statement_writes(const std::shared_ptr<Request>& request) { writers_.submit(request); }

// ---- jobs

void TransactionManager::run(const Pointer& transaction, const std::shared_ptr<Request>& request,
                             std::unique_ptr<Job> job) {
  SKUA_CHECK(!transaction->job_running);
  job->database = transaction->database;
  job->slot = transaction->slot;
  job->transaction = transaction;
  job->request = request;
  job->read_only = transaction->read_only && !transaction->pinned;
  job->pinned = transaction->pinned;
  job->rollback_on_error = transaction->abort_on_error;
  job->relaxed = transaction->relaxed;
  transaction->job_running = true;
  transaction->running = request;
  if (transaction->read_only) {
    readers_.run(std::move(job));
  } else {
    if (request != nullptr && !request->is_ended()) request->stage = Request::Stage::kRunning;
    context_.run_on_writer(std::move(job));
  }
  transaction->check_invariants();
}

void TransactionManager::run_kind(const Pointer& transaction, const std::shared_ptr<Request>& request, JobKind kind) {
  auto job = std::make_unique<Job>();
  job->kind = kind;
  run(transaction, request, std::move(job));
}

void TransactionManager::run_rollback(const Pointer& transaction) {
  move(*transaction, State::kEnding);
  run_kind(transaction, nullptr, transaction->pinned ? JobKind::kDiscard : JobKind::kRollback);
}

void TransactionManager::advance(const Pointer& transaction) {
  if (transaction->job_running) return;
  switch (transaction->state) {
    case State::kWaiting:
      if (transaction->session == nullptr) close(transaction);
      return;
    case State::kOpening:
    case State::kEnding:
    case State::kClosed: return;
    case State::kAborted: return refuse_queued(transaction);
    case State::kOpen: return advance_open(transaction);
  }
}

void TransactionManager::refuse_queued(const Pointer& transaction) {
  if (transaction->session == nullptr) return close(transaction);
  while (!transaction->queue.empty()) {
    const std::shared_ptr<Request> request = transaction->queue.front();
    transaction->queue.pop_front();
    if (request->is_ended()) continue;
    if (operation_of(*request) == Operation::kRollback) {
      delivery_.succeed(request, TransactionState::kNone);
      return close(transaction);
    }
    delivery_.fail(request, transaction_error(ErrorCode::kTransactionAborted, TransactionState::kAborted,
                                              "the transaction was rolled back: " + transaction->abort_reason +
                                                  "; say ROLLBACK before anything else"));
  }
}

void TransactionManager::advance_open(const Pointer& transaction) {
  if (transaction->session == nullptr || !transaction->abort_reason.empty()) return run_rollback(transaction);
  for (const auto& request : transaction->cursors) {
    if (request->is_ended()) return run_kind(transaction, request, JobKind::kClose);
  }
  for (const auto& request : transaction->cursors) {
    if (!request->held.empty() || !delivery_.may_continue(*request)) {
      delivery_.watch_memory(request);
      continue;
    }
    delivery_.unpark(request);
    delivery_.begin_batch(*request);
    return run_kind(transaction, request, JobKind::kContinue);
  }
  // Each statement on a session's own connection takes a snapshot of its own.
  if (transaction->pinned && readers_.is_gate_shut(transaction->database)) return;
  while (!transaction->queue.empty()) {
    const std::shared_ptr<Request> request = transaction->queue.front();
    transaction->queue.pop_front();
    if (request->is_ended()) continue;
    start(transaction, request);
    if (transaction->job_running || transaction->state != State::kOpen) return;
    if (!transaction->abort_reason.empty()) return run_rollback(transaction);
  }
  watch_idle(transaction);
}

void TransactionManager::start(const Pointer& transaction, const std::shared_ptr<Request>& request) {
  note_request(*transaction, *request);
  switch (operation_of(*request)) {
    case Operation::kStatement: return run_kind(transaction, request, JobKind::kRequest);
    case Operation::kBegin:
      return refuse(transaction, request, ErrorCode::kTransactionState,
                    "the transaction is already open: use savepoints to nest");
    case Operation::kSavepoint: return start_savepoint(transaction, request);
    case Operation::kCommit:
      if (!transaction->cursors.empty()) {
        return refuse(transaction, request, ErrorCode::kTransactionState,
                      fmt::format("commit is refused while the rows of request {} stream: read them to the end, or "
                                  "cancel that request",
                                  transaction->cursors.front()->id));
      }
      move(*transaction, State::kEnding);
      return run_kind(transaction, request, JobKind::kCommit);
    case Operation::kRollback:
      move(*transaction, State::kEnding);
      return run_kind(transaction, request, JobKind::kRollback);
  }
}

void TransactionManager::start_savepoint(const Pointer& transaction, const std::shared_ptr<Request>& request) {
  auto job = std::make_unique<Job>();
  job->kind = JobKind::kSavepoint;
  job->savepoint_action = savepoint_action_of(*request);
  job->savepoint = request->kind == wire::Request::SAVEPOINT
                       ? std::string(view_of(request->message->root().getSavepoint().getName()))
                       : request->statement.name;
  const std::size_t at = transaction->find_savepoint(job->savepoint);
  if (job->savepoint_action == SavepointAction::kSet) {
    if (transaction->savepoints.size() >= kSavepointsMax) {
      return refuse(transaction, request, ErrorCode::kLimit,
                    fmt::format("the transaction has {} savepoints, the most (savepoints_max)", kSavepointsMax));
    }
  } else if (at == transaction->savepoints.size()) {
    return refuse(transaction, request, ErrorCode::kTransactionState, "no such savepoint: " + job->savepoint);
  } else if (job->savepoint_action == SavepointAction::kRelease && at == 0 && transaction->opened_by_savepoint) {
    // Releasing the outermost savepoint commits, so it needs what a commit needs.
    if (transaction->cursors.empty()) {
      move(*transaction, State::kEnding);
      return run_kind(transaction, request, JobKind::kCommit);
    }
    return refuse(transaction, request, ErrorCode::kTransactionState,
                  "the outermost savepoint cannot be released while rows stream");
  }
  run(transaction, request, std::move(job));
}

// ---- completions

void TransactionManager::on_job_done(std::unique_ptr<Job> job) {
  const Pointer transaction = job->transaction;
  transaction->job_running = false;
  transaction->running = nullptr;
  transaction->idle_since_us = context_.now_us;
  switch (job->kind) {
    case JobKind::kBegin: on_begin_done(transaction, *job); break;
    case JobKind::kCommit:
    case JobKind::kRollback:
    case JobKind::kDiscard: on_end_done(transaction, *job); break;
    case JobKind::kSavepoint: on_savepoint_done(transaction, *job); break;
    case JobKind::kRequest:
    case JobKind::kContinue:
    case JobKind::kClose: on_statement_done(transaction, *job); break;
    case JobKind::kCheckpoint:
    case JobKind::kBackupCopy:
    case JobKind::kBackupEnd:
    case JobKind::kBackupRead:
    case JobKind::kSpool:
    case JobKind::kSpoolRead:
    case JobKind::kSpoolDrop: break;  // never in a transaction
  }
  advance(transaction);
  transaction->check_invariants();
}

void TransactionManager::on_begin_done(const Pointer& transaction, Job& job) {
  const std::vector<Pointer> siblings = std::exchange(transaction->siblings, {});
  if (job.error != nullptr) {
    job.error->transaction = TransactionState::kAborted;
    delivery_.fail(job.request, *job.error);
  }
  on_begun(transaction, job);
  for (const Pointer& sibling : siblings) {
    sibling->job_running = false;
    sibling->idle_since_us = context_.now_us;
    on_begun(sibling, job);
  }
  if (job.error == nullptr && !job.request->is_ended()) {
    if (transaction->opened_by_savepoint) return start_savepoint(transaction, job.request);
    delivery_.succeed(job.request, TransactionState::kOpen);
  }
  for (const Pointer& sibling : siblings) {
    advance(sibling);
    sibling->check_invariants();
  }
}

void TransactionManager::on_begun(const Pointer& transaction, const Job& job) {
  if (job.error != nullptr) return abort(transaction, job.error->message);
  move(*transaction, State::kOpen);
  const std::uint64_t total_us = std::uint64_t{context_.limits.transaction_total_ms_max} * 1000;
  transaction->total_timer = context_.janitor.add(context_.now_us + total_us, [this, transaction] {
    loop_thread.assert_here();
    doom(transaction, CancelReason::kLimit, fmt::format("it was open for {} ms (transaction_total_ms_max)",
                                  context_.limits.transaction_total_ms_max));
  });
  // Its deadline passed or it was cancelled while BEGIN ran: the client believes there is no transaction.
  const bool is_unwanted = job.request->is_ended();
  if (is_unwanted && transaction->abort_reason.empty()) transaction->abort_reason = "its begin was cancelled";
}

void TransactionManager::on_end_done(const Pointer& transaction, Job& job) {
  const bool succeeded = job.error == nullptr;
  if (job.transaction_open) {
    // COMMIT was refused, for a deferred constraint perhaps, and SQLite kept the transaction.
    move(*transaction, State::kOpen);
    job.error->transaction = TransactionState::kOpen;
    return delivery_.fail(job.request, *job.error);
  }
  if (job.kind != JobKind::kCommit) {
    end_cursors(transaction, transaction_error(ErrorCode::kTransactionAborted, TransactionState::kNone,
                                               "the transaction was rolled back"));
  }
  if (job.request == nullptr && transaction->session != nullptr) return abort(transaction, transaction->abort_reason);
  if (!succeeded) {
    job.error->transaction = TransactionState::kAborted;
    delivery_.fail(job.request, *job.error);
    return abort(transaction, job.error->message);
  }
  if (job.request != nullptr) delivery_.succeed(job.request, TransactionState::kNone);
  close(transaction);
}

void TransactionManager::on_savepoint_done(const Pointer& transaction, Job& job) {
  if (!job.transaction_open) {
    const std::string reason = job.error != nullptr ? job.error->message : "SQLite rolled it back";
    delivery_.fail(job.request,
                   transaction_error(ErrorCode::kTransactionAborted, TransactionState::kAborted, reason));
    return abort(transaction, reason);
  }
  if (job.error != nullptr) {
    job.error->transaction = TransactionState::kOpen;
    return delivery_.fail(job.request, *job.error);
  }
  transaction->on_savepoint(job.savepoint_action, job.savepoint);
  delivery_.succeed(job.request, TransactionState::kOpen);
}

void TransactionManager::on_statement_done(const Pointer& transaction, Job& job) {
  const std::shared_ptr<Request>& request = job.request;
  std::erase(transaction->cursors, request);
  request->cursor_open = job.cursor_open;
  if (job.needs_writer) {
    // It changes more than the session's TEMP objects.
    request->transaction = nullptr;
    if (request->is_ended()) return;
    request->stage = Request::Stage::kQueued;
    request->slot = kWriterSlot;
    return writers_.submit(request);
  }
  const bool aborted = !job.transaction_open && !transaction->pinned;
  if (job.error != nullptr) {
    const bool doomed = aborted || !transaction->abort_reason.empty();
    job.error->transaction = doomed ? TransactionState::kAborted : TransactionState::kOpen;
    if (transaction->pinned) job.error->transaction = TransactionState::kNone;
  }
  const std::string reason = job.error != nullptr ? job.error->message : "SQLite rolled it back";
  if (!request->is_ended()) delivery_.deliver(job);
  if (aborted) return abort(transaction, reason);
  if (job.cursor_open) transaction->cursors.push_back(request);
  if (request->is_ended()) return;
  // It was stopped when this batch was done, or its last rows wait for credit that may never come.
  if (request->token.is_cancelled()) return end_parked(request, stopped_error(request->token.reason()));
  park(transaction, request);
}

void TransactionManager::end_parked(const std::shared_ptr<Request>& request, Error error) {
  Transaction& transaction = *request->transaction;
  error.transaction = transaction.state_after_stop(*request);
  delivery_.fail(request, error);
  // Without a job under way this only marks it: the caller goes on with advance().
  if (transaction.abort_on_error && transaction.abort_reason.empty()) {
    transaction.abort_reason = "a request in it was stopped";
  }
}

void TransactionManager::park(const Pointer& transaction, const std::shared_ptr<Request>& request) {
  delivery_.park(request, [this, transaction, request] {
    loop_thread.assert_here();
    request->idle_timer = 0;
    end_parked(request, make_error(ErrorCode::kLimit, fmt::format("the stream was granted no credit for {} ms "
                                                                  "(stream_idle_ms_max)",
                                                                  context_.limits.stream_idle_ms_max)));
    advance(transaction);
  });
}

// ---- events from outside

void TransactionManager::resume(const std::shared_ptr<Request>& request) {
  if (request->stage != Request::Stage::kParked) return;
  delivery_.send_held(request);
  advance(request->transaction);
}

void TransactionManager::on_request_ended(const std::shared_ptr<Request>& request) {
  const Pointer transaction = request->transaction;
  if (transaction->pinned && transaction->state == State::kWaiting) {
    return transaction->is_queued(request) ? void() : replace_opener(transaction);
  }
  if (transaction->is_opened_by(*request)) {
    // There is nothing to roll back, but the client may have sent more.
    abort(transaction, "its begin did not succeed");
    abort_siblings(*transaction);
  } else if (transaction->abort_on_error && transaction->may_still_commit()) {
    doom(transaction, CancelReason::kAborted, "a request in it was stopped");
  }
  advance(transaction);
}

void TransactionManager::abort_siblings(Transaction& leader) {
  const std::vector<Pointer> siblings = std::exchange(leader.siblings, {});
  if (siblings.empty()) return;
  for (const Pointer& sibling : siblings) {
    abort(sibling, "its begin did not succeed");
    advance(sibling);
  }
  readers_.on_group_ended(leader.database);
}

void TransactionManager::end_snapshot(const Pointer& transaction) {
  const Error reason = stopped_error(CancelReason::kWalBudget);
  const TransactionState state = transaction->pinned ? TransactionState::kNone : TransactionState::kAborted;
  for (const auto& request : std::vector(transaction->cursors)) {
    delivery_.fail(request, transaction_error(reason.code, state, reason.message));
  }
  if (!transaction->pinned) return doom(transaction, CancelReason::kWalBudget, reason.message);
  if (transaction->running != nullptr) transaction->running->token.cancel(CancelReason::kWalBudget);
  advance(transaction);
}

void TransactionManager::on_session_closed(const Pointer& transaction) {
  transaction->session = nullptr;
  if (transaction->running != nullptr) transaction->running->token.cancel(CancelReason::kSessionGone);
  transaction->queue.clear();
  const bool holds_others_back = transaction->state == State::kWaiting && !transaction->siblings.empty();
  advance(transaction);
  if (holds_others_back) {
    transaction->siblings.clear();
    readers_.on_group_ended(transaction->database);
  }
}

void TransactionManager::watch_idle(const Pointer& transaction) {
  if (transaction->idle_timer != 0 || transaction->pinned) return;
  const std::uint64_t idle_us = std::uint64_t{context_.limits.transaction_idle_ms_max} * 1000;
  transaction->idle_timer = context_.janitor.add(transaction->idle_since_us + idle_us, [this, transaction, idle_us] {
    loop_thread.assert_here();
    transaction->idle_timer = 0;
    const bool idle = !transaction->job_running && transaction->state == State::kOpen;
    if (idle && context_.now_us >= transaction->idle_since_us + idle_us) {
      return doom(transaction, CancelReason::kLimit, fmt::format("it was idle for {} ms (transaction_idle_ms_max)",
                                           context_.limits.transaction_idle_ms_max));
    }
    if (transaction->state == State::kOpen) {
      if (transaction->job_running) transaction->idle_since_us = context_.now_us;
      watch_idle(transaction);
    }
  });
}

}  // namespace skua
