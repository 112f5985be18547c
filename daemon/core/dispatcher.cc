#include "daemon/core/dispatcher.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "protocol/recycling_allocator.h"
#include "protocol/short_frames.h"
#include "daemon/core/opening_check.h"
#include "daemon/core/request_check.h"
#include "daemon/core/session_replies.h"
#include "daemon/core/statistics.h"

namespace skua {

namespace {

using Class = StatementKind::Class;

// More credit than this is as good as endless, and cannot overflow.
constexpr std::int64_t kCreditBytesMax = std::int64_t{1} << 48;

// A session is alone once nobody else has asked for anything for so long: who comes then may find the loop
// thread in a commit, but not again before it was alone for so long once more.
constexpr std::uint64_t kLonelyUs = 20'000;

}  // namespace

Dispatcher::Dispatcher(DispatcherOptions options, Executor& executor, std::uint64_t now_us)
    : options_(std::move(options)),
      context_{options_.limits, options_.database_names, executor, {}, {}, now_us},
      delivery_(context_),
      readers_(context_, delivery_),
      writers_(context_, delivery_),
      transactions_(context_, delivery_, readers_, writers_),
      backups_(context_, delivery_, readers_, writers_),
      wal_(context_, readers_, writers_, transactions_),
      started_us_(now_us) {
  readers_.set_lane_user(transactions_);
  writers_.set_lane_user(transactions_);
}

// ---- sessions

Result<SessionState*> Dispatcher::open_session(PeerIdentity peer, ReplySink& sink, std::uint64_t now_us) {
  context_.now_us = now_us;
  if (draining_) return make_error(ErrorCode::kUnavailable, "the daemon is shutting down");
  if (sessions_.size() >= options_.limits.sessions_max) {
    return make_error(ErrorCode::kLimit, fmt::format("{} sessions are open, the most (sessions_max): retry later, or "
                                                     "raise it in the configuration",
                                                     sessions_.size()));
  }
  auto session = std::make_unique<SessionState>();
  session->id = ++last_session_id_;
  session->peer = std::move(peer);
  session->sink = &sink;
  ++context_.counters.sessions_total;
  const std::uint64_t hello_us = std::uint64_t{options_.limits.hello_ms_max} * 1000;
  session->hello_timer = context_.janitor.add(now_us + hello_us, [this, state = session.get()] {
    loop_thread.assert_here();
    state->hello_timer = 0;
    refuse_and_close(*state, 0, make_error(ErrorCode::kLimit, fmt::format("no hello within {} ms (hello_ms_max)",
                                                                          options_.limits.hello_ms_max)));
  });
  SessionState* result = session.get();
  sessions_.emplace(result->id, std::move(session));
  return result;
}

void Dispatcher::on_session_closed(SessionState& session, std::uint64_t now_us) {
  context_.now_us = now_us;
  context_.janitor.cancel(session.hello_timer);
  std::vector<RequestPointer> requests;
  for (const auto& [id, request] : session.requests) requests.push_back(request);
  for (const RequestPointer& request : requests) {
    const bool was_parked = request->stage == Request::Stage::kParked;
    request->token.cancel(CancelReason::kSessionGone);
    delivery_.forget(request);
    request->session = nullptr;
    if (request->kind == wire::Request::BACKUP) {
      backups_.on_request_ended(request);
    } else if (was_parked && request->transaction == nullptr) {
      readers_.close_cursor(request);
    }
  }
  const auto transactions = std::move(session.transactions);
  session.transactions.clear();
  for (const auto& [number, transaction] : transactions) transactions_.on_session_closed(transaction);
  const auto pins = std::move(session.pins);
  session.pins.clear();
  for (const auto& [database, pin] : pins) transactions_.on_session_closed(pin);
  if (session.has_rings) --rings_count_;
  sessions_.erase(session.id);
}

void Dispatcher::refuse_and_close(SessionState& session, std::uint64_t request_id, const Error& error) {
  if (session.closing) return;
  ++context_.counters.errors_total;
  session.closing = true;
  session.sink->send(error_response(request_id, error));
  session.sink->close();
}

void Dispatcher::on_broken_stream(SessionState& session, const Error& error) { refuse_and_close(session, 0, error); }

void Dispatcher::on_session_writable(SessionState& session, std::uint64_t now_us) {
  context_.now_us = now_us;
  std::vector<RequestPointer> parked;
  for (const auto& [id, request] : session.requests) {
    if (request->stage == Request::Stage::kParked) parked.push_back(request);
  }
  for (const RequestPointer& request : parked) resume(request);
}

void Dispatcher::close_all_sessions() {
  for (const auto& [id, session] : sessions_) {
    refuse_and_close(*session, 0, make_error(ErrorCode::kUnavailable, "the daemon is shutting down"));
  }
}

void Dispatcher::start_drain(std::uint64_t now_us) {
  context_.now_us = now_us;
  draining_ = true;
  // Work under way may end. What goes on for as long as it likes ends now, and its client is told how far it came.
  std::vector<RequestPointer> in_slices;
  for (const auto& [id, session] : sessions_) {
    for (const auto& [request_id, request] : session->requests) {
      if (request->in_slices) in_slices.push_back(request);
    }
  }
  for (const RequestPointer& request : in_slices) stop(request, CancelReason::kShutdown);
  settle();
}

void Dispatcher::settle() {
  if (!draining_) return;
  for (const auto& [id, session] : sessions_) {
    if (!session->requests.empty() || !session->transactions.empty()) continue;
    refuse_and_close(*session, 0, make_error(ErrorCode::kUnavailable, "the daemon is shutting down"));
  }
}

// ---- requests

void Dispatcher::on_frame(SessionState& session, Frame frame, std::uint64_t now_us) {
  open(session, std::move(frame), now_us);
}

void Dispatcher::on_frame(SessionState& session, FrameView frame, std::uint64_t now_us) { open(session, frame, now_us); }

template <class AnyFrame>
void Dispatcher::open(SessionState& session, AnyFrame&& frame, std::uint64_t now_us) {
  context_.now_us = now_us;
  if (session.closing) return;
  if (session.id != active_session_id_) {
    active_session_id_ = session.id;
    active_since_us_ = now_us;
  }
  ++context_.counters.requests_total;
  const RequestPointer request = std::allocate_shared<Request>(RecyclingAllocator<Request>());
  const Status opened = guarded([&]() -> Status {
    request->message.emplace(std::forward<AnyFrame>(frame));
    return {};
  });
  if (!opened) return refuse_and_close(session, 0, opened.error());
  const RequestMessage::Head& head = request->message->head();
  const std::uint64_t id = head.id;
  if (!session.greeted) {
    Status greeted = guarded([&]() -> Status {
      loop_thread.assert_here();
      return hello(session, *request->message);
    });
    if (!greeted) refuse_and_close(session, id, greeted.error());
    return;
  }
  if (id <= session.last_request_id) {
    // An answer under this id could be taken for the answer to an earlier request.
    return refuse_and_close(session, 0, make_error(ErrorCode::kProtocol,
                                                   fmt::format("request id {} does not follow {}: ids must increase",
                                                               id, session.last_request_id)));
  }
  session.last_request_id = id;
  request->id = id;
  request->kind = head.kind;
  Status handled = guarded([&]() -> Status {
    loop_thread.assert_here();
    return handle(session, request);
  });
  if (!handled) {
    Error error = handled.error();
    // A request that was listed answers for itself.
    error.transaction = refuse_in_transaction(session, head.transaction);
    ++context_.counters.errors_total;
    session.sink->send(error_response(id, error));
  }
  settle();
}

TransactionState Dispatcher::refuse_in_transaction(SessionState& session, std::uint32_t number) {
  const auto found = session.transactions.find(number);
  if (found == session.transactions.end()) return TransactionState::kNone;
  const std::shared_ptr<Transaction> transaction = found->second;
  return transactions_.on_request_refused(transaction);
}

Status Dispatcher::hello(SessionState& session, const RequestMessage& message) {
  const wire::Request::Reader root = message.root();
  if (root.which() != wire::Request::HELLO) {
    return make_error(ErrorCode::kProtocol, "the first request of a session must be hello");
  }
  if (root.getId() == 0) return make_error(ErrorCode::kProtocol, "request id 0 is reserved");
  const wire::Hello::Reader hello = root.getHello();
  if (hello.getVersionMin() > kProtocolVersionMax || hello.getVersionMax() < kProtocolVersionMin) {
    return make_error(ErrorCode::kVersion,
                      fmt::format("the client speaks protocol versions {} to {}, this daemon (skua {}) {} to {}: update "
                                  "the older of the two",
                                  hello.getVersionMin(), hello.getVersionMax(), options_.server_version,
                                  kProtocolVersionMin, kProtocolVersionMax));
  }
  session.greeted = true;
  session.last_request_id = root.getId();
  session.client_name = std::string(view_of(hello.getClientName()).substr(0, kClientNameBytesMax));
  context_.janitor.cancel(std::exchange(session.hello_timer, 0));
  const HelloAnswer answer{std::min<std::uint16_t>(hello.getVersionMax(), kProtocolVersionMax), session.id,
                           options_.server_version, options_.sqlite_version};
  session.sink->send(hello_response(root.getId(), answer, options_.limits, options_.database_names));
  return {};
}

Status Dispatcher::handle(SessionState& session, const RequestPointer& request) {
  const RequestMessage& message = *request->message;
  switch (request->kind) {
    case wire::Request::HELLO: return make_error(ErrorCode::kProtocol, "hello was said already");
    case wire::Request::PING: session.sink->send(done_response(request->id, Summary{})); return {};
    case wire::Request::GRANT: return grant(session, message.root());
    case wire::Request::CANCEL: return cancel(session, message.root());
    case wire::Request::RINGS: return share_rings(session, *request);
    case wire::Request::STATS: return stats(session, message.root());
    case wire::Request::LOCKS: return locks(session, message.root());
    default: return accept(session, request);
  }
}

Status Dispatcher::grant(SessionState& session, wire::Request::Reader root) {
  const std::uint64_t target = root.getGrant().getRequest();
  if (target >= root.getId()) {
    return make_error(ErrorCode::kProtocol, fmt::format("a grant for request {}, which was not sent yet", target));
  }
  const auto found = session.requests.find(target);
  if (found == session.requests.end()) return {};  // it ended while the grant was on its way
  const RequestPointer request = found->second;
  if (request->kind != wire::Request::EXECUTE && request->kind != wire::Request::BACKUP) {
    return make_error(ErrorCode::kProtocol, fmt::format("a grant for request {}, which is no stream", target));
  }
  const auto bytes = static_cast<std::int64_t>(
      std::min<std::uint64_t>(root.getGrant().getBytes(), static_cast<std::uint64_t>(kCreditBytesMax)));
  request->credit_bytes = std::min(request->credit_bytes + bytes, kCreditBytesMax);
  resume(request);
  return {};
}

Status Dispatcher::cancel(SessionState& session, wire::Request::Reader root) {
  const std::uint64_t target = root.getCancel().getRequest();
  if (target >= root.getId()) {
    return make_error(ErrorCode::kProtocol, fmt::format("a cancel of request {}, which was not sent yet", target));
  }
  session.sink->send(done_response(root.getId(), Summary{}));
  if (const auto found = session.requests.find(target); found != session.requests.end()) {
    readers_.on_left(*found->second);
    stop(RequestPointer(found->second), CancelReason::kClient);
  }
  return {};
}

Status Dispatcher::share_rings(SessionState& session, const Request& request) {
  if (session.has_rings) return make_error(ErrorCode::kProtocol, "the session has rings already");
  if (rings_count_ >= options_.limits.rings_max) {
    return make_error(ErrorCode::kLimit, fmt::format("{} sessions share memory with their clients, the most (rings_max): go on "
                                                     "without",
                                                     rings_count_));
  }
  SKUA_TRY(session.sink->share_rings(request.id));
  session.has_rings = true;
  ++rings_count_;
  return {};
}

Status Dispatcher::stats(SessionState& session, wire::Request::Reader root) {
  auto rows = daemon_statistics(context_, readers_, writers_, transactions_, wal_);
  rows.insert(rows.begin(), {{"uptime_ms", (context_.now_us - started_us_) / 1000},
                             {"databases", options_.database_names.size()},
                             {"sessions", sessions_.size()},
                             {"sessions_with_rings", rings_count_}});
  session.sink->send(stats_response(root.getId(), rows));
  return {};
}

Status Dispatcher::locks(SessionState& session, wire::Request::Reader root) {
  // The answer is large for its request.
  SKUA_TRY(check_unread(session));
  const std::string_view name = view_of(root.getDatabase());
  std::vector<DatabaseLock> locks;
  if (name.empty()) {
    for (std::uint16_t i = 0; i < options_.database_names.size(); ++i) locks.push_back(writers_.lock_of(i));
  } else {
    SKUA_ASSIGN(const std::uint16_t database, find_database(name));
    locks.push_back(writers_.lock_of(database));
  }
  session.sink->send(locks_response(root.getId(), locks));
  return {};
}

Status Dispatcher::check_unread(const SessionState& session) const {
  // When all of the memory is taken, whoever has more than an equal share of it has to read first.
  const std::uint64_t memory_max = options_.limits.response_memory_bytes_max;
  if (context_.memory.responses() > memory_max && session.sink->unsent_bytes() > memory_max / sessions_.size()) {
    return make_error(ErrorCode::kLimit, fmt::format("answers take {} bytes (response_memory_bytes_max), {} of them wait for "
                                                     "this session: read them", memory_max, session.sink->unsent_bytes()));
  }
  if (session.sink->unsent_bytes() <= options_.limits.unsent_bytes_per_session_max) return {};
  return make_error(ErrorCode::kLimit, fmt::format("{} bytes of answers wait for this session (unsent_bytes_per_session_max): "
                                                   "read them", session.sink->unsent_bytes()));
}

Status Dispatcher::check_room(const SessionState& session, std::size_t bytes) const {
  const Limits& limits = options_.limits;
  if (session.requests.size() >= limits.requests_per_session_max) {
    return make_error(ErrorCode::kLimit, fmt::format("{} requests of this session are under way, the most "
                                                     "(requests_per_session_max): wait for answers",
                                                     session.requests.size()));
  }
  if (session.request_bytes + bytes > limits.request_bytes_per_session_max) {
    return make_error(ErrorCode::kLimit, fmt::format("the requests under way in this session would have {} bytes, the "
                                                     "most is {} (request_bytes_per_session_max): wait for answers",
                                                     session.request_bytes + bytes,
                                                     limits.request_bytes_per_session_max));
  }
  if (context_.memory.requests + bytes > limits.request_memory_bytes_max) {
    return make_error(ErrorCode::kLimit, fmt::format("the requests of all sessions have {} bytes (request_memory_bytes_max): "
                                                     "retry later, or send less at once", context_.memory.requests));
  }
  return check_unread(session);
}

bool Dispatcher::may_be_read_at_once(const SessionState& session, const Request& request) const {
  return request.kind == wire::Request::EXECUTE && request.statement.statement_class == Class::kRead && !request.has_key &&
         !draining_ && request.message->head().transaction == 0 && !session.transactions.contains(0);
}

Status Dispatcher::accept(SessionState& session, const RequestPointer& request) {
  SKUA_TRY(check_room(session, request->message->byte_count()));
  request->serial = ++last_serial_;
  request->session_id = session.id;
  request->session = &session;
  request->arrival_us = context_.now_us;
  SKUA_TRY(check_request(*request, options_.limits.stream_window_bytes_max, classifier_));
  if (request->kind == wire::Request::EXECUTE) {
    request->credit_bytes = request->window_bytes != 0 ? request->window_bytes : options_.limits.stream_window_bytes;
  } else if (request->kind == wire::Request::BACKUP) {
    request->credit_bytes = options_.limits.stream_window_bytes;
  } else {
    request->credit_bytes = kCreditBytesMax;
  }
  if (may_be_read_at_once(session, *request)) {
    SKUA_ASSIGN(request->database, find_database(request->message->head().database));
    const bool has_own_connection = session.pins.contains(request->database);
    switch (has_own_connection ? ReaderScheduler::AtOnce::kOnLane : readers_.read_at_once(request)) {
      case ReaderScheduler::AtOnce::kEnded: return {};
      case ReaderScheduler::AtOnce::kHeld:
        list(session, request);
        readers_.park(request);
        return {};
      case ReaderScheduler::AtOnce::kLater:
        list(session, request);
        readers_.read_later(request);
        return {};
      case ReaderScheduler::AtOnce::kOnLane: break;
    }
  }
  list(session, request);
  const Status routed = guarded([&]() -> Status {
    loop_thread.assert_here();
    return route(session, request);
  });
  if (!routed) {
    Error error = routed.error();
    error.transaction = refuse_in_transaction(session, request->message->head().transaction);
    delivery_.fail(request, error);
  }
  return {};
}

void Dispatcher::list(SessionState& session, const RequestPointer& request) {
  request->is_listed = true;
  session.requests.emplace(request->id, request);
  session.request_bytes += request->message->byte_count();
  context_.memory.requests += request->message->byte_count();
  const std::uint32_t deadline_ms = request->message->head().deadline_ms;
  if (deadline_ms == 0) return;
  request->deadline_timer = context_.janitor.add(request->arrival_us + std::uint64_t{deadline_ms} * 1000, [this, request] {
    loop_thread.assert_here();
    request->deadline_timer = 0;
    stop(request, CancelReason::kDeadline);
  });
}

Result<std::uint16_t> Dispatcher::find_database(std::string_view name) const {
  const auto& names = options_.database_names;
  if (name.empty()) {
    if (names.size() == 1) return std::uint16_t{0};
    return make_error(ErrorCode::kNotFound,
                      fmt::format("there are several databases, name one: {}", fmt::join(names, ", ")));
  }
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) {
    return make_error(ErrorCode::kNotFound,
                      fmt::format("there is no database '{}'; there is: {}", name, fmt::join(names, ", ")));
  }
  return static_cast<std::uint16_t>(found - names.begin());
}

