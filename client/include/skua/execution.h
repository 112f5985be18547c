// Execution: what is told of each request that executes something, to a program that wants to watch: hooks and echo.
//
// The functions are called on the thread of the connection or engine, before the request is sent and after its end. What they
// are given lives as long as the call. They must not use the connection they are told of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "protocol/error.h"
#include "protocol/summary.h"
#include "skua/parameters.h"

namespace skua {

// What is executed.
struct Execution {
  enum class Kind { kExecute, kStream, kExecuteMany, kProgram, kBegin, kCommit, kRollback, kSavepoint };

  Kind kind = Kind::kExecute;
  std::string_view sql;                     // of a program: its steps, with ";\n" between them
  const Parameters* parameters = nullptr;   // null: none
  std::size_t row_count = 0;                // of parameters, for kExecuteMany
  std::uint32_t transaction = 0;            // 0: outside of any
  std::string_view database;                // empty: the daemon's only one
  std::uint64_t id = 0;                     // the same before and after; unique in the process
};

// What came of it.
struct ExecutionEnd {
  const Error* error = nullptr;      // null: it went well
  const Summary* summary = nullptr;  // null: there is none, as for an error
  std::uint64_t elapsed_us = 0;      // from before it was sent to its end; of a stream, to its last row
};

// Either may be null.
struct ExecutionHooks {
  // When the request is put under way, also if it is sent again; and when it has ended, however it ended.
  std::function<void(const Execution&)> before = nullptr;
  std::function<void(const Execution&, const ExecutionEnd&)> after = nullptr;
};

// One line for each execution.
struct EchoOptions {
  // After each execution, one line with its SQL, parameters, rows and time.
  bool enabled = false;
  // "?" in place of each parameter's value.
  bool mask_parameters = false;
  // Longer SQL and longer values are cut, with "..." in the place of the rest.
  std::size_t sql_bytes_max = 1'000;
  std::size_t value_bytes_max = 100;
  // Where the lines go, without their end of line; null: stderr.
  std::function<void(std::string_view)> write = nullptr;
};

// The line that echo writes.
std::string echo_line(const Execution& execution, const ExecutionEnd& end, const EchoOptions& options);

}  // namespace skua
