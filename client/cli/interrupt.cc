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

void on_interrupt(int) {
  const Canceller* canceller = active_canceller.load();
  const bool again = interrupt_requested.exchange(true);
  if (leaves.load() && (again || canceller == nullptr)) ::_exit(static_cast<int>(ExitCode::kInterrupted));
  if (canceller != nullptr) canceller->cancel();
}

}  // namespace

void Interrupt::install(Manner manner) {
  leaves = manner == Manner::kLeave;
  struct sigaction action = {};
  action.sa_handler = on_interrupt;
  sigemptyset(&action.sa_mask);
  ::sigaction(SIGINT, &action, nullptr);
}

bool Interrupt::requested() { return interrupt_requested.load(); }

void Interrupt::clear() { interrupt_requested = false; }

CancelOnInterrupt::CancelOnInterrupt(const Connection& connection) : canceller_(connection.canceller()) {
  active_canceller = &canceller_;
}

CancelOnInterrupt::~CancelOnInterrupt() { active_canceller = nullptr; }

}  // namespace skua::cli
