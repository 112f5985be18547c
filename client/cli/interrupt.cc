#include "client/cli/interrupt.h"

#include <unistd.h>

#include <atomic>
#include <csignal>

#include "client/cli/exit_code.h"

namespace skua::cli {

namespace {

std::atomic<bool> interrupt_requested = false;
std::atomic<bool> leaves = false;
std::atomic<const Canceller*> active_canceller = nullptr;

// A cancel that comes just before its request is sent is lost, because it was not meant for that request. So it
// is repeated until the request has ended.
constexpr unsigned kRepeatSeconds = 1;

void cancel_active() {
  if (const Canceller* canceller = active_canceller.load()) canceller->cancel();
}

void on_interrupt(int) {
  const bool again = interrupt_requested.exchange(true);
  if (leaves.load() && (again || active_canceller.load() == nullptr)) {
    ::_exit(static_cast<int>(ExitCode::kInterrupted));
  }
  cancel_active();
  ::alarm(kRepeatSeconds);
}

void on_alarm(int) {
  if (!interrupt_requested.load()) return;
  cancel_active();
  ::alarm(kRepeatSeconds);
}

}  // namespace

void Interrupt::install(Manner manner) {
  leaves = manner == Manner::kLeave;
  struct sigaction action = {};
  sigemptyset(&action.sa_mask);
  action.sa_handler = on_alarm;
  ::sigaction(SIGALRM, &action, nullptr);
  action.sa_handler = on_interrupt;
  ::sigaction(SIGINT, &action, nullptr);
}

bool Interrupt::requested() { return interrupt_requested.load(); }

void Interrupt::clear() {
  interrupt_requested = false;
  ::alarm(0);
}

CancelOnInterrupt::CancelOnInterrupt(const Connection& connection) : canceller_(connection.canceller()) {
  active_canceller = &canceller_;
}

CancelOnInterrupt::~CancelOnInterrupt() { active_canceller = nullptr; }

}  // namespace skua::cli
