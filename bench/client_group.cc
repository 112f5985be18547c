#include "bench/client_group.h"

#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstring>
#include <new>
#include <thread>
#include <vector>

#include "bench/process_usage.h"

namespace skua::bench {

namespace {

using Clock = std::chrono::steady_clock;

// After so many errors without a success in between, a client takes it that its connection is gone.
constexpr std::uint64_t kErrorsInARowMax = 100;

// One client's part, in memory shared with the starter.
struct ClientReport {
  std::uint64_t operations = 0;
  std::uint64_t units = 0;
  std::uint64_t busy = 0;
  std::uint64_t errors = 0;
  double seconds = 0;
  double cpu_seconds = 0;
  Tally tally;
  bool finished = false;
  std::array<char, 400> first_error{};

  void add_error(const Error& what) {
    if ((what.sqlite_code & 0xff) == SQLITE_BUSY) {
      ++busy;
      return;
    }
    if (errors++ > 0) return;
    const std::string text = fmt::format("{}: {}", to_string(what.code), what.message);
    std::memcpy(first_error.data(), text.data(), std::min(text.size(), first_error.size() - 1));
  }
};

class SharedReports {
 public:
  explicit SharedReports(std::size_t count) : bytes_(count * sizeof(ClientReport)) {
    memory_ = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    SKUA_CHECK(memory_ != MAP_FAILED);
    for (std::size_t i = 0; i < count; ++i)
      reports_.push_back(new (static_cast<ClientReport*>(memory_) + i) ClientReport);
  }
  SharedReports(const SharedReports&) = delete;
  SharedReports& operator=(const SharedReports&) = delete;
  ~SharedReports() { ::munmap(memory_, bytes_); }

  ClientReport& operator[](std::size_t index) { return *reports_[index]; }

 private:
  std::size_t bytes_;
  void* memory_ = nullptr;
  std::vector<ClientReport*> reports_;
};

// Of this thread.
double own_cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_THREAD, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Either of the two that a contestant can have.
struct Work {
  Operation operation;
  Window window;

  static Result<Work> of(Contestant& contestant, std::size_t role, std::size_t client) {
    Work work;
    if (contestant.has_windows()) {
      SKUA_ASSIGN(work.window, contestant.make_window(client));
    } else {
      SKUA_ASSIGN(work.operation, contestant.make_role_operation(role, client));
    }
    return work;
  }
};

// What fails here fails again when it is counted.
void warm_up(const Work& work, std::chrono::nanoseconds duration) {
  const Clock::time_point end = Clock::now() + duration;
  Tally ignored;
  for (std::uint64_t errors_in_a_row = 0; errors_in_a_row < kErrorsInARowMax && Clock::now() < end;) {
    const Result<std::uint64_t> done = work.window ? work.window(ignored) : work.operation();
    errors_in_a_row = done ? 0 : errors_in_a_row + 1;
  }
}

// An operation that fails counts with its time. Of a window that fails, the operations that had succeeded do.
void measure_windows(const Window& window, std::chrono::nanoseconds duration, ClientReport& report) {
  const double cpu_before = own_cpu_seconds();
  const Clock::time_point begin = Clock::now();
  Tally& tally = report.tally;
  std::chrono::nanoseconds taken{};
  std::uint64_t errors_in_a_row = 0;
  while (taken < duration && errors_in_a_row < kErrorsInARowMax) {
    const Result<std::uint64_t> units = window(tally);
    taken = Clock::now() - begin - tally.aside;
    if (units) {
      report.units += *units;
      errors_in_a_row = 0;
    } else {
      report.add_error(units.error());
      ++errors_in_a_row;
    }
  }
  report.operations = tally.latencies.count();
  report.seconds = std::chrono::duration<double>(std::max(taken, duration)).count();
  report.cpu_seconds = own_cpu_seconds() - cpu_before + tally.elsewhere_cpu_seconds;
}

void measure(const Operation& operation, std::chrono::nanoseconds duration, ClientReport& report) {
  const double cpu_before = own_cpu_seconds();
  const Clock::time_point begin = Clock::now();
  Clock::time_point last = begin;
  std::uint64_t errors_in_a_row = 0;
  while (last - begin < duration && errors_in_a_row < kErrorsInARowMax) {
    const Result<std::uint64_t> units = operation();
    const Clock::time_point now = Clock::now();
    report.tally.latencies.add(now - last);
    last = now;
    if (units) {
      ++report.operations;
      report.units += *units;
      errors_in_a_row = 0;
    } else {
      report.add_error(units.error());
      ++errors_in_a_row;
    }
  }
  report.seconds = std::chrono::duration<double>(std::max<Clock::duration>(last - begin, duration)).count();
  report.cpu_seconds = own_cpu_seconds() - cpu_before;
}

void close_and_forget(int& fd) {
  if (fd >= 0) ::close(fd);
  fd = -1;
}

// The pipes that hold the clients back until all of them are ready. A client's byte says that it is, or that it
// never will be; the starter lets them go by closing its side.
struct Gate {
  int ready[2] = {-1, -1};
  int start[2] = {-1, -1};

