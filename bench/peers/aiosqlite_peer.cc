#include "bench/peers/aiosqlite_peer.h"

#include <fmt/format.h>
#include <unistd.h>

#include <sstream>

namespace skua::bench {

Status require_aiosqlite(const std::string& python) {
  if (::access(SKUA_BENCH_AIOSQLITE_PROGRAM, R_OK) != 0) {
    return make_error(ErrorCode::kNotFound, fmt::format("there is no {}", SKUA_BENCH_AIOSQLITE_PROGRAM));
  }
  SKUA_ASSIGN(PipedProgram program, PipedProgram::start({python, "-c", "import aiosqlite"}));
  if (program.finish()) return {};
  return make_error(ErrorCode::kNotFound,
                    fmt::format("{} cannot import aiosqlite (on Debian: apt-get install python3-aiosqlite)", python));
}

Result<AiosqliteProgram> AiosqliteProgram::start(const std::string& python,
                                                 const std::vector<std::string>& arguments) {
  // -B: no byte code beside the sources.
  std::vector<std::string> command = {python, "-B", SKUA_BENCH_AIOSQLITE_PROGRAM};
  command.insert(command.end(), arguments.begin(), arguments.end());
  SKUA_ASSIGN(PipedProgram started, PipedProgram::start(command));
  AiosqliteProgram program(std::move(started));
  SKUA_TRY(program.program_.read_line());
  return program;
}

Result<std::vector<std::uint64_t>> AiosqliteProgram::ask(std::uint64_t line, Tally& tally) {
  SKUA_TRY(program_.write_line(fmt::to_string(line)));
  SKUA_ASSIGN(const std::string answer, program_.read_line());
  std::istringstream numbers(answer);
  double cpu_us = 0;
  numbers >> cpu_us;
  tally.elsewhere_cpu_seconds += cpu_us / 1e6;
  std::vector<std::uint64_t> rest;
  for (std::uint64_t number = 0; numbers >> number;) rest.push_back(number);
  if (rest.empty()) return make_error(ErrorCode::kInternal, "the Python program answered: " + answer);
  return rest;
}

}  // namespace skua::bench