Status Dispatcher::route(SessionState& session, const RequestPointer& request) {
  const std::uint32_t number = request->message->head().transaction;
  const std::string_view name = request->message->head().database;
  if (const auto existing = session.transactions.find(number); existing != session.transactions.end()) {
    if (request->has_key) {
      return transaction_error(ErrorCode::kTransactionState, TransactionState::kOpen,
                               "an idempotency key is for a request outside of a transaction");
    }
    if (request->in_slices) {
      return transaction_error(ErrorCode::kTransactionState, TransactionState::kOpen,
                               "independent rows are committed in slices, and the transaction is not to be committed: leave "
                               "`independent` out, or send the request outside of the transaction");
    }
    // Held here: the request may end the transaction, and with it the session's entry.
    const std::shared_ptr<Transaction> transaction = existing->second;
    request->database = transaction->database;
    if (!name.empty() && name != options_.database_names[request->database]) {
      return transaction_error(ErrorCode::kTransactionState, TransactionState::kOpen,
                               fmt::format("the transaction is on database '{}', not '{}'",
                                           options_.database_names[request->database], name));
    }
    if (request->kind == wire::Request::BACKUP) {
      return make_error(ErrorCode::kTransactionState, "a backup is no part of a transaction: end the transaction first");
    }
    transactions_.submit(transaction, request);
    return {};
  }
  SKUA_ASSIGN(request->database, find_database(name));
  if (draining_) return make_error(ErrorCode::kUnavailable, "the daemon is shutting down");
  const StatementKind& statement = request->statement;
  if (request->has_key && statement.is_transaction_control()) {
    return make_error(ErrorCode::kTransactionState, "an idempotency key is for a request outside of a transaction");
  }
  const bool is_text = request->kind == wire::Request::EXECUTE;
  if (request->kind == wire::Request::BEGIN ||
      (is_text && (statement.statement_class == Class::kBegin || statement.statement_class == Class::kSavepoint))) {
    return route_opener(session, request, number);
  }
  const bool is_control = request->kind == wire::Request::COMMIT || request->kind == wire::Request::ROLLBACK ||
                          request->kind == wire::Request::SAVEPOINT || statement.is_transaction_control();
  if (number != 0) {
    return make_error(ErrorCode::kTransactionState, fmt::format("transaction {} is not open in this session", number));
  }
  if (request->kind == wire::Request::BACKUP) return backups_.start(request);
  if (is_control) return make_error(ErrorCode::kTransactionState, "no transaction is open in this session");
  // Only single statements can use TEMP objects; programs and executeMany go to the shared lanes, and so does CREATE
  // without the word TEMP, where the schema's name could make a TEMP trigger of it.
  const bool creates_permanent = statement.creates && !statement.creates_temporary;
  if ((is_text && !creates_permanent && !request->has_key) || request->kind == wire::Request::DESCRIBE) {
    if (const auto pin = session.pins.find(request->database); pin != session.pins.end()) {
      transactions_.submit(std::shared_ptr<Transaction>(pin->second), request);
      return {};
    }
    if (statement.creates_temporary) {
      transactions_.open_pin(request, session);
      return {};
    }
  }
  // The answer to a key is in the database, and only the writer may look there without missing one that is being written.
  if (statement.statement_class == Class::kWrite || request->has_key) {
    request->slot = kWriterSlot;
    writers_.submit(request);
  } else {
    readers_.submit(request);
  }
  return {};
}

