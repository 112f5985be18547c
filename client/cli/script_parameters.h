// ScriptParameters: the values given with --param, and which of them each statement of a script takes.
//
// A definition is `key=value` or `key:type=value`. The key is a parameter's name, with or without its `:`, `@`
// or `$`, or its position, from 1. Without a type a value that is written as a JSON number is an integer (if it
// has neither a point nor an exponent, and fits 64 bits) or a real; everything else is text, also 007 and
// 12345678901234567890. The types are integer, real, text, blob (hexadecimal digits) and null (no value). One
// thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/result.h"
#include "protocol/value.h"
#include "skua/parameters.h"

namespace skua::cli {

class ScriptParameters {
 public:
  ScriptParameters() = default;
  // kUsage names the definition that is wrong.
  static Result<ScriptParameters> parse(const std::vector<std::string>& definitions);

  bool empty() const { return values_.empty(); }
  // The values for one statement whose parameters have these names (Description::parameters), by position.
  // kParameter if it needs one that was not given.
  Result<Parameters> for_statement(const std::vector<std::string>& names);
  // Keys that no statement has taken so far: likely misspelt.
  std::vector<std::string> unused() const;

 private:
  std::map<std::string, Value> values_;  // by name without prefix, or by position
  std::set<std::string> used_;
};

// As in a definition without a type.
Value guessed_value(std::string_view text);

}  // namespace skua::cli
