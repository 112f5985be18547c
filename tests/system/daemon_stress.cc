// Many sessions do everything at once, for a sanitizer to watch: a program of its own, because Criterion does
// not run under ThreadSanitizer.
//
//   daemon_stress [ROUNDS]
//
// Threads move money between accounts in transactions, alone and in batches, read it, stream it, cancel, hang
// up in the middle and pass their deadlines. The sum of all accounts must hold at every moment.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "tests/support/random.h"
#include "tests/system/real_client.h"

using namespace skua;
using namespace skua::test;

namespace {

constexpr int kThreads = 6;
constexpr int kAccounts = 500;
constexpr std::int64_t kTotal = 100 * kAccounts;

class Customer {
 public:
  Customer(const RealDaemon& daemon, std::uint64_t seed)
      : daemon_(daemon), connection_(connect(daemon)), random_(seed) {}

  void act() {
    switch (random_.between(0, 8)) {
      case 0:
        return transfer(false);
      case 1:
        return transfer(true);
      case 2:
        return transfer_as_text();
      case 3:
        return read_sum();
      case 4:
        return stream_sum();
      case 5:
        return leave_a_stream();
      case 6:
        return run_out_of_time();
      case 7:
        return be_cancelled();
      default:
        return hang_up();
    }
  }

 private:
  std::int64_t account() { return random_.between(1, kAccounts); }

  void transfer(bool change_mind) {
    Transaction transaction = must(connection_.begin());
    const std::int64_t amount = random_.between(1, 10);
    ask(transaction, "UPDATE account SET money = money - ? WHERE id = ?", Parameters::of(amount, account()));
    ask(transaction, "UPDATE account SET money = money + ? WHERE id = ?", Parameters::of(amount, account()));
    if (!change_mind) must(transaction.commit());
  }

  void transfer_as_text() {
    ask(connection_, "BEGIN");
    ask(connection_, "UPDATE account SET money = money - 1 WHERE id = ?", Parameters::of(account()));
    ask(connection_, "UPDATE account SET money = money + 1 WHERE id = ?", Parameters::of(account()));
    ask(connection_, random_.one_in(2) ? "COMMIT" : "ROLLBACK");
  }

  void read_sum() {
    const std::string sum = ask(connection_, "SELECT sum(money) FROM account");
    require(sum == std::to_string(kTotal), "the sum is " + sum);
  }

  void stream_sum() {
    RequestOptions options;
    options.window_bytes = 1;
    RowStream stream = must(connection_.stream("SELECT money FROM account", {}, options));
    std::int64_t sum = 0;
    while (must(stream.next())) sum += stream.row()[0].integer();
    require(sum == kTotal, "the streamed sum is " + std::to_string(sum));
  }

  void leave_a_stream() {
    RowStream stream = must(connection_.stream(kEndlessRows));
    for (std::int64_t rows = random_.between(0, 2000); rows > 0; --rows) must(stream.next());
  }

  void run_out_of_time() {
    RequestOptions options;
    options.deadline_ms = static_cast<std::uint32_t>(random_.between(1, 5));
    expect_error(connection_.execute(kForever, {}, options), ErrorCode::kDeadline);
  }

  void be_cancelled() {
    std::atomic<bool> ended = false;
    std::thread other([&, canceller = connection_.canceller()] {
      while (!ended) {
        canceller.cancel();
        std::this_thread::yield();
      }
    });
    const auto result = connection_.execute(kForever);
    ended = true;
    other.join();
    expect_error(result, ErrorCode::kCancelled);
  }

  void hang_up() {
    Transaction transaction = must(connection_.begin());
    ask(transaction, "UPDATE account SET money = 0");
    Connection fresh = connect(daemon_);
    connection_ = std::move(fresh);
  }

  const RealDaemon& daemon_;
  Connection connection_;
  Random random_;
};

void stress(int rounds) {
  RealDaemon daemon;
  Random random;
  {
    Connection connection = connect(daemon);
    ask(connection, "CREATE TABLE account (id INTEGER PRIMARY KEY, money INTEGER NOT NULL)");
    ask(connection, "INSERT INTO account SELECT i, 100 FROM (" + numbers_up_to(kAccounts) + ")");
  }
  std::atomic<int> failures = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, seed = random.word()] {
      failures += run_program([&] {
        Customer customer(daemon, seed);
        for (int round = 0; round < rounds; ++round) customer.act();
      });
    });
  }
  for (std::thread& thread : threads) thread.join();
  require(failures == 0, "a session failed");
  Connection connection = connect(daemon);
  require(ask(connection, "SELECT sum(money) FROM account") == std::to_string(kTotal),
          "money was made or lost");
  require(ask(connection, "PRAGMA integrity_check") == "ok", "the database is damaged");
  daemon.stop();
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 200;
  return run_program([rounds] { stress(rounds); });
}
