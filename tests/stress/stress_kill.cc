// stress_kill: clients that are killed with SIGKILL while they hold something, over and over.
//
// Inside a write transaction: the next writer goes on within 100 ms, whether it was waiting already or comes
// later, and nothing of the dead client's changes is left. In the middle of a stream: after thousands of them
// the daemon has the memory, the descriptors, the leases and the sessions that it had after the first few
// hundred. Exit status 0: all so.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <thread>

#include "protocol/codec.h"
#include "tests/stress/bank.h"
#include "tests/stress/victim.h"
#include "tests/support/failure.h"
#include "tests/support/process.h"
#include "tests/support/random.h"
#include "tests/support/raw_session.h"
#include "tests/support/real_daemon.h"

namespace skua::stress {

namespace {

using Clock = std::chrono::steady_clock;

// One at a time would measure mostly fork(2).
constexpr std::int64_t kVictimsAtOnce = 8;
// The dead of one group may not be buried yet when the next one comes.
constexpr std::int64_t kPoolConnections = 4 * kVictimsAtOnce;
constexpr std::int64_t kDeadProcess = -1;

struct Settings {
  std::int64_t writers = 200;
  std::int64_t streams = 10'000;
  std::int64_t warm_up = 500;
  // Sanitizers are slow and keep freed memory.
  double writer_ms_max = test::is_sanitized() ? 2000 : 100;
  double growth_mib_max = test::is_sanitized() ? 1000 : 4;
};

// What a daemon holds.
struct Holdings {
  std::size_t resident_bytes = 0;
  std::size_t descriptors = 0;
  std::size_t threads = 0;
  std::map<std::string, std::int64_t> gauges;
};

Connection connect(const std::string& socket_path) {
  ConnectOptions options;
  options.socket_path = socket_path;
  options.client_name = "stress_kill";
  return test::must(Connection::connect(options), "connecting");
}

double ms_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

class KillRun {
 public:
  explicit KillRun(const Settings& settings)
      : settings_(settings), connection_(connect(daemon_.socket_path())) {
    test::must(Bank::create(connection_), "creating the bank");
  }

  bool run() {
    kill_writers();
    kill_readers();
    daemon_.stop();
    fmt::print("{}\n", failures_ == 0 ? "all promises held" : fmt::format("{} promises broken", failures_));
    return failures_ == 0;
  }

 private:
  void expect(bool condition, const std::string& what) {
    if (condition) return;
    ++failures_;
    fmt::print("FAILED: {}\n", what);
  }

  // A client inside a write transaction that has changed every account and inserted a row.
  Victim writer_victim() const {
    return Victim([&](const std::function<void()>& say_ready) {
      Connection connection = connect(daemon_.socket_path());
      Transaction transaction = test::must(connection.begin());
      test::must(transaction.execute("UPDATE account SET balance = balance + 1"));
      test::must(transaction.execute("INSERT INTO entry VALUES (?, 1, 'lost')", Parameters::of(kDeadProcess)));
      say_ready();
      while (true) std::this_thread::sleep_for(std::chrono::hours(1));
    });
  }

  // From the kill to the acknowledgement of a write that is sent after it.
  double write_after_kill(std::int64_t sequence) {
    Victim victim = writer_victim();
    victim.wait_until_ready();
    const Clock::time_point begin = Clock::now();
    victim.kill();
    test::must(connection_.execute("INSERT INTO entry VALUES (0, ?, 'after')", Parameters::of(sequence)));
    return ms_since(begin);
  }

  // The same for a write that was waiting for the dead client's transaction already.
  double write_waiting_for_kill(test::RawSession& session, std::int64_t sequence) {
    Victim victim = writer_victim();
    victim.wait_until_ready();
    const std::uint64_t id = session.next_id();
    const std::uint64_t ping = session.next_id();
    session.send(test::RawSession::execute_request(
        id, fmt::format("INSERT INTO entry VALUES (1, {}, 'waiting')", sequence)));
    session.send(test::RawSession::request(ping, [](auto request) { request.setPing(); }));
    // Requests are taken in order: when the ping is answered, the write is in the queue.
    expect_done(session, ping);
    const Clock::time_point begin = Clock::now();
    victim.kill();
    expect_done(session, id);
    return ms_since(begin);
  }

