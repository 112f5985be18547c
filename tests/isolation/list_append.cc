// list_append: many client processes append to lists and read them, while clients and the daemon are killed;
// then all that they saw is checked for anomalies (history_check.h). Exit status 0: it is strictly
// serializable, nothing acknowledged is lost, nothing is there in part.
//
// --break NAME makes the clients lie in some way; then exit status 0 says that the anomaly it must lead to was
// found.
// --self-test does so for each way.
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <memory>
#include <new>
#include <thread>

#include "tests/isolation/append_client.h"
#include "tests/support/failure.h"
#include "tests/support/process.h"
#include "tests/support/real_daemon.h"

namespace skua::test {

namespace {

using Clock = std::chrono::steady_clock;

struct Settings {
  std::int64_t transactions = 100'000;
  std::int64_t clients = 16;
  std::uint64_t seed = 0;
  bool kill_clients = false;
  bool kill_daemon = false;
  Fault fault = Fault::kNone;
};

// An AppendClient in a process of its own, which dies with this one.
class ClientProcess {
 public:
  ClientProcess(const AppendClient::Plan& plan, const std::string& log_file, std::uint64_t seed)
      : pid_(::fork()) {
    require(pid_ >= 0, "cannot fork");
    if (pid_ > 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    // Not exit(): the daemon and everything else belong to the starter.
    ::_exit(run_program([&] { AppendClient(plan, log_file, seed).run(); }));
  }
  ClientProcess(const ClientProcess&) = delete;
  ClientProcess& operator=(const ClientProcess&) = delete;
  ~ClientProcess() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  // Fails if it ended and not well.
  bool has_ended() {
    int status = 0;
    const pid_t ended = ::waitpid(pid_, &status, WNOHANG);
    if (ended == 0) return false;
    require(ended == pid_, "waitpid");
    pid_ = -1;
    require(WIFEXITED(status) && WEXITSTATUS(status) == 0, "a client did not end well");
    return true;
  }

 private:
  pid_t pid_;
};

class ListRun {
 public:
  explicit ListRun(const Settings& settings) : settings_(settings), random_(settings.seed) {
    memory_ = ::mmap(nullptr, sizeof(std::atomic<std::int64_t>), PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    require(memory_ != MAP_FAILED, "no shared memory");
    next_transaction_ = new (memory_) std::atomic<std::int64_t>(0);
    static_assert(std::atomic<std::int64_t>::is_always_lock_free);
    plan_ = {daemon_.socket_path(), settings.transactions, settings.fault, next_transaction_};
    Connection connection = connect();
    must(connection.execute(AppendClient::kCreateTable));
  }
  ListRun(const ListRun&) = delete;
  ListRun& operator=(const ListRun&) = delete;
  ~ListRun() { ::munmap(memory_, sizeof(std::atomic<std::int64_t>)); }

  // True if the history is as the settings want it.
  bool run() {
    const Clock::time_point begin = Clock::now();
    run_clients();
    HistoryLogReader reader;
    for (const std::string& file : log_files_) reader.add(file);
    History history;
    history.transactions = reader.take_transactions();
    history.final_lists = final_lists();
    daemon_.stop();
    const Clock::time_point checked = Clock::now();
    const Findings findings = HistoryCheck(history).run();
    print_history(history, checked - begin, Clock::now() - checked);
    for (const auto& [anomaly, finding] : findings) {
      fmt::print("ANOMALY: {}, {} times; the first: {}\n", to_string(anomaly), finding.count, finding.example);
    }
    for (const std::string& surprise : reader.surprises()) fmt::print("SURPRISE: {}\n", surprise);
    if (settings_.fault == Fault::kNone) return findings.empty() && reader.surprises().empty();
    return findings.contains(wanted_anomaly());
  }

 private:
  Anomaly wanted_anomaly() const {
    for (const FaultName& fault : kFaults) {
      if (fault.fault == settings_.fault) return fault.anomaly;
    }
    throw Failure("a fault without a name");
  }

  Connection connect() const {
    ConnectOptions options;
    options.socket_path = daemon_.socket_path();
    options.client_name = "list_append";
    return must(Connection::connect(options), "connecting");
  }

  std::unique_ptr<ClientProcess> start_client() {
    // Made here: the client may be killed before it opens it.
    log_files_.push_back(daemon_.directory().write(fmt::format("history-{}", log_files_.size()), ""));
    return std::make_unique<ClientProcess>(plan_, log_files_.back(), random_.word());
  }

  // Kills as it goes, until every transaction is taken and every client has ended.
  void run_clients() {
    std::vector<std::unique_ptr<ClientProcess>> clients;
    for (std::int64_t i = 0; i < settings_.clients; ++i) clients.push_back(start_client());
    while (!clients.empty()) {
      // Not waiting for anything: any moment will do for a kill.
      std::this_thread::sleep_for(std::chrono::milliseconds(random_.between(1, 60)));
      std::erase_if(clients, [](const auto& client) { return client->has_ended(); });
      if (clients.empty() || *next_transaction_ >= settings_.transactions) continue;
      if (settings_.kill_clients) {
        const auto victim =
            static_cast<std::size_t>(random_.between(0, static_cast<std::int64_t>(clients.size()) - 1));
        clients[victim].reset();
        clients[victim] = start_client();
        ++clients_killed_;
      }
      if (settings_.kill_daemon && random_.one_in(6)) {
        daemon_.kill();
        daemon_.start();
        ++daemons_killed_;
      }
    }
  }

  std::map<std::int64_t, Elements> final_lists() const {
    Connection connection = connect();
    std::map<std::int64_t, Elements> lists;
    const ResultSet rows = must(connection.execute("SELECT key, elements FROM list"));
    for (const Row row : rows) {
      lists[must(row.get<std::int64_t>(0))] = parse_elements(must(row.get<std::string_view>(1)));
    }
    return lists;
  }

  void print_history(const History& history, Clock::duration run, Clock::duration check) const {
    std::array<std::size_t, 3> endings{};
    std::size_t reads = 0;
    std::size_t appends = 0;
    std::size_t elements = 0;
    for (const ListTransaction& transaction : history.transactions) {
      ++endings.at(static_cast<std::size_t>(transaction.ending));
      for (const ListOperation& operation : transaction.operations) {
        if (operation.kind == ListOperation::Kind::kAppend) ++appends;
        if (operation.is_answered) ++reads;
      }
    }
    for (const auto& [key, list] : history.final_lists) elements += list.size();
    const auto seconds = [](Clock::duration duration) {
      return std::chrono::duration<double>(duration).count();
    };
    fmt::print("{} transactions of {} clients in {:.1f} s: {} committed, {} failed, {} in doubt\n",
               history.transactions.size(), settings_.clients, seconds(run), endings[0], endings[1],
               endings[2]);
    fmt::print("{} reads answered, {} appends asked for, {} elements in {} lists at the end\n", reads, appends,
               elements, history.final_lists.size());
    fmt::print("{} clients and {} daemons killed; checked in {:.2f} s\n", clients_killed_, daemons_killed_,
               seconds(check));
  }

  const Settings settings_;
  Random random_;
  RealDaemon daemon_;
  AppendClient::Plan plan_;
  void* memory_ = nullptr;
  std::atomic<std::int64_t>* next_transaction_ = nullptr;  // in memory_
  std::vector<std::string> log_files_;
  std::size_t clients_killed_ = 0;
  std::size_t daemons_killed_ = 0;
};

bool run(const Settings& settings) {
  fmt::print("seed {}\n", settings.seed);
  const bool is_good = ListRun(settings).run();
  if (settings.fault == Fault::kNone) {
    fmt::print("{}\n", is_good ? "strictly serializable" : "NOT strictly serializable");
  } else {
    fmt::print("{}\n", is_good ? "found, as expected" : "NOT FOUND");
  }
  return is_good;
}

bool run_self_test(Settings settings) {
  bool all_found = true;
  for (const FaultName& fault : kFaults) {
    fmt::print("\n{}: {}\n", fault.name, to_string(fault.anomaly));
    settings.fault = fault.fault;
    all_found = run(settings) && all_found;
  }
  fmt::print("\nno fault\n");
  settings.fault = Fault::kNone;
  return run(settings) && all_found;
}

}  // namespace

}  // namespace skua::test

int main(int argc, char** argv) {
  using namespace skua::test;
  Settings settings;
  bool self_test = false;
  CLI::App app("Appends to lists in a Skua daemon of its own and checks what its clients saw for anomalies.");
  app.add_option("--transactions", settings.transactions, "of all clients together")
      ->check(CLI::PositiveNumber);
  app.add_option("--clients", settings.clients, "processes")->check(CLI::Range(1, 1000));
  app.add_option("--seed", settings.seed, "repeats the transactions of a run, but not its timing");
  app.add_flag("--kill-clients", settings.kill_clients, "kill a client now and then, and start another one");
  app.add_flag("--kill-daemon", settings.kill_daemon, "kill the daemon now and then, and start it again");
  std::map<std::string, Fault> faults;
  std::string names;
  for (const FaultName& fault : kFaults) {
    faults.emplace(fault.name, fault.fault);
    names += (names.empty() ? "" : ", ") + std::string(fault.name);
  }
  app.add_option("--break", settings.fault, "make the clients lie, and succeed if that is found; one of " + names)
      ->type_name("FAULT")
      ->transform(CLI::CheckedTransformer(faults).description(""));
  app.add_flag("--self-test", self_test, "--break with each of its names");
  CLI11_PARSE(app, argc, argv);
  if (settings.seed == 0) settings.seed = Random().seed();
  bool is_good = false;
  const int failed = run_program([&] { is_good = self_test ? run_self_test(settings) : run(settings); });
  return failed != 0 ? failed : is_good ? 0 : 1;
}
