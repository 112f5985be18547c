#include "bench/client_group.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <new>
#include <vector>

namespace skua::bench {

namespace {

using Clock = std::chrono::steady_clock;

// One client's part, in memory shared with the starter.
struct ClientReport {
  std::uint64_t units = 0;
  double seconds = 0;
  LatencyHistogram latencies;
  bool finished = false;
  std::array<char, 400> error{};

  void fail(const Error& what) {
    const std::string text = fmt::format("{}: {}", to_string(what.code), what.message);
    std::memcpy(error.data(), text.data(), std::min(text.size(), error.size() - 1));
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

Status repeat(const Operation& operation, Clock::time_point end) {
  do {
    SKUA_TRY(operation());
  } while (Clock::now() < end);
  return {};
}

Status measure(const Operation& operation, std::chrono::nanoseconds duration, ClientReport& report) {
  const Clock::time_point begin = Clock::now();
  Clock::time_point last = begin;
  while (last - begin < duration) {
    SKUA_ASSIGN(const std::uint64_t units, operation());
    const Clock::time_point now = Clock::now();
    report.latencies.add(now - last);
    report.units += units;
    last = now;
  }
  report.seconds = std::chrono::duration<double>(last - begin).count();
  return {};
}

// The pipes that hold the clients back until all of them are ready. A client's byte says that it is; the
// starter lets them go by closing its side.
struct Gate {
  int ready[2] = {-1, -1};
  int start[2] = {-1, -1};
};

void close_and_forget(int& fd) {
  if (fd >= 0) ::close(fd);
  fd = -1;
}

Status be_client(Contestant& contestant, std::size_t client, std::chrono::nanoseconds duration, Gate& gate,
                 ClientReport& report) {
  close_and_forget(gate.start[1]);
  SKUA_ASSIGN(const Operation operation, contestant.make_operation(client));
  SKUA_TRY(repeat(operation, Clock::now() + duration / 10));
  char byte = 0;
  if (::write(gate.ready[1], &byte, 1) != 1) return make_error(ErrorCode::kInternal, "the starter is gone");
  close_and_forget(gate.ready[1]);
  if (::read(gate.start[0], &byte, 1) != 0) return make_error(ErrorCode::kInternal, "the gate is broken");
  return measure(operation, duration, report);
}

[[noreturn]] void run_client(Contestant& contestant, std::size_t client, std::chrono::nanoseconds duration,
                             Gate& gate, ClientReport& report) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const Status status = be_client(contestant, client, duration, gate, report);
  if (!status) report.fail(status.error());
  report.finished = true;
  // Not exit(): what the starter owns is not this process's to take down.
  ::_exit(0);
}

void open_and_wait(Gate& gate, const std::vector<pid_t>& pids) {
  close_and_forget(gate.ready[1]);
  close_and_forget(gate.start[0]);
  char byte = 0;
  // The end of the file comes early if a client ended before it was ready: each closes its side after its byte.
  for (std::size_t ready = 0; ready < pids.size() && ::read(gate.ready[0], &byte, 1) == 1;) ++ready;
  close_and_forget(gate.start[1]);
  for (const pid_t pid : pids) ::waitpid(pid, nullptr, 0);
  close_and_forget(gate.ready[0]);
}

}  // namespace

Result<Measurement> measure_clients(Contestant& contestant, std::size_t clients,
                                    std::chrono::nanoseconds duration) {
  SharedReports reports(clients);
  Gate gate;
  if (::pipe(gate.ready) != 0 || ::pipe(gate.start) != 0) return make_error(ErrorCode::kInternal, "no pipe");
  std::vector<pid_t> pids;
  for (std::size_t client = 0; client < clients; ++client) {
    const pid_t pid = ::fork();
    if (pid == 0) run_client(contestant, client, duration, gate, reports[client]);
    if (pid < 0) break;
    pids.push_back(pid);
  }
  open_and_wait(gate, pids);
  if (pids.size() < clients) return make_error(ErrorCode::kInternal, "cannot fork");
  Measurement total;
  for (std::size_t client = 0; client < clients; ++client) {
    const ClientReport& report = reports[client];
    if (report.error[0] != '\0' || !report.finished) {
      return make_error(ErrorCode::kInternal,
                        fmt::format("{}: client {}: {}", contestant.name(), client,
                                    report.finished ? report.error.data() : "it crashed"));
    }
    total.units_per_second += static_cast<double>(report.units) / report.seconds;
    total.latencies.add(report.latencies);
  }
  return total;
}

}  // namespace skua::bench
