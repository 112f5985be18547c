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

  struct Requirement {
    std::uint16_t step = 0;  // an earlier step, from 0
    Outcome outcome = Outcome::kSucceeded;
  };
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

struct StepResult {
  bool skipped = false;
  std::optional<Error> error;
  ResultSet rows;
};

struct ProgramResult {
  std::vector<StepResult> steps;
};

}  // namespace skua