Status Dispatcher::route_opener(SessionState& session, const RequestPointer& request, std::uint32_t number) {
  SKUA_TRY(check_opening(*request, number, session, options_.limits));
  transactions_.open(request, session, number);
  return {};
}

// ---- stopping and going on

void Dispatcher::stop(const RequestPointer& request, CancelReason reason) {
  request->token.cancel(reason);
  const Request::Stage stage = request->stage;
  const bool withdrawn = stage == Request::Stage::kRunning && WriteScheduler::withdraw(*request);
  if (!withdrawn && stage != Request::Stage::kQueued && stage != Request::Stage::kParked) return;
  // A write that is committed has only rows left to send: it is too late to stop it.
  if (stage == Request::Stage::kParked && request->transaction == nullptr && request->slot == kWriterSlot) {
    return delivery_.finish_early(request);
  }
  Error error = stopped_error(reason);
  if (reason == CancelReason::kDeadline && (withdrawn || request->wait_timer != 0)) {
    error.message += fmt::format(" while it waited for the writer of '{}'{}: retry with more time, or see `skua locks`",
                                 options_.database_names[request->database], writers_.blame(*request));
  }
  if (request->transaction != nullptr) error.transaction = request->transaction->state_after_stop(*request);
  delivery_.fail(request, error);
  if (request->transaction != nullptr) {
    transactions_.on_request_ended(request);
  } else if (request->kind == wire::Request::BACKUP) {
    backups_.on_request_ended(request);
  } else if (stage == Request::Stage::kParked) {
    readers_.close_cursor(request);
  }
  settle();
}

