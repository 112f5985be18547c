// stress_snapshot: transactions that are begun as a group see one state of the database. Writers change all cells together, in
// every way in which something can be committed, as fast as they can; one client vacuums. Readers begin groups, and each
// transaction of a group reads all cells on its own connection: the cells must agree with each other, and the
// transactions too.
//
// Exit status 0: at least --groups groups were looked at, and all were of one state.
#include <fmt/format.h>
#include <sys/mman.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <functional>
#include <new>

#include "skua/client.h"
#include "tests/stress/client_processes.h"
#include "tests/support/failure.h"
#include "tests/support/random.h"
#include "tests/support/real_daemon.h"

namespace skua::stress {

namespace {

constexpr std::string_view kUpdate = "UPDATE cell SET value = value + ?";

struct Settings {
  std::uint64_t groups = 100'000;
  std::size_t members = 4;
  std::size_t writers = 3;
  std::size_t readers = 3;
  std::size_t cells = 20;
};

// In memory that all processes share.
struct Board {
  std::atomic<std::uint64_t> groups{0};
  std::atomic<std::uint64_t> commits{0};
  // Groups that saw another state than the group before them of the same client.
  std::atomic<std::uint64_t> changes{0};
  // A client has failed: the others need not go on.
  std::atomic<bool> failed{false};
};

class SharedBoard {
 public:
  SharedBoard() {
    void* memory = ::mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    test::require(memory != MAP_FAILED, "no shared memory");
    board_ = new (memory) Board;
  }
  SharedBoard(const SharedBoard&) = delete;
  SharedBoard& operator=(const SharedBoard&) = delete;
  ~SharedBoard() { ::munmap(board_, sizeof(Board)); }
  Board& operator*() { return *board_; }

 private:
  Board* board_;
};

Connection connect(const std::string& socket_path) {
  ConnectOptions options;
  options.socket_path = socket_path;
  options.client_name = "stress_snapshot";
  return test::must(Connection::connect(options), "connecting");
}

// One process: a connection, and what it does with it.
class Client {
 public:
  Client(const std::string& socket_path, Board& board, const Settings& settings, std::uint64_t seed)
      : connection_(connect(socket_path)), board_(board), settings_(settings), random_(seed) {}

  void run(const std::function<void(Client&)>& work) {
    try {
      work(*this);
    } catch (...) {
      board_.failed = true;
      throw;
    }
  }

  void read_until_enough() {
    while (!is_enough()) check_group();
  }

  void write_until_enough() {
    while (!is_enough()) {
      commit();
      ++board_.commits;
    }
  }

  // Also moves the rows, and starts the log anew again and again.
  void vacuum_until_enough() {
    while (!is_enough()) {
      test::must(connection_.execute("VACUUM"), "VACUUM");
      for (int i = 0; i < 50; ++i) test::must(connection_.ping());
    }
  }

 private:
  bool is_enough() const { return board_.failed.load() || board_.groups.load() >= settings_.groups; }

  void check_group() {
    std::vector<Transaction> group = test::must(connection_.begin_group(settings_.members), "begin_group");
    // Not in the order in which they were begun.
    if (random_.one_in(2)) std::reverse(group.begin(), group.end());
    std::int64_t first = -1;
    for (std::size_t i = 0; i < group.size(); ++i) {
      const ResultSet rows = test::must(group[i].execute("SELECT min(value), max(value) FROM cell"), "reading");
      const Row row = test::must(rows.one());
      const auto least = test::must(row.get<std::int64_t>(0));
      const auto most = test::must(row.get<std::int64_t>(1));
      test::require(least == most, fmt::format("a transaction sees half a commit: {} and {}", least, most));
      if (i == 0) first = least;
      test::require(least == first, fmt::format("two transactions of one group see two states: {} and {}", first, least));
    }
    if (first != last_seen_) ++board_.changes;
    last_seen_ = first;
    ++board_.groups;
  }

