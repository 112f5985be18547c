// Program: several statements sent as one request and answered by one response. Plain data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "protocol/error.h"
#include "skua/parameters.h"
#include "skua/result_set.h"

namespace skua {

// What a step may require of an earlier one.
enum class Outcome : std::uint16_t {
  kSucceeded = 0,
  kFailed = 1,
  kSkipped = 2,
  kChangedRows = 3,   // succeeded, and changed at least one row
  kReturnedRows = 4,  // succeeded, and returned at least one row
  kChangedNone = 5,   // succeeded, and changed no row
  kReturnedNone = 6,  // succeeded, and returned no row
};

struct Program {
  Program() = default;

  // Of an earlier step.
  struct Requirement {
    std::uint16_t step = 0;  // an earlier step, from 0
    Outcome outcome = Outcome::kSucceeded;
  };
  // One statement.
  struct Step {
    std::string sql;
    Parameters parameters;
    std::vector<Requirement> requirements;  // runs if all hold, is skipped otherwise
    bool may_fail = false;                  // atomic programs: its error undoes this step only
  };

  std::vector<Step> steps;
  // True: all or nothing. False: each step is its own transaction.
  bool atomic = true;
};

// What came of one step: it was skipped, or failed, or has rows, which may be none.
struct StepResult {
  bool skipped = false;
  std::optional<Error> error;
  ResultSet rows;
};

// What came of each step, in order.
struct ProgramResult {
  std::vector<StepResult> steps;
};

}  // namespace skua