void Dispatcher::resume(const RequestPointer& request) {
  if (request->transaction != nullptr) {
    transactions_.resume(request);
  } else if (request->kind == wire::Request::BACKUP) {
    backups_.resume(request);
  } else {
    readers_.resume(request);
  }
}

void Dispatcher::on_job_done(std::unique_ptr<Job> job, std::uint64_t now_us) {
  context_.now_us = now_us;
  if (job->is_interim) return readers_.on_interim(*job);
  --context_.jobs_under_way;
  const std::uint16_t database = job->database;
  const bool on_writer = job->slot == kWriterSlot;
  if (on_writer) wal_.on_report(database, job->wal);
  if (!on_writer) readers_.on_thread_free(*job);
  const bool is_backup = job->kind == JobKind::kBackupCopy || job->kind == JobKind::kBackupEnd ||
                         job->kind == JobKind::kBackupRead;
  if (is_backup) backups_.on_job_done(*job);
  const bool ends_transaction = job->transaction != nullptr && !job->transaction_open;
  if (on_writer && (ends_transaction || !writers_.is_owned(database))) backups_.on_lane_turn(database, !is_backup);
  if (is_backup) {
    // Its own owner has seen it.
  } else if (job->kind == JobKind::kCheckpoint) {
    wal_.on_checkpoint_done(*job);
  } else if (job->transaction != nullptr) {
    transactions_.on_job_done(std::move(job));
  } else if (on_writer) {
    writers_.on_job_done(std::move(job));
  } else {
    readers_.on_job_done(std::move(job));
  }
  wal_.advance(database);
  settle();
}

void Dispatcher::on_time(std::uint64_t now_us) {
  context_.now_us = now_us;
  context_.janitor.run(now_us);
  while (const RequestPointer request = delivery_.take_waiting_for_memory()) resume(request);
  readers_.on_turn_start();
  settle();
}

void Dispatcher::on_turn_end(std::uint64_t now_us) {
  context_.now_us = now_us;
  readers_.on_turn_end();
  context_.executor.flush(now_us - active_since_us_ >= kLonelyUs);
}

void Dispatcher::on_wait(bool awake) {
  context_.is_awake = awake;
  if (!awake) readers_.on_sleep();
}

std::string Dispatcher::status_line() const {
  return fmt::format("{}{} sessions, {} requests, {} transactions open", draining_ ? "shutting down, " : "",
                     sessions_.size(), context_.counters.requests_total, transactions_.open_count());
}

}  // namespace skua