  void commit() {
    RequestOptions options;
    options.durability = random_.one_in(20) ? Durability::kFull : Durability::kRelaxed;
    const std::int64_t step = random_.between(1, 9);
    ParameterRows rows(1);
    rows.append(ValueView::integer(step));
    rows.end_row();
    switch (random_.between(0, 9)) {
      case 0: {
        Transaction transaction = test::must(connection_.begin(TransactionMode::kWrite, options), "begin");
        const auto half = static_cast<std::int64_t>(settings_.cells / 2);
        test::must(transaction.execute("UPDATE cell SET value = value + ? WHERE id < ?", Parameters::of(step, half)),
                   "writing in a transaction");
        test::must(transaction.execute("UPDATE cell SET value = value + ? WHERE id >= ?", Parameters::of(step, half)),
                   "writing in a transaction");
        return test::must(transaction.commit(), "commit");
      }
      case 1: test::must(connection_.execute_many(kUpdate, rows, options), "writing many"); return;
      case 2:
        options.independent = true;
        test::must(connection_.execute_many(kUpdate, rows, options), "writing in slices");
        return;
      case 3:
        test::must(connection_.execute("UPDATE cell SET value = value + ? RETURNING value", Parameters::of(step), options),
                   "writing and returning");
        return;
      case 4: {
        // What was changed before the failure stays, and is committed with an error.
        const auto failed = connection_.execute(
            "INSERT OR FAIL INTO cell(id, value) SELECT id, value + ? FROM cell UNION ALL SELECT NULL, NULL "
            "WHERE true ON CONFLICT(id) DO UPDATE SET value = excluded.value",
            Parameters::of(step), options);
        test::require(!failed && failed.error().code == ErrorCode::kConstraint, "OR FAIL did not fail");
        return;
      }
      case 5:
        options.idempotency_key = fmt::format("{}-{}", random_.seed(), ++keys_);
        test::must(connection_.execute(kUpdate, Parameters::of(step), options), "writing with a key");
        return;
      default: test::must(connection_.execute(kUpdate, Parameters::of(step), options), "writing");
    }
  }

  Connection connection_;
  Board& board_;
  const Settings& settings_;
  test::Random random_;
  std::int64_t last_seen_ = -1;
  std::uint64_t keys_ = 0;
};

void run(const Settings& settings) {
  test::require(settings.writers > 0 && settings.readers > 0, "somebody must write and somebody read");
  test::RealDaemon daemon;
  {
    Connection connection = connect(daemon.socket_path());
    test::must(connection.execute("CREATE TABLE cell(id INTEGER PRIMARY KEY, value INTEGER NOT NULL)"));
    for (std::size_t id = 0; id < settings.cells; ++id) {
      test::must(connection.execute("INSERT INTO cell VALUES (?, 0)", Parameters::of(static_cast<std::int64_t>(id))));
    }
  }
  test::Random seed;
  SharedBoard board;
  ClientProcesses clients(settings.writers + settings.readers + 1,
                          [&](std::size_t process, WorkerReport&, const std::function<void()>& wait_for_start) {
                            Client client(daemon.socket_path(), *board, settings, seed.seed() + process);
                            wait_for_start();
                            client.run([&](Client& self) {
                              if (process < settings.writers) return self.write_until_enough();
                              if (process < settings.writers + settings.readers) return self.read_until_enough();
                              self.vacuum_until_enough();
                            });
                          });
  clients.run();
  fmt::print("{} groups of {} were looked at between {} commits; {} saw another state than the one before\n",
             (*board).groups.load(), settings.members, (*board).commits.load(), (*board).changes.load());
  for (const WorkerReport* report : clients.reports()) {
    test::require(report->finished && report->errors == 0, report->first_error.data());
  }
  test::require((*board).changes.load() > settings.groups / 20, "there was too little writing to tell anything");
  daemon.stop();
  fmt::print("all of them were of one state\n");
}

}  // namespace

}  // namespace skua::stress

int main(int argc, char** argv) {
  skua::stress::Settings settings;
  CLI::App app("Looks for groups of transactions that do not see the same state.");
  app.add_option("--groups", settings.groups, "groups to look at");
  app.add_option("--members", settings.members, "transactions of each group");
  app.add_option("--writers", settings.writers, "clients that write");
  app.add_option("--readers", settings.readers, "clients that begin groups");
  CLI11_PARSE(app, argc, argv);
  return skua::test::run_program([&] { skua::stress::run(settings); });
}
