// Observer: tells the program of what a connection executes, if it asked to be told: hooks and echo. Observation: one
// execution, from before it is sent to its end.
//
// Costs nothing where nobody watches. One thread, that of the connection; an Observation lives no longer than its Observer.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "skua/execution.h"
#include "skua/program.h"

namespace skua {

class Observer {
 public:
  // Null if there is nothing to do.
  static std::unique_ptr<Observer> make(const ExecutionHooks& hooks, const EchoOptions& echo);

  void before(const Execution& execution) const;
  void after(const Execution& execution, const ExecutionEnd& end) const;

 private:
  ExecutionHooks hooks_;
  EchoOptions echo_;
};

class Observation {
 public:
  // Of nothing.
  Observation() noexcept;
  // `observer` may be null. What is told is copied.
  Observation(const Observer* observer, const Execution& execution);
  Observation(Observation&&) noexcept;
  Observation& operator=(Observation&&) noexcept;
  // An execution that did not end by itself was given up.
  ~Observation();

  void succeed(const Summary* summary = nullptr);
  void fail(const Error& error);

 private:
  struct Told;
  void end(const ExecutionEnd& end);

  std::unique_ptr<Told> told_;
};

// The steps' SQL in one text, for an Execution.
std::string sql_of(const Program& program);

}  // namespace skua
