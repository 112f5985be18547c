#!/usr/bin/env python3
"""Shows that count_results.py hides no failure."""

import pathlib
import tempfile
import unittest

import count_results

SYNTHESIS = "[====] Synthesis: Tested: {} | Passing: {} | Failing: {} | Crashing: 0"


class CountResults(unittest.TestCase):
    def count(self, *cases):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "results.xml"
            file.write_text(f"<testsuite>{''.join(cases)}</testsuite>", encoding="utf-8")
            return count_results.count([str(file)])[:2]

    def case(self, status, output="", inside=""):
        return f'<testcase name="t" status="{status}">{inside}<system-out>{output}</system-out></testcase>'

    def test_a_plain_program_is_one_test(self):
        self.assertEqual(self.count(self.case("run", "ok")), (1, 0))
        self.assertEqual(self.count(self.case("fail", "ok")), (0, 1))

    def test_a_criterion_program_is_its_tests(self):
        self.assertEqual(self.count(self.case("run", SYNTHESIS.format(12, 12, 0))), (12, 0))
        self.assertEqual(self.count(self.case("fail", SYNTHESIS.format(12, 10, 2))), (10, 2))

    def test_a_program_that_fails_with_all_tests_passed_is_a_failure(self):
        self.assertEqual(self.count(self.case("fail", SYNTHESIS.format(12, 12, 0))), (11, 1))

    def test_a_program_that_is_missing_is_a_failure(self):
        missing = '<skipped message="Unable to find executable"/>'
        self.assertEqual(self.count(self.case("notrun", inside=missing)), (0, 1))

    def test_a_test_that_skipped_itself_is_neither(self):
        skipped = '<skipped message="SKIP_RETURN_CODE=77"/>'
        self.assertEqual(self.count(self.case("notrun", inside=skipped), self.case("run")), (1, 0))

    def test_a_build_that_failed_is_a_failure(self):
        self.assertEqual(count_results.count(["/no/such/results.xml"])[:2], (0, 1))


if __name__ == "__main__":
    unittest.main()
