// Requests as a client sends them, each in a frame of its own, ready for a Job. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/core/request.h"
#include "protocol/value.h"

namespace skua::test {

// Without names the parameters are positional; so is one whose name is empty.
std::shared_ptr<Request> execute_request(std::string_view sql, const std::vector<Value>& parameters = {},
                                         const std::vector<std::string>& names = {});

std::shared_ptr<Request> execute_many_request(std::string_view sql, const std::vector<std::vector<Value>>& rows,
                                              const std::vector<std::string>& names = {});

struct ProgramStep {
  std::string sql;
  std::vector<Value> parameters;
  std::vector<std::pair<std::uint16_t, wire::Outcome>> requirements;
  bool may_fail = false;
};

std::shared_ptr<Request> program_request(const std::vector<ProgramStep>& steps, bool independent = false);

std::shared_ptr<Request> describe_request(std::string_view sql);

}  // namespace skua::test