  static void expect_done(test::RawSession& session, std::uint64_t id) {
    const Frame frame = session.receive();
    MessageView message(frame.view());
    const auto response = message.root<wire::Response>();
    test::require(response.getId() == id, fmt::format("an answer to request {}, not {}", response.getId(), id));
    test::require(!response.isError(), "a write failed after another client was killed");
  }

  void kill_writers() {
    test::RawSession session(daemon_.socket_path());
    session.hello();
    std::vector<double> waits_ms;
    for (std::int64_t i = 0; i < settings_.writers; ++i) {
      waits_ms.push_back(i % 2 == 0 ? write_after_kill(i) : write_waiting_for_kill(session, i));
      const Status total = Bank::check_total(connection_);
      expect(total.has_value(), total ? "" : total.error().message);
      const auto left = test::must(Bank::number(connection_, "SELECT count(*) FROM entry WHERE process = ?",
                                                Parameters::of(kDeadProcess)));
      expect(left == 0, "a dead client's insert is there");
    }
    if (waits_ms.empty()) return;
    std::sort(waits_ms.begin(), waits_ms.end());
    fmt::print(
        "{} writers killed inside a transaction; the next writer's acknowledgement after the kill: median "
        "{:.2f} ms, "
        "longest {:.2f} ms\n",
        waits_ms.size(), waits_ms[waits_ms.size() / 2], waits_ms.back());
    expect(waits_ms.back() <= settings_.writer_ms_max,
           fmt::format("a writer waited {:.2f} ms for a dead one, not {:.0f}", waits_ms.back(),
                       settings_.writer_ms_max));
    const auto written = test::must(Bank::number(connection_, "SELECT count(*) FROM entry"));
    expect(written == settings_.writers, fmt::format("{} writes are there of {}", written, settings_.writers));
  }

  // A client in the middle of a stream. Every third stops reading, so that its cursor is parked when it dies;
  // every fifth streams inside a read transaction.
  Victim reader_victim(std::int64_t number, std::int64_t rows) const {
    return Victim([this, number, rows](const std::function<void()>& say_ready) {
      Connection connection = connect(daemon_.socket_path());
      RequestOptions options;
      options.window_bytes = 16 * 1024;
      std::optional<Transaction> transaction;
      if (number % 5 == 0) transaction = test::must(connection.begin(TransactionMode::kRead));
      constexpr std::string_view kSql = "SELECT a.id, a.text FROM item a, item b";
      RowStream stream = test::must(transaction ? transaction->stream(kSql, {}, options)
                                                : connection.stream(kSql, {}, options));
      for (std::int64_t i = 0; i < rows; ++i) test::require(test::must(stream.next()), "the stream ended");
      say_ready();
      while (number % 3 == 0) std::this_thread::sleep_for(std::chrono::hours(1));
      while (test::must(stream.next())) continue;
    });
  }

  Holdings holdings() {
    Holdings now;
    for (const char* name : {"sessions", "transactions_open", "reader_connections", "reader_connections_leased",
                             "reads_waiting", "writers_busy", "writes_waiting"}) {
      now.gauges[name] = -1;
    }
    const ResultSet stats = test::must(connection_.stats());
    for (const Row row : stats) {
      const auto name = test::must(row.get<std::string>("name"));
      const auto value = test::must(row.get<std::int64_t>("value"));
      if (const auto gauge = now.gauges.find(name); gauge != now.gauges.end()) gauge->second = value;
    }
    now.resident_bytes = daemon_.resident_bytes();
    now.descriptors = daemon_.descriptor_count();
    now.threads = daemon_.thread_count();
    return now;
  }

  // The daemon notices a death when the kernel tells it, which is not when the killer's waitpid() returns.
  Holdings holdings_when_alone() {
    const Clock::time_point until = Clock::now() + test::kPatience;
    Holdings now = holdings();
    while (now.gauges["sessions"] != 1 || now.gauges["reader_connections_leased"] != 0) {
      test::require(Clock::now() < until,
                    fmt::format("{} sessions and {} leased connections stay", now.gauges["sessions"],
                                now.gauges["reader_connections_leased"]));
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      now = holdings();
    }
    return now;
  }

