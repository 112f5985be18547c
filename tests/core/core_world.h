// CoreWorld: all of core/ without sockets, threads, files or a clock: jobs wait until a test finishes them, time passes
// when a test says so, and every response is read back. Used by the unit tests and by the seeded simulation.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "daemon/core/dispatcher.h"

namespace skua::test {

// Keeps the jobs that core/ starts until they are taken. As in the real lane, a database's oldest write has been started,
// and those behind it may still be withdrawn.
class HeldExecutor final : public Executor {
 public:
  void run_on_reader(std::unique_ptr<Job> job) override { jobs.push_back(std::move(job)); }
  void run_on_writer(std::unique_ptr<Job> job) override;
  // The database's oldest write if it was withdrawn, taken out; null if it is to run.
  std::unique_ptr<Job> start_next_write(std::uint16_t database);
  // True if the lane has no older write to do first.
  bool is_first(const Job& job) const;
  void flush(bool lonely) override { was_lonely = lonely; }

  InlineRead read_inline(Job& job) override { return on_read_inline ? on_read_inline(job) : InlineRead::kRefused; }
  InlineRead start_inline(Job& job) override { return on_start_inline ? on_start_inline(job) : InlineRead::kRefused; }
  void end_inline_snapshot(std::uint16_t) override { ++inline_snapshots_ended; }

  // What the last flush() was told.
  bool was_lonely = false;
  std::deque<std::unique_ptr<Job>> jobs;
  // What comes of a read on the loop thread. Without it there are none.
  std::function<InlineRead(Job&)> on_read_inline;
  // The same of a stream's first batch.
  std::function<InlineRead(Job&)> on_start_inline;
  std::size_t inline_snapshots_ended = 0;
};

// What a stream's file would hold.
class HeldFile final : public SpoolFile {
 public:
  std::uint64_t bytes = 0;
  std::uint64_t pending_bytes = 0;
  bool complete = false;
};

// A response with about so many bytes of rows; the last one of its request if `ends`.
Frame rows_response(std::uint64_t request, std::size_t bytes, bool ends = false);

struct Answer {
  std::uint64_t id = 0;
  bool terminal = false;
  std::optional<Error> error;  // of a response that is one
  std::vector<DatabaseLock> locks;
  std::map<std::string, std::uint64_t> counters;  // of `stats`
};

class CoreClient final : public ReplySink {
 public:
  void send(Frame frame) override;
  std::size_t unsent_bytes() const override { return unsent; }
  void close() override { closed = true; }

  // The terminal answer to a request, if it came.
  const Answer* answer_to(std::uint64_t id) const;
  std::size_t terminal_answers_to(std::uint64_t id) const;

  SessionState* state = nullptr;
  std::uint64_t last_id = 0;
  std::size_t unsent = 0;
  bool closed = false;
  std::vector<Answer> answers;

 private:
  // Where in `answers` the terminal ones to a request are.
  std::unordered_map<std::uint64_t, std::vector<std::size_t>> terminal_;
};

class CoreWorld {
 public:
  explicit CoreWorld(Limits limits = {}, std::vector<std::string> databases = {"main"});
  // Closes every session and finishes every job: what is then still alive is a leak.
  ~CoreWorld();
  CoreWorld(const CoreWorld&) = delete;
  CoreWorld& operator=(const CoreWorld&) = delete;

  CoreClient& connect();
  // Connects without saying hello.
  CoreClient& connect_silently();
  void disconnect(CoreClient& client);

  // Each sends one request and returns its id.
  using Fill = std::function<void(wire::Request::Builder)>;
  std::uint64_t send(CoreClient& client, const Fill& fill);
  std::uint64_t execute(CoreClient& client, const std::string& sql, std::uint32_t transaction = 0,
                        std::uint32_t deadline_ms = 0, std::uint32_t window_bytes = 0);
  // An executeMany; with `independent`, in slices.
  std::uint64_t execute_many(CoreClient& client, bool independent, std::uint32_t transaction = 0,
                             std::uint32_t deadline_ms = 0);
  std::uint64_t begin(CoreClient& client, std::uint32_t transaction, bool read_only = false, bool keep = true);
  std::uint64_t commit(CoreClient& client, std::uint32_t transaction);
  std::uint64_t rollback(CoreClient& client, std::uint32_t transaction);
  std::uint64_t cancel(CoreClient& client, std::uint64_t request);
  // Asks who has the writers; the answer is there at once.
  std::vector<DatabaseLock> locks(CoreClient& client);
  // One counter of `stats`.
  std::uint64_t counter(CoreClient& client, const std::string& name);
  std::uint64_t grant(CoreClient& client, std::uint64_t request, std::uint64_t bytes);

  std::size_t job_count() const { return executor.jobs.size(); }
  // The oldest job under way; there must be one.
  Job& job() const;
  // Each finishes the oldest job, or the one at `index`.
  void succeed(std::size_t index = 0);
  void fail(ErrorCode code, bool transaction_survives, std::size_t index = 0);
  void refuse_as_write(std::size_t index = 0);
  // It succeeds, and took so little that the loop thread could have run it.
  void succeed_shortly(std::size_t index = 0);
  // The oldest job, or the one at `index`, is a checkpoint of the log: it empties it, or readers still need it.
  void checkpoint(bool emptied, std::size_t index = 0);
  static constexpr std::uint64_t kSliceUs = 5'000;
  // The oldest job, or the one at `index`, copies a slice for a backup in kSliceUs: not the last, or the last.
  void copy_slice(bool complete, std::size_t index = 0);
  // It succeeds with rows of about `bytes`.
  void succeed_with_rows(std::size_t bytes, std::size_t index = 0);
  // A batch of about `bytes`, with more to come.
  void stream(std::size_t bytes, std::size_t index = 0);
  // The same, and it came to it so quickly that the loop thread could have done it.
  void stream_shortly(std::size_t bytes, std::size_t index = 0);
  // A batch ahead of the job itself, which goes on.
  void stream_on(std::size_t bytes, std::size_t index = 0);
  // The oldest job, or the one at `index`, was for a first batch only, and there are more rows.
  void need_cursor(std::size_t index = 0);
  // The oldest job, or the one at `index`, has put a batch of so many bytes into a stream's file, beside it if it has no room.
  void spool(std::uint64_t bytes, bool more, std::size_t index = 0);
  // The oldest job, or the one at `index`, has read a batch back, and there are more in the file or there are not.
  void read_spool(std::size_t bytes, bool more, std::size_t index = 0);
  // The oldest job, or the one at `index`, has committed so many rows of a request in slices, and more are left.
  void slice(std::uint64_t rows, std::size_t index = 0);
  // Finishes jobs until there are none.
  void settle();

  // Ends a turn of the loop, and begins the next if there is something to do at once.
  void pass_turn();
  // The loop waits for more to happen, and does not sleep meanwhile, or does.
  void wait(bool awake);
  void pass_ms(std::uint64_t ms);

  // What the writers' jobs report as the size of their database's log from now on.
  std::map<std::uint16_t, std::uint64_t> log_bytes;
  HeldExecutor executor;
  std::uint64_t now_us = 1'000'000;
  std::unique_ptr<Dispatcher> dispatcher;
  std::map<CoreClient*, std::unique_ptr<CoreClient>> clients;

 private:
  std::unique_ptr<Job> take(std::size_t index);
  void done(std::unique_ptr<Job> job);
  void start_writes(std::uint16_t database);
};

}  // namespace skua::test
