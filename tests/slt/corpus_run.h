// CorpusRun runs the files of a corpus over several sessions at once and adds up what came of them.
//
// run() starts the threads and joins them; each takes the next file, the largest first, and has a target of its
// own for it. Everything else belongs to the thread that made it.
#pragma once

#include <cstddef>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/slt/corpus.h"
#include "tests/slt/known_differences.h"
#include "tests/slt/script_runner.h"
#include "tests/slt/target.h"

namespace skua::slt {

// An empty database for the file with this index. Called from any of the threads.
using OpenTarget = std::function<Result<std::unique_ptr<Target>>(std::size_t file)>;

struct FileOutcome {
  Status status;  // an error: the file could not be run at all
  ScriptReport report;
};

struct CorpusTotals {
  std::size_t records = 0;
  std::size_t passed = 0;
  std::size_t known_differences = 0;
  std::size_t failures = 0;
  std::size_t step_errors = 0;

  bool is_success() const { return failures == 0; }
};

class CorpusRun {
 public:
  CorpusRun(std::vector<CorpusFile> files, KnownDifferences known)
      : files_(std::move(files)), known_(std::move(known)) {}

  // `queries_max`: of each file, 0 for all.
  void run(const OpenTarget& open_target, std::size_t jobs, std::size_t queries_max);
  // Writes each failure to `out` and returns the sums.
  CorpusTotals report(std::FILE* out) const;

 private:
  void run_file(const OpenTarget& open_target, std::size_t file, std::size_t queries_max);
  void report_file(std::size_t file, std::FILE* out, CorpusTotals& totals) const;

  std::vector<CorpusFile> files_;
  KnownDifferences known_;
  std::vector<FileOutcome> outcomes_;  // one for each file, written by the thread that ran it
};

// "718849 of 718851 records pass, 2 known differences, 0 failures"
std::string to_string(const CorpusTotals& totals);

}  // namespace skua::slt
