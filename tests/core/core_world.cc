#include "tests/core/core_world.h"

#include <algorithm>
#include <utility>

#include "protocol/lock_codec.h"
#include "protocol/row_batch.h"
#include "protocol/short_frames.h"

namespace skua::test {

namespace {

constexpr std::uint64_t kMsUs = 1000;

// The answer to `stats`.
std::map<std::string, std::uint64_t> read_counters(wire::Rows::Reader rows) {
  std::map<std::string, std::uint64_t> counters;
  const auto batch = RowBatchReader::open(rows.getBatch());
  SKUA_CHECK(batch.has_value());
  for (std::size_t row = 0; row < batch->row_count(); ++row) {
    counters[std::string(batch->at(row, 0).bytes())] = static_cast<std::uint64_t>(batch->at(row, 1).integer());
  }
  return counters;
}

}  // namespace

Frame rows_response(std::uint64_t request, std::size_t bytes, bool ends) {
  FrameBuilder frame(bytes / 8 + 64);
  auto response = frame.initRoot<wire::Response>();
  response.setId(request);
  auto rows = response.initRows();
  rows.initBatch().initColumns(1)[0].initTexts().initData(static_cast<kj::uint>(bytes));
  if (ends) write_summary(Summary{}, rows.initDone());
  return frame.finish();
}

void HeldExecutor::run_on_writer(std::unique_ptr<Job> job) {
  Job& added = *job;
  jobs.push_back(std::move(job));
  if (is_first(added)) start_next_write(added.database);
}

bool HeldExecutor::is_first(const Job& job) const {
  for (const auto& other : jobs) {
    if (other->slot == kWriterSlot && other->database == job.database) return other.get() == &job;
  }
  return false;
}

std::unique_ptr<Job> HeldExecutor::start_next_write(std::uint16_t database) {
  const auto next = std::find_if(jobs.begin(), jobs.end(), [&](const std::unique_ptr<Job>& job) {
    return job->slot == kWriterSlot && job->database == database;
  });
  if (next == jobs.end() || (*next)->transaction != nullptr || (*next)->request == nullptr) return nullptr;
  if ((*next)->request->token.start()) return nullptr;
  std::unique_ptr<Job> withdrawn = std::move(*next);
  jobs.erase(next);
  return withdrawn;
}

void CoreClient::send(Frame frame) {
  MessageView view(frame.view());
  const auto response = view.root<wire::Response>();
  Answer answer;
  answer.id = response.getId();
  answer.terminal = response.isRows() ? response.getRows().hasDone() : !response.isProgress();
  if (response.isError()) answer.error = read_error(response.getError());
  if (response.isRows() && response.getRows().getColumns().size() == 2) answer.counters = read_counters(response.getRows());
  if (response.isLocks()) answer.locks = read_locks(response.getLocks());
  if (answer.terminal) terminal_[answer.id].push_back(answers.size());
  answers.push_back(std::move(answer));
}

const Answer* CoreClient::answer_to(std::uint64_t id) const {
  const auto found = terminal_.find(id);
  return found == terminal_.end() ? nullptr : &answers[found->second.front()];
}

std::size_t CoreClient::terminal_answers_to(std::uint64_t id) const {
  const auto found = terminal_.find(id);
  return found == terminal_.end() ? 0 : found->second.size();
}

CoreWorld::CoreWorld(Limits limits, std::vector<std::string> databases) {
  loop_thread.adopt();
  DispatcherOptions options{limits, std::move(databases), "test", "test"};
  dispatcher = std::make_unique<Dispatcher>(std::move(options), executor, now_us);
}

CoreWorld::~CoreWorld() {
  if (dispatcher == nullptr) return;
  for (const auto& [client, owned] : clients) {
    if (client->state != nullptr) disconnect(*client);
  }
  settle();
}

CoreClient& CoreWorld::connect_silently() {
  loop_thread.assert_here();
  auto client = std::make_unique<CoreClient>();
  CoreClient& result = *client;
  auto state = dispatcher->open_session({}, result, now_us);
  if (state) result.state = *state;
  clients.emplace(&result, std::move(client));
  return result;
}

CoreClient& CoreWorld::connect() {
  CoreClient& client = connect_silently();
  if (client.state == nullptr) return client;
  send(client, [](wire::Request::Builder request) {
    auto hello = request.initHello();
    hello.setVersionMin(1);
    hello.setVersionMax(1);
  });
  return client;
}

void CoreWorld::disconnect(CoreClient& client) {
  loop_thread.assert_here();
  dispatcher->on_session_closed(*client.state, now_us);
  client.state = nullptr;
  client.closed = true;
}

std::uint64_t CoreWorld::send(CoreClient& client, const Fill& fill) {
  loop_thread.assert_here();
  FrameBuilder frame;
  auto request = frame.initRoot<wire::Request>();
  request.setId(++client.last_id);
  fill(request);
  client.last_id = request.getId();
  const std::uint64_t id = request.getId();
  dispatcher->on_frame(*client.state, frame.finish(), now_us);
  return id;
}

std::uint64_t CoreWorld::execute(CoreClient& client, const std::string& sql, std::uint32_t transaction,
                                 std::uint32_t deadline_ms, std::uint32_t window_bytes) {
  return send(client, [&](wire::Request::Builder request) {
    request.setTransaction(transaction);
    request.setDeadlineMs(deadline_ms);
    auto execute = request.initExecute();
    execute.setSql(sql);
    execute.setWindowBytes(window_bytes);
  });
}

std::uint64_t CoreWorld::execute_many(CoreClient& client, bool independent, std::uint32_t transaction,
                                      std::uint32_t deadline_ms) {
  return send(client, [&](wire::Request::Builder request) {
    request.setTransaction(transaction);
    request.setDeadlineMs(deadline_ms);
    auto many = request.initExecuteMany();
    many.setSql("INSERT INTO t VALUES (?)");
    many.setIndependent(independent);
  });
}

std::uint64_t CoreWorld::begin(CoreClient& client, std::uint32_t transaction, bool read_only, bool keep) {
  return send(client, [&](wire::Request::Builder request) {
    request.setTransaction(transaction);
    auto begin = request.initBegin();
    begin.setMode(read_only ? wire::TransactionMode::READ : wire::TransactionMode::WRITE);
    begin.setOnError(keep ? wire::TransactionErrorMode::KEEP : wire::TransactionErrorMode::ABORT);
  });
}

std::uint64_t CoreWorld::commit(CoreClient& client, std::uint32_t transaction) {
  return send(client, [&](wire::Request::Builder request) {
    request.setTransaction(transaction);
    request.setCommit();
  });
}

std::uint64_t CoreWorld::rollback(CoreClient& client, std::uint32_t transaction) {
  return send(client, [&](wire::Request::Builder request) {
    request.setTransaction(transaction);
    request.setRollback();
  });
}

std::uint64_t CoreWorld::cancel(CoreClient& client, std::uint64_t target) {
  return send(client, [&](wire::Request::Builder request) { request.initCancel().setRequest(target); });
}

std::uint64_t CoreWorld::grant(CoreClient& client, std::uint64_t target, std::uint64_t bytes) {
  return send(client, [&](wire::Request::Builder request) {
    request.initGrant().setRequest(target);
    request.getGrant().setBytes(bytes);
  });
}

std::vector<DatabaseLock> CoreWorld::locks(CoreClient& client) {
  const std::uint64_t id = send(client, [](wire::Request::Builder request) { request.setLocks(); });
  const Answer* answer = client.answer_to(id);
  SKUA_CHECK(answer != nullptr && !answer->error);
  return answer->locks;
}

std::uint64_t CoreWorld::counter(CoreClient& client, const std::string& name) {
  const std::uint64_t id = send(client, [](wire::Request::Builder request) { request.setStats(); });
  const Answer* answer = client.answer_to(id);
  SKUA_CHECK(answer != nullptr && answer->counters.count(name) == 1);
  return answer->counters.at(name);
}

Job& CoreWorld::job() const {
  SKUA_CHECK(!executor.jobs.empty());
  return *executor.jobs.front();
}

std::unique_ptr<Job> CoreWorld::take(std::size_t index) {
  SKUA_CHECK(index < executor.jobs.size());
  std::unique_ptr<Job> job = std::move(executor.jobs[index]);
  executor.jobs.erase(executor.jobs.begin() + static_cast<std::ptrdiff_t>(index));
  return job;
}

void CoreWorld::done(std::unique_ptr<Job> job) {
  loop_thread.assert_here();
  const std::uint16_t database = job->database;
  const bool wrote = job->slot == kWriterSlot;
  if (wrote) job->wal.bytes = log_bytes[database];
  dispatcher->on_job_done(std::move(job), now_us);
  if (wrote) start_writes(database);
}

void CoreWorld::start_writes(std::uint16_t database) {
  loop_thread.assert_here();
  while (std::unique_ptr<Job> withdrawn = executor.start_next_write(database)) {
    dispatcher->on_job_done(std::move(withdrawn), now_us);
  }
}

void CoreWorld::checkpoint(bool emptied, std::size_t index) {
  std::unique_ptr<Job> job = take(index);
  SKUA_CHECK(job->kind == JobKind::kCheckpoint);
  job->log_emptied = emptied;
  if (emptied) log_bytes[job->database] = 0;
  done(std::move(job));
}

void CoreWorld::copy_slice(bool complete, std::size_t index) {
  std::unique_ptr<Job> job = take(index);
  SKUA_CHECK(job->kind == JobKind::kBackupCopy);
  job->pages_done = 1;
  job->pages_total = complete ? 1 : 2;
  job->slice_us = kSliceUs;
  if (complete) job->backup_file = std::make_shared<BackupFile>();
  done(std::move(job));
}

void CoreWorld::succeed(std::size_t index) {
  SKUA_CHECK(index < executor.jobs.size());
  if (executor.jobs[index]->kind == JobKind::kCheckpoint) return checkpoint(true, index);
  if (executor.jobs[index]->kind == JobKind::kBackupCopy) return copy_slice(true, index);
  if (executor.jobs[index]->kind == JobKind::kSpool) return spool(1'000, false, index);
  std::unique_ptr<Job> job = take(index);
  const bool ends = job->kind == JobKind::kCommit || job->kind == JobKind::kRollback || job->kind == JobKind::kDiscard;
  job->transaction_open = job->transaction != nullptr && !ends;
  const bool is_last = job->kind == JobKind::kRequest || job->kind == JobKind::kContinue;
  if (is_last || job->kind == JobKind::kBackupRead || job->kind == JobKind::kSpoolRead) {
    job->frames.push_back(done_response(job->request->id, Summary{}));
    job->ended = true;
  }
  done(std::move(job));
}

void CoreWorld::succeed_shortly(std::size_t index) {
  SKUA_CHECK(index < executor.jobs.size());
  executor.jobs[index]->was_short = true;
  succeed(index);
}

void CoreWorld::fail(ErrorCode code, bool transaction_survives, std::size_t index) {
  std::unique_ptr<Job> job = take(index);
  job->error = std::make_unique<Error>(make_error(code, "made to fail"));
  job->transaction_open = job->transaction != nullptr && transaction_survives && !job->rollback_on_error;
  done(std::move(job));
}

void CoreWorld::refuse_as_write(std::size_t index) {
  std::unique_ptr<Job> job = take(index);
  job->needs_writer = true;
  done(std::move(job));
}

void CoreWorld::succeed_with_rows(std::size_t bytes, std::size_t index) {
  std::unique_ptr<Job> job = take(index);
  // The first is sent, be there credit or not.
  job->frames.push_back(rows_response(job->request->id, bytes));
  job->frames.push_back(rows_response(job->request->id, bytes, true));
  job->ended = true;
  job->transaction_open = job->transaction != nullptr;
  done(std::move(job));
}

void CoreWorld::stream(std::size_t bytes, std::size_t index) {
  std::unique_ptr<Job> job = take(index);
  job->frames.push_back(rows_response(job->request->id, bytes));
  job->cursor_open = true;
  job->transaction_open = job->transaction != nullptr;
  done(std::move(job));
}

void CoreWorld::need_cursor(std::size_t index) {
  std::unique_ptr<Job> job = take(index);
  SKUA_CHECK(job->without_cursor);
  job->needs_cursor = true;
  done(std::move(job));
}

void CoreWorld::spool(std::uint64_t bytes, bool more, std::size_t index) {
  std::unique_ptr<Job> job = take(index);
  SKUA_CHECK(job->kind == JobKind::kSpool);
  if (job->spool_file == nullptr) job->spool_file = std::make_shared<HeldFile>();
  auto& file = static_cast<HeldFile&>(*job->spool_file);
  job->cursor_open = more;
  file.complete = !more;
  bytes += std::exchange(file.pending_bytes, 0);
  if (bytes <= job->spool_room_bytes) {
    file.bytes += bytes;
  } else {
    file.pending_bytes = bytes;
  }
  job->spool_bytes = file.bytes;
  job->spool_pending_bytes = file.pending_bytes;
  job->spool_has_rows = true;
  done(std::move(job));
}

void CoreWorld::read_spool(std::size_t bytes, bool more, std::size_t index) {
  std::unique_ptr<Job> job = take(index);
  SKUA_CHECK(job->kind == JobKind::kSpoolRead);
  auto& file = static_cast<HeldFile&>(*job->spool_file);
  job->ended = !more && file.complete;
  job->frames.push_back(rows_response(job->request->id, bytes, job->ended));
  job->spool_has_rows = more;
  if (!more) file.pending_bytes = 0;
  job->spool_pending_bytes = file.pending_bytes;
  done(std::move(job));
}

void CoreWorld::stream_shortly(std::size_t bytes, std::size_t index) {
  executor.jobs.at(index)->started_shortly = true;
  stream(bytes, index);
}

void CoreWorld::stream_on(std::size_t bytes, std::size_t index) {
  const Job& job = *executor.jobs.at(index);
  auto interim = std::make_unique<Job>();
  interim->is_interim = true;
  interim->database = job.database;
  interim->slot = job.slot;
  interim->request = job.request;
  interim->frames.push_back(rows_response(job.request->id, bytes));
  done(std::move(interim));
}

void CoreWorld::slice(std::uint64_t rows, std::size_t index) {
  std::unique_ptr<Job> job = take(index);
  SKUA_CHECK(job->slices != nullptr && !job->slices->more);
  job->slices->rows_done += rows;
  job->slices->more = true;
  done(std::move(job));
}

void CoreWorld::settle() {
  while (job_count() > 0) succeed();
}

void CoreWorld::pass_turn() {
  loop_thread.assert_here();
  dispatcher->on_turn_end(now_us);
  const std::optional<std::uint64_t> next_us = dispatcher->next_time_us();
  if (next_us && *next_us <= now_us) dispatcher->on_time(now_us);
}

void CoreWorld::wait(bool awake) {
  loop_thread.assert_here();
  dispatcher->on_wait(awake);
}

void CoreWorld::pass_ms(std::uint64_t ms) {
  loop_thread.assert_here();
  now_us += ms * kMsUs;
  dispatcher->on_time(now_us);
}

}  // namespace skua::test
