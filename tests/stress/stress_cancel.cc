// stress_cancel: clients with work of every kind under way cancel random parts of it, or give it deadlines.
//
// Promises looked at: each request ends exactly once; what nobody cancelled and has no deadline never ends as if; what was
// cancelled ends so or as if the cancel had come too late; every result is right; what was refused has left nothing, what was
// acknowledged everything; nothing is leaked. And, for people: how long it takes until a cancel has stopped a statement.
#include <fmt/format.h>
#include <poll.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <memory>
#include <thread>

#include "skua/client.h"
#include "tests/stress/cancel_client.h"
#include "tests/support/failure.h"
#include "tests/support/real_daemon.h"

namespace skua::stress {

namespace {

struct Settings {
  std::size_t clients = 24;
  std::uint64_t disturbances = 100'000;
  std::size_t depth = 12;
  std::size_t stops = 30;
};

// Actions at times to come.
class Schedule {
 public:
  void add(Clock::duration wait, std::function<void()> action) { actions_.emplace(Clock::now() + wait, std::move(action)); }
  void run_due() {
    while (!actions_.empty() && actions_.begin()->first <= Clock::now()) actions_.extract(actions_.begin()).mapped()();
  }
  bool empty() const { return actions_.empty(); }
  int wait_ms(int most_ms) const {
    if (actions_.empty()) return most_ms;
    const auto wait = actions_.begin()->first - Clock::now();
    return static_cast<int>(std::clamp<std::int64_t>(std::chrono::ceil<std::chrono::milliseconds>(wait).count(), 0, most_ms));
  }

 private:
  std::multimap<Clock::time_point, std::function<void()>> actions_;
};

std::string times(std::vector<std::uint32_t> us) {
  if (us.empty()) return "none";
  std::sort(us.begin(), us.end());
  const auto at = [&](double part) {
    const auto index = static_cast<std::size_t>(part * static_cast<double>(us.size()));
    return static_cast<double>(us[std::min(index, us.size() - 1)]) / 1'000;
  };
  return fmt::format("p50 {:8.2f}  p90 {:8.2f}  p99 {:8.2f}  max {:8.2f} ms", at(0.5), at(0.9), at(0.99), at(1));
}

class CancelRun {
 public:
  CancelRun(const Settings& settings, const test::RealDaemon& daemon) : settings_(settings), daemon_(daemon) {
    for (std::size_t i = 0; i < settings.clients; ++i) {
      clients_.push_back(std::make_unique<CancelClient>(
          daemon.socket_path(), ledger_, seed_.seed() + i,
          [this](Clock::duration wait, std::function<void()> action) { schedule_.add(wait, std::move(action)); }));
    }
  }

  void run() {
    while (ledger_.disturbances() < settings_.disturbances) {
      for (const auto& client : clients_) {
        // Now and then it sends more than it should.
        const std::size_t depth = seed_.one_in(50) ? 10 * settings_.depth : settings_.depth;
        while (client->pipeline().under_way() < depth) client->act();
        client->pipeline().flush();
      }
      turn();
    }
    while (!schedule_.empty() || std::any_of(clients_.begin(), clients_.end(), [](const auto& c) { return c->is_busy(); })) {
      turn();
    }
    print();
    check_database();
    check_statistics();
  }

