// A seeded simulation of core/: many sessions, random requests, faults, cancels, deadlines and deaths, jobs that finish in
// any order. After every step and at the end: no request is answered twice, and when all work is done every request was
// answered exactly once, no connection is leased, no transaction is open and the writer lane is free.
//
//   core_simulation [STEPS] [SEED]      prints its seed; the same seed gives the same run
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <random>
#include <set>

#include "tests/core/core_world.h"

namespace skua::test {
namespace {

class Simulation {
 public:
  Simulation(std::uint64_t seed, std::uint64_t steps) : random_(seed), steps_(steps), world_(limits(seed), {"a", "b"}) {
    world_.executor.on_read_inline = [this](Job& job) { return read_inline(job); };
    world_.executor.on_start_inline = [this](Job& job) { return start_inline(job); };
  }

  void run() {
    for (std::uint64_t i = 0; i < steps_; ++i) {
      step();
      if (i % 512 == 0) check_answers();
    }
    finish();
  }

  std::uint64_t requests() const { return requests_; }
  std::uint64_t inline_reads() const { return inline_reads_; }
  std::uint64_t streams_started() const { return streams_started_; }
  std::uint64_t batches_ahead() const { return batches_ahead_; }

 private:
  static constexpr std::uint64_t kBudget = 1'000;
  static constexpr const char* kReads[] = {"SELECT 1", "SELECT 2", "SELECT 3", "SELECT 4"};

  static Limits limits(std::uint64_t seed) {
    Limits limits;
    limits.sessions_max = 64;
    limits.reader_threads = 3;
    limits.reader_connections_max = 17;  // one of them is for reads that are done at once
    limits.pinned_connections_max = 2;
    limits.siblings_wait_ms_max = 150;
    limits.write_queue_max = 20;
    limits.group_requests_max = 2;
    limits.write_wait_ms_max = 300;
    limits.requests_per_session_max = 30;
    limits.transactions_per_session_max = 5;
    limits.transaction_idle_ms_max = 400;
    limits.transaction_total_ms_max = 3'000;
    limits.stream_idle_ms_max = 500;
    limits.stream_lease_ms_max = 60;
    limits.spool_bytes_max = 20'000;
    limits.spool_total_bytes_max = 60'000;
    // Odd seeds have memory to run ahead, even ones have to wait for it.
    limits.response_memory_bytes_max = seed % 2 == 1 ? 8 * kMiB : 3 * kBatchBytes;
    limits.request_memory_bytes_max = 100'000;
    limits.wal_bytes_max = kBudget;
    limits.wal_drain_ms_max = 100;
    return limits;
  }

  std::uint64_t below(std::uint64_t bound) { return std::uniform_int_distribution<std::uint64_t>(0, bound - 1)(random_); }
  bool chance(unsigned percent) { return below(100) < percent; }