  void kill_readers_times(std::int64_t times, test::Random& random) {
    for (std::int64_t done = 0; done < times; done += kVictimsAtOnce) {
      std::vector<Victim> victims;
      for (std::int64_t i = done; i < std::min(done + kVictimsAtOnce, times); ++i) {
        victims.push_back(reader_victim(i, random.between(1, 500)));
      }
      for (Victim& victim : victims) victim.wait_until_ready();
      for (Victim& victim : victims) victim.kill();
    }
  }

  // Makes the daemon open more reading connections than the victims will ever hold, each with a warm page
  // cache: what it keeps for the next reader is not a leak.
  void fill_pool() {
    std::vector<RowStream> streams;
    RequestOptions options;
    options.window_bytes = 16 * 1024;
    for (std::int64_t i = 0; i < kPoolConnections; ++i) {
      streams.push_back(test::must(connection_.stream("SELECT a.id, a.text FROM item a, item b", {}, options)));
    }
    for (RowStream& stream : streams) {
      for (std::int64_t row = 0; row < Bank::kItems; ++row) test::must(stream.next());
    }
  }

  void kill_readers() {
    test::Random random;
    fill_pool();
    const Clock::time_point begin = Clock::now();
    const std::int64_t warm_up = std::min(settings_.warm_up, settings_.streams);
    kill_readers_times(warm_up, random);
    const Holdings first = holdings_when_alone();
    kill_readers_times(settings_.streams - warm_up, random);
    const Holdings last = holdings_when_alone();
    const auto mib = [](std::size_t bytes) { return static_cast<double>(bytes) / (1024 * 1024); };
    fmt::print("{} clients killed in the middle of a stream in {:.1f} s\n", settings_.streams,
               ms_since(begin) / 1'000);
    fmt::print("{:<28}{:>14}{:>14}\n", "", fmt::format("after {}", warm_up),
               fmt::format("after {}", settings_.streams));
    fmt::print("{:<28}{:>14.2f}{:>14.2f}\n", "resident MiB", mib(first.resident_bytes),
               mib(last.resident_bytes));
    fmt::print("{:<28}{:>14}{:>14}\n", "descriptors", first.descriptors, last.descriptors);
    fmt::print("{:<28}{:>14}{:>14}\n", "threads", first.threads, last.threads);
    for (const auto& [name, value] : first.gauges) {
      fmt::print("{:<28}{:>14}{:>14}\n", name, value, last.gauges.at(name));
      expect(value >= 0, fmt::format("there is no statistic named {}", name));
    }
    expect(first.gauges == last.gauges, "the daemon's gauges are not what they were");
    expect(last.descriptors <= first.descriptors, "descriptors leak");
    expect(last.threads <= first.threads, "threads leak");
    expect(mib(last.resident_bytes) - mib(first.resident_bytes) <= settings_.growth_mib_max, "memory leaks");
  }

  Settings settings_;
  test::RealDaemon daemon_;
  Connection connection_;
  std::size_t failures_ = 0;
};

}  // namespace

}  // namespace skua::stress

int main(int argc, char** argv) {
  skua::stress::Settings settings;
  CLI::App app("Kills clients of a Skua daemon of its own at bad moments. SKUA_TEST_SEED repeats a run.");
  app.add_option("--writers", settings.writers, "how many to kill inside a write transaction");
  app.add_option("--streams", settings.streams, "how many to kill in the middle of a stream");
  app.add_option("--warm-up", settings.warm_up,
                 "how many of these come before the first look at the daemon's holdings");
  app.add_option("--writer-ms-max", settings.writer_ms_max, "how long the next writer may take");
  app.add_option("--growth-mib-max", settings.growth_mib_max,
                 "how much the daemon's resident memory may drift");
  CLI11_PARSE(app, argc, argv);
  bool held = false;
  const int failed = skua::test::run_program([&] { held = skua::stress::KillRun(settings).run(); });
  return failed != 0 ? failed : held ? 0 : 1;
}
