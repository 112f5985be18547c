#include "tests/slt/corpus_run.h"

#include <criterion/criterion.h>

#include <string>

#include "tests/slt/in_process_target.h"
#include "tests/support/build_paths.h"
#include "tests/support/failure.h"
#include "tests/support/temporary_directory.h"

using namespace skua;
using namespace skua::slt;

namespace {

Result<std::unique_ptr<Target>> open_sqlite(std::size_t) {
  SKUA_ASSIGN(std::unique_ptr<Target> target, InProcessTarget::open());
  return target;
}

class SelfTest {
 public:
  explicit SelfTest(const std::string& pattern, std::string_view known_differences = "") {
    auto files = test::must(open_corpus({test::source_path("tests/slt/self_test"), "", pattern}));
    test::require(files.has_value(), "no self test files");
    const std::string list = directory_.write("known.txt", known_differences);
    CorpusRun run(std::move(*files), test::must(KnownDifferences::load(list)));
    run.run(open_sqlite, 2, 0);
    const std::string report = directory_ / "report";
    std::FILE* out = std::fopen(report.c_str(), "w");
    test::require(out != nullptr, "no report");
    totals = run.report(out);
    std::fclose(out);
    text = test::read_file(report);
    summary = to_string(totals);
  }

  bool reports(const std::string& line) const { return text.find(line) != std::string::npos; }

  CorpusTotals totals;
  std::string text;     // what was reported
  std::string summary;  // the closing line

 private:
  test::TemporaryDirectory directory_;
};

}  // namespace

Test(slt_corpus_run, finds_nothing_in_right_expectations) {
  const SelfTest run("right.test");
  cr_expect(run.text.empty(), "%s", run.text.c_str());
  cr_expect(run.totals.is_success());
  cr_expect_eq(run.totals.step_errors, 1u);
  cr_expect(run.summary == "9 of 9 records pass, 0 known differences, 0 failures", "%s", run.summary.c_str());
}

Test(slt_corpus_run, reports_every_wrong_expectation_at_its_line) {
  const SelfTest run("wrong.test");
  cr_expect(!run.totals.is_success());
  cr_expect(run.summary == "3 of 13 records pass, 0 known differences, 10 failures", "%s", run.summary.c_str());
  for (const int line : {9, 12, 15, 22, 28, 35, 40, 45, 54, 59}) {
    cr_expect(run.reports("wrong.test:" + std::to_string(line) + ": failed\n"), "line %d is not in:\n%s", line,
              run.text.c_str());
  }
}

Test(slt_corpus_run, names_the_sql_what_was_expected_and_what_came) {
  const SelfTest run("wrong.test");
  cr_expect(
      run.reports("  SELECT id FROM item ORDER BY id\n  expected 3 values: [1] [2] [11]\n"
                  "  got      3 values: [1] [2] [10]\n"));
}

Test(slt_corpus_run, forgives_known_differences_and_counts_them) {
  const SelfTest run("wrong.test", "# why\nwrong.test:9  exists already\nwrong.test:12  does succeed\n");
  cr_expect(run.summary == "3 of 13 records pass, 2 known differences, 8 failures", "%s", run.summary.c_str());
  cr_expect(!run.reports("wrong.test:9:"));
}

Test(slt_corpus_run, reports_a_known_difference_that_passes) {
  const SelfTest run("right.test", "right.test:5  not any more\n");
  cr_expect_eq(run.totals.failures, 1u);
  cr_expect(run.reports("right.test:5: passes, but is listed as a known difference\n"));
}

Test(slt_corpus_run, has_no_corpus_where_there_is_none) {
  cr_expect(!test::must(open_corpus({"/nonexistent/corpus.tar.xz", "", ""})).has_value());
}
