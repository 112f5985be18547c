// AiosqliteProgram: a Python program that works on a SQLite file with aiosqlite (aiosqlite_program.py), in a process of
// its own for each client. It times its operations itself.
//
// One thread; started in the process that uses it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/measurement.h"
#include "bench/peers/piped_program.h"
#include "protocol/result.h"

namespace skua::bench {

// Debian's, which has Debian's python3-aiosqlite; another one may come first in $PATH.
inline constexpr const char* kPython = "/usr/bin/python3";

// kNotFound, with what to install, if this Python does not have aiosqlite.
Status require_aiosqlite(const std::string& python);

class AiosqliteProgram {
 public:
  // The arguments of aiosqlite_program.py.
  static Result<AiosqliteProgram> start(const std::string& python, const std::vector<std::string>& arguments);

  // Sends a line and returns the numbers of the answer, without the first: the CPU time, which goes to the tally.
  Result<std::vector<std::uint64_t>> ask(std::uint64_t line, Tally& tally);

 private:
  explicit AiosqliteProgram(PipedProgram program) : program_(std::move(program)) {}

  PipedProgram program_;
};

}  // namespace skua::bench
