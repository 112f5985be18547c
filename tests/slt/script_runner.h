// ScriptRunner runs a script against a target, in order, and judges each record. One thread.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "tests/slt/script.h"
#include "tests/slt/target.h"

namespace skua::slt {

struct Failure {
  std::size_t line = 0;
  std::string sql;
  std::string what;
};

struct ScriptReport {
  std::size_t record_count = 0;  // judged, or given up because the target was lost
  std::size_t last_line = 0;     // of the last of them
  std::size_t step_errors = 0;   // queries that failed after prepare and counted as empty
  std::vector<Failure> failures;
};

class ScriptRunner {
 public:
  // `queries_max` ends a script after so many queries; 0: all of it.
  ScriptRunner(Target& target, std::size_t queries_max) : target_(target), queries_max_(queries_max) {}

  ScriptReport run(const Script& script);

 private:
  void judge(const Record& record);
  void judge_statement(const Record& record);
  void judge_query(const Record& record);
  void fail(const Record& record, std::string what);

  Target& target_;
  std::size_t queries_max_;
  std::map<std::string, std::string> md5_by_label_;
  ScriptReport report_;
};

}  // namespace skua::slt