 private:
  // Waits for whatever comes first.
  void turn() {
    std::vector<pollfd> watched;
    for (const auto& client : clients_) watched.push_back({client->pipeline().descriptor(), POLLIN, 0});
    const int ready = ::poll(watched.data(), watched.size(), schedule_.wait_ms(1'000));
    quiet_turns_ = ready == 0 && schedule_.empty() ? quiet_turns_ + 1 : 0;
    test::require(quiet_turns_ < 60, "requests that never end");
    schedule_.run_due();
    for (std::size_t i = 0; i < clients_.size(); ++i) {
      if (watched[i].revents != 0) clients_[i]->pipeline().take_arrived();
    }
  }

  void print() const {
    fmt::print("seed {}: {} cancels and {} deadlines\n\n", seed_.seed(), ledger_.cancels, ledger_.deadlines);
    fmt::print("{:<24}{:>10}{:>10}{:>11}{:>11}{:>11}{:>11}\n", "requests", "all", "done", "cancelled", "deadline", "aborted",
               "too late");
    Outcomes sum;
    const auto line = [](std::string_view name, const Outcomes& outcomes) {
      fmt::print("{:<24}{:>10}{:>10}{:>11}{:>11}{:>11}{:>11}\n", name, outcomes.requests, outcomes.done, outcomes.cancelled,
                 outcomes.deadlines, outcomes.aborted, outcomes.too_late);
    };
    for (std::size_t work = 0; work < kWorks; ++work) {
      const Outcomes& outcomes = ledger_.outcomes[work];
      line(kWorkNames[work], outcomes);
      sum.requests += outcomes.requests;
      sum.done += outcomes.done;
      sum.cancelled += outcomes.cancelled;
      sum.deadlines += outcomes.deadlines;
      sum.aborted += outcomes.aborted;
      sum.too_late += outcomes.too_late;
    }
    line("all", sum);
    fmt::print("\nfrom a cancel to the end   {}\nfrom a deadline to the end {}\n", times(ledger_.cancel_us),
               times(ledger_.late_us));
  }

  // The table of writes is as the ledger has it.
  void check_database() {
    ConnectOptions options;
    options.socket_path = daemon_.socket_path();
    Connection connection = test::must(Connection::connect(options));
    std::map<std::int64_t, std::int64_t> found;
    RowStream stream =
        test::must(connection.stream("SELECT operation, count(*) FROM entry GROUP BY operation ORDER BY operation"));
    while (test::must(stream.next())) {
      found[test::must(stream.row().get<std::int64_t>(0))] = test::must(stream.row().get<std::int64_t>(1));
    }
    std::size_t wrong = 0;
    for (const auto& [operation, rows] : ledger_.rows) {
      const auto entry = found.find(operation);
      const std::int64_t left = entry == found.end() ? 0 : entry->second;
      if (left == rows) continue;
      if (++wrong <= 10) fmt::print("operation {}: {} rows are there, and {} should be\n", operation, left, rows);
    }
    test::require(wrong == 0, fmt::format("{} writes left not what was answered", wrong));
    const ResultSet total = test::must(connection.execute("SELECT sum(balance) FROM account"));
    test::require(test::must(test::must(total.one()).get<std::int64_t>(0)) == CancelClient::kTotal, "the total has changed");
    const ResultSet integrity = test::must(connection.execute("PRAGMA integrity_check"));
    test::require(test::must(integrity.row(0).get<std::string>(0)) == "ok", "integrity_check");
    fmt::print("{} writes left what was answered\n", ledger_.rows.size());
  }

  // Nothing is left in the daemon, and it has counted the same ends.
  void check_statistics() {
    for (const auto& client : clients_) {
      client->pipeline().execute("SELECT ?, 1", {42}, [](const Ending& ending) {
        test::require(!ending.error && ending.sums[0] == 42, "a connection does not answer as it should");
      });
      client->pipeline().wait_for_all();
    }
    ConnectOptions options;
    options.socket_path = daemon_.socket_path();
    Connection connection = test::must(Connection::connect(options));
    std::map<std::string, std::int64_t> found;
    constexpr std::array<const char*, 5> kEmpty = {"transactions_open", "reader_connections_leased", "reads_waiting",
                                                   "writes_waiting", "writers_busy"};
    // A cursor is closed after its request has been answered.
    const Clock::time_point until = Clock::now() + std::chrono::seconds(30);
    bool empty = false;
    while (!empty) {
      const ResultSet rows = test::must(connection.stats());
      for (const Row row : rows) found[test::must(row.get<std::string>(0))] = test::must(row.get<std::int64_t>(1));
      empty = std::all_of(kEmpty.begin(), kEmpty.end(), [&](const char* name) { return found.at(name) == 0; });
      for (const char* name : kEmpty) {
        test::require(empty || Clock::now() < until, fmt::format("{} is {} in the end", name, found.at(name)));
      }
      if (!empty) std::this_thread::yield();
    }
    const auto sessions = static_cast<std::int64_t>(clients_.size()) + 1;
    test::require(found.at("sessions") == sessions, fmt::format("{} sessions", found.at("sessions")));
    std::uint64_t cancelled = 0;
    std::uint64_t deadlines = 0;
    for (const Outcomes& outcomes : ledger_.outcomes) {
      cancelled += outcomes.cancelled;
      deadlines += outcomes.deadlines;
    }
    test::require(found.at("requests_cancelled") == static_cast<std::int64_t>(cancelled) &&
                      found.at("deadlines_passed") == static_cast<std::int64_t>(deadlines),
                  fmt::format("the daemon has counted {} and {} of {} and {}", found.at("requests_cancelled"),
                              found.at("deadlines_passed"), cancelled, deadlines));
    fmt::print("nothing is leaked, and the daemon has counted the same\n");
  }

  const Settings settings_;
  const test::RealDaemon& daemon_;
  test::Random seed_;
  Ledger ledger_;
  Schedule schedule_;
  std::vector<std::unique_ptr<CancelClient>> clients_;
  int quiet_turns_ = 0;
};

struct Statement {
  std::string_view name;
  std::string_view sql;
};

// None of these ends by itself within a second.
constexpr Statement kLong[] = {
    {"join, counted", "SELECT count(*) FROM item a, item b, item c WHERE a.value + b.value + c.value < 0"},
    {"recursion", "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"},
    {"recursion, no repeats", "WITH RECURSIVE n(i) AS (SELECT 1 UNION SELECT i + 1 FROM n) SELECT count(*) FROM n"},
    {"sort", "SELECT a.id FROM item a, item b ORDER BY a.value * b.value % 1009, b.id LIMIT 1 OFFSET 100000000"},
    {"sort of long rows", "SELECT a.text || b.text FROM item a, item b ORDER BY 1 LIMIT 1 OFFSET 100000000"},
    {"group", "SELECT count(*) FROM (SELECT a.value * b.value % 100003, count(*) FROM item a, item b GROUP BY 1)"},
    {"distinct", "SELECT count(DISTINCT a.value * b.value) FROM item a, item b"},
    {"window", "SELECT max(r) FROM (SELECT row_number() OVER (ORDER BY a.value * b.value) r FROM item a, item b)"},
    {"LIKE, 200 bytes", "SELECT count(*) FROM item a, item b WHERE a.text || b.id LIKE '%x%x%x%y'"},
    {"LIKE, 1 MB", "SELECT count(*) FROM item a, item b WHERE printf('%.*c', 1000000, 'x') || a.id LIKE '%xy%'"},
    {"instr, 10 MB", "SELECT count(*) FROM item a, item b WHERE instr(zeroblob(10000000 + a.id), x'01') > b.id"},
    {"hex(randomblob(1 MB))", "SELECT sum(length(hex(randomblob(1000000 + a.id)))) FROM item a, item b"},
    {"hex(randomblob(10 MB))", "SELECT sum(length(hex(randomblob(10000000 + a.id)))) FROM item a, item b"},
    {"group_concat", "SELECT sum(length(g)) FROM (SELECT group_concat(b.text) g FROM item a, item b GROUP BY a.id)"},
    {"replace, 1 MB", "SELECT sum(length(replace(printf('%.*c', 1000000 + a.id, 'x'), 'x', 'yy'))) FROM item a, item b"},
    {"stream", "SELECT a.id, b.value, a.text FROM item a, item b"},
    {"stream of 1 MB rows", "SELECT a.id, b.value, zeroblob(1000000) FROM item a, item b"},
    {"insert", "INSERT INTO entry SELECT a.id, b.id FROM item a, item b"},
    {"insert, sorted", "INSERT INTO entry SELECT a.id, b.id FROM item a, item b ORDER BY a.value * b.value % 1009"},
    {"delete", "DELETE FROM item WHERE (SELECT count(*) FROM item a, item b WHERE a.id + b.id < item.id - 9999) > 0"},
    {"update", "UPDATE item SET text = text || (SELECT max(a.value * b.id) FROM item a, item b)"},
};

// How long it takes from a cancel's sending to the last response of what it stops, one statement at a time.
void measure_stops(const Settings& settings, const test::RealDaemon& daemon) {
  if (settings.stops == 0) return;
  test::Random random;
  Pipeline pipeline(daemon.socket_path());
  fmt::print("\nfrom a cancel to the end, of statements that run for 20 to 300 ms\n");
  for (const Statement& statement : kLong) {
    std::vector<std::uint32_t> us;
    for (std::size_t i = 0; i < settings.stops; ++i) {
      const std::uint64_t id = pipeline.start(
          [&](wire::Request::Builder root) { fill_execute(root, statement.sql, {}); },
          [&](const Ending& ending) {
            test::require(ending.error && ending.error->code == ErrorCode::kCancelled,
                          fmt::format("{} ended by itself, or with an error: {}", statement.name,
                                      ending.error ? ending.error->message : "none"));
            us.push_back(static_cast<std::uint32_t>(
                std::chrono::duration_cast<std::chrono::microseconds>(*ending.since_cancel).count()));
          });
      pipeline.flush();
      const Clock::time_point until = Clock::now() + std::chrono::milliseconds(random.between(20, 300));
      while (Clock::now() < until) {
        pollfd watched{pipeline.descriptor(), POLLIN, 0};
        const auto wait = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
        if (::poll(&watched, 1, std::max(static_cast<int>(wait.count()), 0)) > 0) pipeline.take_arrived();
      }
      pipeline.cancel(id);
      pipeline.wait_for_all();
    }
    fmt::print("{:<24}{}\n", statement.name, times(us));
  }
}

}  // namespace

}  // namespace skua::stress

int main(int argc, char** argv) {
  skua::stress::Settings settings;
  CLI::App app("Random cancels and deadlines against mixed work. SKUA_TEST_SEED repeats a run.");
  app.add_option("--clients", settings.clients, "sessions")->check(CLI::Range(1, 1000));
  app.add_option("--disturbances", settings.disturbances, "cancels and deadlines");
  app.add_option("--depth", settings.depth, "requests that a session has under way");
  app.add_option("--stops", settings.stops, "how often each of the long statements is stopped");
  CLI11_PARSE(app, argc, argv);
  return skua::test::run_program([&] {
    // Hundreds of writes wait in a row, and on a busy machine each for its own sync.
    skua::test::RealDaemon daemon({.config = "[limits]\nwrite_wait_ms_max = 600000\n"});
    {
      skua::stress::Pipeline pipeline(daemon.socket_path());
      skua::stress::CancelClient::create_tables(pipeline);
    }
    skua::stress::CancelRun(settings, daemon).run();
    skua::stress::measure_stops(settings, daemon);
    daemon.stop();
  });
}
