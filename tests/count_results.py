#!/usr/bin/env python3
"""Adds up what ctest reported: count_results.py FILE... reads the JUnit files that it wrote.

A Criterion program counts with each of its tests, any other test as one. A file that is missing stands for a
build that failed and counts as one failure. Prints what failed or was skipped and, as its last line,
"N passed, N failed". Exit status 1 if anything failed, or if nothing ran.
"""

import re
import sys
import xml.etree.ElementTree

SYNTHESIS = re.compile(r"Synthesis: Tested: (\d+) \| Passing: (\d+)")


def was_skipped(case):
    """True for what a test said of itself; a program that could not be found is "notrun" too, and a failure."""
    message = case.find("skipped").get("message", "") if case.find("skipped") is not None else ""
    return case.get("status") == "disabled" or (case.get("status") == "notrun" and message.startswith("SKIP_"))


def count_case(case):
    """(passed, failed) of one ctest test."""
    if was_skipped(case):
        return 0, 0
    succeeded = case.get("status") == "run"
    counts = SYNTHESIS.findall(case.findtext("system-out") or "")
    tested = sum(int(tested) for tested, _ in counts)
    passed = sum(int(passed) for _, passed in counts)
    if not tested:
        return (1, 0) if succeeded else (0, 1)
    # A program can fail with all of its tests passed: a sanitizer's report, a timeout.
    failed = tested - passed if succeeded else max(tested - passed, 1)
    return tested - failed, failed


def count(files):
    """(passed, failed, lines that say what did not pass) over all files."""
    passed = failed = 0
    remarks = []
    for name in files:
        try:
            cases = xml.etree.ElementTree.parse(name).getroot().iter("testcase")
        except FileNotFoundError:
            remarks.append(f"{name}: not there; the build failed")
            failed += 1
            continue
        for case in cases:
            case_passed, case_failed = count_case(case)
            if case_failed:
                remarks.append(f"{name}: {case.get('name')} failed")
            elif not case_passed:
                remarks.append(f"{name}: {case.get('name')} skipped")
            passed += case_passed
            failed += case_failed
    return passed, failed, remarks


def main():
    passed, failed, remarks = count(sys.argv[1:])
    for remark in remarks:
        print(remark)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