  // A client's side. Each process closes `ready` after its last byte: so the starter sees the end of the file,
  // and waits no longer, if a process dies before.
  void pass(std::atomic<std::size_t>& clients_to_come) {
    char byte = 0;
    const bool said = ::write(ready[1], &byte, 1) == 1;
    if (--clients_to_come == 0) close_and_forget(ready[1]);
    // Returns when the starter closes its side, or has ended.
    while (said && ::read(start[0], &byte, 1) > 0) continue;
  }
  // The starter's side.
  void wait_for(std::size_t clients) {
    close_and_forget(ready[1]);
    close_and_forget(start[0]);
    char byte = 0;
    for (std::size_t count = 0; count < clients && ::read(ready[0], &byte, 1) == 1;) ++count;
    close_and_forget(ready[0]);
  }
  void open() { close_and_forget(start[1]); }
};

// The clients of all groups have numbers in one sequence, by which their reports are found.
struct Client {
  std::size_t role = 0;
  std::size_t number = 0;  // within its role
};

struct ClientProcess {
  Contestant& contestant;
  const Turn& turn;
  Gate& gate;
  SharedReports& reports;
  std::atomic<std::size_t> clients_to_come;

  void be_client(Client client, ClientReport& report) {
    report.seconds = std::chrono::duration<double>(turn.duration).count();
    const Result<Work> work = Work::of(contestant, client.role, client.number);
    if (work) {
      warm_up(*work, turn.warm_up);
    } else {
      report.add_error(work.error());
    }
    gate.pass(clients_to_come);
    if (work && work->window) {
      measure_windows(work->window, turn.duration, report);
    } else if (work) {
      measure(work->operation, turn.duration, report);
    }
    report.finished = true;
  }

  // As the client, and those of its role behind it that are threads of the same process.
  [[noreturn]] void run(Client first, std::size_t first_report) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    close_and_forget(gate.start[1]);
    std::vector<std::thread> others;
    for (std::size_t i = 1, count = clients_to_come; i < count; ++i) {
      others.emplace_back([this, client = Client{first.role, first.number + i}, report = first_report + i] {
        be_client(client, reports[report]);
      });
    }
    be_client(first, reports[first_report]);
    for (std::thread& thread : others) thread.join();
    // Not exit(): what the starter owns is not this process's to take down.
    ::_exit(0);
  }
};

Measurement sum_up(SharedReports& reports, std::size_t begin, std::size_t count) {
  Measurement total;
  std::uint64_t fewest = UINT64_MAX;
  std::uint64_t most = 0;
  for (std::size_t client = begin; client < begin + count; ++client) {
    const ClientReport& report = reports[client];
    const std::string error = report.finished ? report.first_error.data() : "a client crashed";
    if (total.first_error.empty()) total.first_error = error;
    if (report.seconds > 0) total.units_per_second += static_cast<double>(report.units) / report.seconds;
    total.latencies.add(report.tally.latencies);
    total.operations += report.operations;
    total.busy += report.busy;
    total.errors += report.errors + (report.finished ? 0 : 1);
    total.client_cpu_seconds += report.cpu_seconds;
    fewest = std::min(fewest, report.operations);
    most = std::max(most, report.operations);
  }
  total.fairness = most > 0 ? static_cast<double>(fewest) / static_cast<double>(most) : 0;
  return total;
}

}  // namespace

Result<TurnMeasurement> measure_clients(Contestant& contestant, const Turn& turn) {
  if (std::optional<Result<TurnMeasurement>> measured = contestant.measure(turn)) return *std::move(measured);
  const std::size_t threads = contestant.thread_count();
  const std::size_t clients_each = std::max<std::size_t>(threads, 1);
  std::vector<ClientGroup> groups = turn.groups;
  if (threads > 0) groups = {{0, threads}};
  std::size_t clients = 0;
  for (const ClientGroup& group : groups) clients += group.clients;
  SharedReports reports(clients);
  Gate gate;
  if (::pipe(gate.ready) != 0 || ::pipe(gate.start) != 0) return make_error(ErrorCode::kInternal, "no pipe");
  ClientProcess process{contestant, turn, gate, reports, clients_each};
  std::vector<pid_t> pids;
  std::size_t report = 0;
  bool forked = true;
  for (const ClientGroup& group : groups) {
    for (std::size_t number = 0; forked && number < group.clients; number += clients_each, report += clients_each) {
      const pid_t pid = ::fork();
      if (pid == 0) process.run({group.role, number}, report);
      forked = pid > 0;
      if (forked) pids.push_back(pid);
    }
  }
  gate.wait_for(pids.size() * clients_each);
  const pid_t server = contestant.server_pid();
  const double cpu_before = server > 0 ? cpu_seconds(server) : 0;
  if (server > 0) forget_peak_memory(server);
  gate.open();
  for (const pid_t pid : pids) ::waitpid(pid, nullptr, 0);
  if (!forked) return make_error(ErrorCode::kInternal, "cannot fork");
  TurnMeasurement measured;
  report = 0;
  for (const ClientGroup& group : groups) {
    measured.groups.push_back(sum_up(reports, report, group.clients));
    report += group.clients;
  }
  if (server > 0) {
    measured.server_cpu_seconds = cpu_seconds(server) - cpu_before;
    measured.server_peak_bytes = peak_memory_bytes(server);
  }
  return measured;
}

}  // namespace skua::bench
