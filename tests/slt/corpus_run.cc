#include "tests/slt/corpus_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <numeric>
#include <set>
#include <thread>

namespace skua::slt {

void CorpusRun::run_file(const OpenTarget& open_target, std::size_t file, std::size_t queries_max) {
  FileOutcome& outcome = outcomes_[file];
  const Result<Script> script = load_script(files_[file].path);
  if (!script) {
    outcome.status = script.error();
    return;
  }
  const Result<std::unique_ptr<Target>> target = open_target(file);
  if (!target) {
    outcome.status = target.error();
    return;
  }
  outcome.report = ScriptRunner(**target, queries_max).run(*script);
}

void CorpusRun::run(const OpenTarget& open_target, std::size_t jobs, std::size_t queries_max) {
  outcomes_ = std::vector<FileOutcome>(files_.size());
  // The largest first: the last to finish is then a small one.
  std::vector<std::size_t> order(files_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return files_[a].byte_count > files_[b].byte_count; });
  std::atomic<std::size_t> next = 0;
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < std::max<std::size_t>(jobs, 1); ++i) {
    threads.emplace_back([&] {
      for (std::size_t at = next++; at < order.size(); at = next++)
        run_file(open_target, order[at], queries_max);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

void CorpusRun::report_file(std::size_t file, std::FILE* out, CorpusTotals& totals) const {
  const std::string& name = files_[file].name;
  const FileOutcome& outcome = outcomes_[file];
  if (!outcome.status) {
    ++totals.failures;
    fmt::print(out, "{}: not run: {}\n", name, outcome.status.error().message);
    return;
  }
  totals.records += outcome.report.record_count;
  totals.step_errors += outcome.report.step_errors;
  totals.passed += outcome.report.record_count - outcome.report.failures.size();
  std::set<std::string> differing;
  for (const Failure& failure : outcome.report.failures) {
    const std::string place = place_of(name, failure.line);
    differing.insert(place);
    if (known_.contains(place)) {
      ++totals.known_differences;
      continue;
    }
    ++totals.failures;
    fmt::print(out, "{}: failed\n  {}\n  {}\n", place, failure.sql, failure.what);
  }
  for (const std::size_t line : known_.lines_of(name)) {
    const std::string place = place_of(name, line);
    if (line > outcome.report.last_line || differing.contains(place)) continue;
    ++totals.failures;
    fmt::print(out, "{}: passes, but is listed as a known difference\n", place);
  }
}

CorpusTotals CorpusRun::report(std::FILE* out) const {
  CorpusTotals totals;
  for (std::size_t file = 0; file < outcomes_.size(); ++file) report_file(file, out, totals);
  return totals;
}

std::string to_string(const CorpusTotals& totals) {
  return fmt::format("{} of {} records pass, {} known differences, {} failures", totals.passed, totals.records,
                     totals.known_differences, totals.failures);
}

}  // namespace skua::slt