  // On the loop thread a read is done, more or less quickly, or stopped, or refused.
  InlineRead read_inline(Job& job) {
    if (below(300) == 0) return InlineRead::kOverrun;
    if (chance(5)) return InlineRead::kRefused;
    job.frames.push_back(rows_response(job.request->id, below(3) == 0 ? 5'000 : 100, true));
    job.ended = true;
    job.was_short = below(300) != 0;
    ++inline_reads_;
    return InlineRead::kDone;
  }

  InlineRead start_inline(Job& job) {
    if (chance(2)) return InlineRead::kOverrun;
    if (chance(5)) return InlineRead::kRefused;
    job.ended = chance(20);
    job.cursor_open = !job.ended;
    job.started_shortly = job.cursor_open;
    job.frames.push_back(rows_response(job.request->id, 1'000, job.ended));
    ++streams_started_;
    return InlineRead::kDone;
  }

  void step() {
    if (chance(70)) world_.pass_turn();
    world_.wait(chance(50));
    world_.now_us += below(15);
    const std::uint64_t what = below(100);
    if (what < 3) return connect();
    if (what < 4) return disconnect();
    if (what < 10) return world_.pass_ms(below(60));
    if (what < 11) return send_burst();
    if (what < 55 && world_.job_count() > 0) return finish_job();
    send();
  }

  void connect() {
    CoreClient& client = world_.connect();
    if (client.state != nullptr) live_.push_back(&client);
  }

  CoreClient* pick() { return live_.empty() ? nullptr : live_[below(live_.size())]; }

  void disconnect() {
    CoreClient* client = pick();
    if (client == nullptr) return;
    std::erase(live_, client);
    world_.disconnect(*client);
  }

  // A job ends well, with rows and more to come, with an error that spares or kills the transaction, or as a write.
  void finish_job() {
    const std::uint64_t index = pick_job();
    const Job& job = *world_.executor.jobs[index];
    const bool statement = job.kind == JobKind::kRequest || job.kind == JobKind::kContinue;
    if (job.kind == JobKind::kCheckpoint) return finish_checkpoint(index);
    if (job.kind == JobKind::kBackupCopy && chance(70)) return world_.copy_slice(chance(30), index);
    if (job.kind == JobKind::kSpool && chance(80)) return world_.spool(below(12'000), chance(80), index);
    if (job.kind == JobKind::kSpoolRead && chance(70)) return world_.read_spool(3'000, chance(80), index);
    if (job.without_cursor && chance(30)) return world_.need_cursor(index);
    if (job.kind == JobKind::kBackupRead && chance(60)) return world_.stream(200'000, index);
    if (job.slot == kWriterSlot) world_.log_bytes[job.database] += below(kBudget / 4);
    const bool is_execute = statement && job.request->kind == wire::Request::EXECUTE;
    if (statement && job.request->token.is_cancelled() && chance(80)) {
      return world_.fail(ErrorCode::kCancelled, chance(50), index);
    }
    if (job.kind == JobKind::kRequest && job.slot != kWriterSlot && !job.is_inside_transaction() && chance(5)) {
      return world_.refuse_as_write(index);
    }
    if (job.slices != nullptr && chance(60)) return world_.slice(1 + below(1'000), index);
    const bool is_short_text = is_execute && (job.request->sql == kReads[0] || job.request->sql == kReads[1]);
    if (is_short_text && job.transaction == nullptr && chance(98)) return world_.succeed_shortly(index);
    const bool may_stream = is_execute && !job.without_cursor && (job.transaction != nullptr || job.slot != kWriterSlot);
    if (may_stream && job.kind == JobKind::kContinue && job.request->wanted_bytes > 0 && chance(50)) {
      ++batches_ahead_;
      return world_.stream_on(below(3) == 0 ? 200'000 : 3'000, index);
    }
    if (may_stream && job.kind == JobKind::kRequest && chance(20)) return world_.stream_shortly(3'000, index);
    if (may_stream && chance(40)) return world_.stream(below(3) == 0 ? 200'000 : 3'000, index);
    if (is_execute && job.transaction == nullptr && chance(80)) return world_.succeed_shortly(index);
    const bool may_fail = job.kind != JobKind::kRollback && job.kind != JobKind::kClose &&
                          job.kind != JobKind::kDiscard && job.kind != JobKind::kBackupEnd &&
                          job.kind != JobKind::kSpoolDrop;
    if (may_fail && chance(10)) return world_.fail(ErrorCode::kConstraint, chance(60) && job.kind != JobKind::kBegin, index);
    world_.succeed(index);
  }

  // Whether readers still need the log is left to chance; that a checkpoint fails is rare.
  void finish_checkpoint(std::uint64_t index) {
    if (chance(5)) return world_.fail(ErrorCode::kIo, false, index);
    world_.checkpoint(chance(50), index);
  }

  // Any job of a reader, or the oldest of a writer.
  std::uint64_t pick_job() {
    while (true) {
      const std::uint64_t index = below(world_.job_count());
      const Job& job = *world_.executor.jobs[index];
      if (job.slot != kWriterSlot || world_.executor.is_first(job)) return index;
    }
  }

  void send() {
    CoreClient* client = pick();
    if (client == nullptr) return connect();
    const char* kSql[] = {kReads[below(4)], "INSERT INTO t VALUES (1)", "BEGIN",      "COMMIT",      "ROLLBACK",
                                 "SAVEPOINT s",  "RELEASE s",                "ROLLBACK TO s", "BEGIN READ ONLY",
                                 "CREATE TEMP VIEW v AS SELECT 1"};
    const auto number = static_cast<std::uint32_t>(below(6));
    const char* database = chance(50) ? "a" : "b";
    std::uint64_t id = 0;
    const std::uint64_t what = below(100);
    if (what < 60) {
      id = world_.send(*client, [&](wire::Request::Builder request) {
        request.setTransaction(number);
        request.setDatabase(database);
        if (chance(20)) request.setDeadlineMs(static_cast<std::uint32_t>(1 + below(100)));
        request.initExecute().setSql(kSql[chance(70) ? below(2) : below(10)]);
        request.getExecute().setWindowBytes(chance(50) ? 1 : 0);
      });
    } else if (what < 65) {
      id = world_.send(*client, [&](wire::Request::Builder request) {
        request.setTransaction(chance(70) ? 0 : number);
        request.setDatabase(database);
        if (chance(20)) request.setDeadlineMs(static_cast<std::uint32_t>(1 + below(100)));
        request.initExecuteMany().setSql("INSERT INTO t VALUES (?)");
        request.getExecuteMany().setIndependent(chance(70));
      });
    } else if (what < 68) {
      id = world_.send(*client, [&](wire::Request::Builder request) {
        request.setTransaction(chance(90) ? 0 : number);
        request.setDatabase(database);
        if (chance(20)) request.setDeadlineMs(static_cast<std::uint32_t>(1 + below(100)));
        request.setBackup();
      });
    } else if (what < 75) {
      id = world_.send(*client, [&](wire::Request::Builder request) {
        request.setTransaction(number);
        request.setDatabase(database);
        auto begin = request.initBegin();
        begin.setMode(chance(50) ? wire::TransactionMode::READ : wire::TransactionMode::WRITE);
        if (chance(50)) add_siblings(begin, number);
        begin.setOnError(chance(50) ? wire::TransactionErrorMode::KEEP : wire::TransactionErrorMode::ABORT);
      });
    } else if (what < 80) {
      id = world_.commit(*client, number);
    } else if (what < 86) {
      id = world_.rollback(*client, number);
    } else if (what < 93) {
      id = world_.cancel(*client, 1 + below(client->last_id));
    } else {
      world_.grant(*client, 1 + below(client->last_id), below(300'000));
      return;  // has no answer
    }
    ++requests_;
    expected_[client].insert(id);
  }

  // Mostly such that they can be opened.
  void add_siblings(wire::Begin::Builder begin, std::uint32_t number) {
    if (chance(90)) begin.setMode(wire::TransactionMode::READ);
    const auto count = static_cast<unsigned>(1 + below(2));
    auto siblings = begin.initSiblings(count);
    for (unsigned i = 0; i < count; ++i) {
      const std::uint32_t other = chance(90) ? (number + i) % 5 + 1 : number;
      siblings.set(i, other);
    }
  }

  // More short reads than one session, and now and then than all of them, may run in a turn.
  void send_burst() {
    for (std::uint64_t left = below(300); left > 0; --left) {
      if (CoreClient* client = chance(50) && !live_.empty() ? live_.front() : pick(); client != nullptr) {
        const std::uint64_t id = world_.send(*client, [&](wire::Request::Builder request) {
          request.setDatabase("a");
          request.initExecute().setSql(kReads[below(2)]);
        });
        ++requests_;
        expected_[client].insert(id);
      }
    }
  }

  void check_answers() {
    for (const auto& [client, ids] : expected_) {
      for (const std::uint64_t id : ids) {
        if (client->state != nullptr && client->terminal_answers_to(id) > 1) fail(fmt::format("{} answered twice", id));
      }
    }
  }

  // Lets everything end: no more requests, all streams granted, and enough time for forgotten transactions to go.
  void finish() {
    for (int round = 0; round < 200; ++round) {
      world_.pass_turn();
      world_.wait(false);
      while (world_.job_count() > 0) world_.succeed(pick_job());
      for (CoreClient* client : live_) {
        for (const std::uint64_t id : expected_[client]) {
          if (client->answer_to(id) == nullptr) world_.grant(*client, id, 1 << 20);
        }
      }
      if (round % 2 == 1) world_.pass_ms(500);
    }
    for (CoreClient* client : live_) {
      for (const std::uint64_t id : expected_[client]) {
        if (client->terminal_answers_to(id) != 1) {
          fail(fmt::format("request {} has {} answers", id, client->terminal_answers_to(id)));
        }
      }
    }
    for (CoreClient* client : live_) world_.disconnect(*client);
    world_.pass_turn();
    while (world_.job_count() > 0) world_.succeed(pick_job());
    check_nothing_left();
  }

  void check_nothing_left() {
    loop_thread.assert_here();
    const std::string status = world_.dispatcher->status_line();
    if (status.find("0 sessions") != 0 || status.find("0 transactions open") == std::string::npos) fail(status);
    live_.clear();
    world_.executor.on_read_inline = nullptr;
    world_.executor.on_start_inline = nullptr;
    if (steps_ >= 20'000 && streams_started_ == 0) fail("no stream was started on the loop thread");
    CoreClient& last = world_.connect();
    for (const char* name : {"spool_bytes", "response_memory_bytes", "request_memory_bytes", "reader_connections_leased"}) {
      if (const std::uint64_t left = world_.counter(last, name); left != 0) fail(fmt::format("{} is {}", name, left));
    }
    CoreClient& other = world_.connect();  // a session may not have all reader threads
    const auto send_to = [&](CoreClient& client, const char* database, const char* sql) {
      return world_.send(client, [&](wire::Request::Builder request) {
        request.setDatabase(database);
        request.initExecute().setSql(sql);
      });
    };
    // Every reader connection and both writers are free: what is sent now runs now.
    for (int i = 0; i < 2; ++i) send_to(last, "a", "SELECT 1");
    send_to(other, "a", "SELECT 1");
    send_to(last, "a", "DELETE FROM t");
    send_to(last, "b", "DELETE FROM t");
    if (world_.job_count() != 5) fail(fmt::format("a lane is still taken: {} jobs run of 5", world_.job_count()));
  }

  [[noreturn]] void fail(const std::string& what) {
    fmt::print(stderr, "FAILED: {}\n", what);
    std::exit(1);
  }

  std::mt19937_64 random_;
  const std::uint64_t steps_;
  CoreWorld world_;
  std::vector<CoreClient*> live_;
  std::map<CoreClient*, std::set<std::uint64_t>> expected_;
  std::uint64_t requests_ = 0;
  std::uint64_t inline_reads_ = 0;
  std::uint64_t streams_started_ = 0;
  std::uint64_t batches_ahead_ = 0;
};

}  // namespace
}  // namespace skua::test

int main(int argc, char** argv) {
  const std::uint64_t steps = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 20'000;
  const char* from_environment = std::getenv("SKUA_TEST_SEED");
  std::uint64_t seed = std::random_device{}();
  if (from_environment != nullptr) seed = std::strtoull(from_environment, nullptr, 10);
  if (argc > 2) seed = std::strtoull(argv[2], nullptr, 10);
  fmt::print("seed {}, {} steps\n", seed, steps);
  std::fflush(stdout);
  spdlog::set_level(spdlog::level::critical);  // every drain is worth a line to an operator
  skua::test::Simulation simulation(seed, steps);
  simulation.run();
  fmt::print("{} requests, each answered exactly once, {} of them on the loop thread; {} streams began there, {} batches were made "
             "ahead\n",
             simulation.requests(), simulation.inline_reads(), simulation.streams_started(), simulation.batches_ahead());
  return 0;
}
