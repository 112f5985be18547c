#!/usr/bin/env python3
"""Tests of docs/doxygen_comments.py: what of a header is documentation, and what is left out."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "docs"))
import doxygen_comments  # noqa: E402


def filtered(text):
    return doxygen_comments.Filter(text.split("\n")).run()


class DoxygenCommentsTest(unittest.TestCase):
    def test_a_comment_above_and_one_behind_document_a_declaration(self):
        out = filtered("namespace n {\n// Opens it.\nint open();\nint size = 0;  // in bytes\n}")
        self.assertIn("/** Opens it. */\nint open();", out)
        self.assertIn("int size = 0; /**< in bytes */", out)

    def test_a_comment_is_also_that_of_the_declarations_below_the_first(self):
        out = filtered("namespace n {\n// For its own kind only.\nint integer();\nint real();\n\nint other();\n}")
        self.assertIn("/** For its own kind only. */ int real();", out)
        self.assertIn("\n\nint other();", out)

    def test_a_class_without_a_comment_has_its_part_of_the_opening(self):
        out = filtered("// Batch: rows by column. Row: one of them.\n#pragma once\n\nclass Row {\n};")
        self.assertIn("/** One of them. */ class Row {", out)

    def test_comments_within_functions_are_left_alone(self):
        out = filtered("inline int f() {\n  // Zero is a limit.\n  return 0;  // so\n}")
        self.assertIn("  // Zero is a limit.\n  return 0;  // so\n", out)

    def test_what_is_for_the_librarys_own_use_is_left_out(self):
        out = filtered(
            "class A {\n public:\n  int size();\n  // For the library's own use.\n  class State;\n  void take();\n\n private:\n"
            "  int hidden_;\n};\n// For the library's own use: parts.\nstruct B {\n  int b;\n\n  int c;\n};\n\nint last();"
        )
        for part in ("State", "take", "struct B", "int c;"):
            self.assertNotIn(part, out)
        for part in ("int size();", "private:", "int last();"):
            self.assertIn(part, out)

    def test_copying_and_moving_are_left_out_and_other_constructors_are_not(self):
        out = filtered(
            "class A {\n public:\n  A() = default;\n  A(A&& other) noexcept\n      : a_(other.a_) {}\n  A& operator=(A&&) noexcept;\n"
            "  ~A();\n  explicit A(int size);\n  int row_count() const;\n  int undocumented();\n};"
        )
        for part in ("default", "other", "operator", "~A"):
            self.assertNotIn(part, out)
        self.assertIn("explicit A(int size);", out)
        # What says all by its name is listed; what does not is left for Doxygen to complain about.
        self.assertIn("/** &nbsp; */   int row_count() const;", out)
        self.assertIn("\n  int undocumented();", out)

    def test_indented_lines_are_code_and_markup_is_text(self):
        out = filtered("// Says:\n//\n//   f(a);\n//\n// A <b> of @c.\nint f();".replace("// Says", "\n// Says"))
        self.assertIn("\\code{.cpp}\nf(a);\n\\endcode", out)
        self.assertIn("A \\<b\\> of \\@c.", out)


if __name__ == "__main__":
    unittest.main()
