// The vocabulary of the system tests: connections to a RealDaemon, results as text, and the command line.
//
// A test names what it expects; anything else is a Failure that says what came instead. One thread.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "skua/client.h"
#include "tests/support/failure.h"
#include "tests/support/real_daemon.h"

namespace skua::test {

// Runs until it is stopped, without giving a row.
inline constexpr std::string_view kForever =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
// Gives 1, 2, 3, ... until it is stopped.
inline constexpr std::string_view kEndlessRows =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";

// SELECT i: the numbers from 1 to count.
std::string numbers_up_to(std::uint64_t count);

Connection connect(const RealDaemon& daemon, std::string database = {});

// Rows as text: values with | between them, rows with a space; NULL as ~, a blob as x'..'.
std::string text_of(const ResultSet& rows);
// Executes a statement that must succeed, and its rows as text. Works with a Connection and a Transaction.
template <class Executor>
std::string ask(Executor& executor, std::string_view sql, const Parameters& parameters = {}) {
  return text_of(must(executor.execute(sql, parameters), std::string(sql)));
}

// The error of a call that must fail with this code.
template <class R>
Error expect_error(R&& result, ErrorCode code) {
  if (result) throw Failure("a call succeeded that should fail: " + std::string(to_string(code)));
  require(result.error().code == code, "expected " + std::string(to_string(code)) + ", got " +
                                           std::string(to_string(result.error().code)) + ": " +
                                           result.error().message);
  return result.error();
}

inline bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// skua -s SOCKET ARGUMENTS...
std::vector<std::string> skua_command(const RealDaemon& daemon, std::initializer_list<std::string> arguments);
ProcessEnd run_skua(const RealDaemon& daemon, std::initializer_list<std::string> arguments,
                    std::string input = {});
// A run that must end with exit status 0; its output.
std::string skua_output(const RealDaemon& daemon, std::initializer_list<std::string> arguments,
                        std::string input = {});

// skuad with arguments that it must refuse: its stderr. Fails if it starts, or ends with status 0.
std::string refused_daemon(const std::vector<std::string>& arguments);

}  // namespace skua::test
