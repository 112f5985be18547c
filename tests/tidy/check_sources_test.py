#!/usr/bin/env python3
"""Shows that check_sources.py catches what it is for: each test breaks one rule in a small tree of its own."""

import pathlib
import tempfile
import unittest

import check_sources

GOOD = {
    "protocol/limits.h": "// Limits. Any thread.\n#pragma once\n",
    "protocol/frame.h": "// Frame. Any thread.\n#pragma once\n#include <capnp/message.h>\n",
    "daemon/base/clock.h": "// Clock. Any thread.\n#pragma once\n",
    "daemon/core/queue.h": '// Queue. Loop thread.\n#pragma once\n#include "daemon/base/clock.h"\n',
    "daemon/engine/cursor.cc": '#include <sqlite3.h>\n#include "daemon/core/queue.h"\n',
    "daemon/net/session.cc": '#include <uv.h>\n#include "protocol/frame.h"\n',
    "daemon/main.cc": '#include "daemon/core/queue.h"\n',
    "client/include/skua/batch.h": '// Batch. One thread.\n#pragma once\n#include "protocol/limits.h"\n',
    "client/src/batch.cc": '#include "skua/batch.h"\n#include "protocol/frame.h"\n',
    "client/include/skua.h": "// The C interface. One thread.\n#pragma once\n#include <stddef.h>\n",
    "client/c/batch.h": '// skua_batch. One thread.\n#pragma once\n#include "skua.h"\n#include "skua/batch.h"\n',
    "tests/engine/cursor_test.cc": '#include <sqlite3.h>\n#include "daemon/core/queue.h"\n',
}


class CheckSources(unittest.TestCase):
    def rules_broken_by(self, changes):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, text in {**GOOD, **changes}.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text, encoding="utf-8")
            return [rule for _, rule, _ in check_sources.check(root)]

    def assert_caught(self, rule, name, text):
        self.assertIn(rule, self.rules_broken_by({name: text}), f"{name} passed")

    def test_the_good_tree_passes(self):
        self.assertEqual(self.rules_broken_by({}), [])

    def test_includes_against_the_direction(self):
        for name, included in (
            ("daemon/base/clock.cc", "daemon/core/queue.h"),
            ("protocol/frame.cc", "daemon/base/clock.h"),
            ("protocol/frame.cc", "skua/batch.h"),
            ("daemon/core/queue.cc", "daemon/net/session.h"),
            ("daemon/core/queue.cc", "daemon/engine/cursor.h"),
            ("daemon/net/session.cc", "daemon/engine/cursor.h"),
            ("daemon/engine/cursor.cc", "daemon/net/session.h"),
            ("daemon/main.cc", "skua/batch.h"),
            ("client/src/batch.cc", "daemon/core/queue.h"),
            ("client/src/batch.cc", "client/engine/loop.h"),
            ("client/cli/query.cc", "daemon/core/queue.h"),
            ("client/c/batch.cc", "client/src/channel.h"),
            ("client/c/batch.cc", "daemon/core/queue.h"),
            ("client/src/batch.cc", "client/c/batch.h"),
            ("client/src/batch.cc", "skua.h"),
            ("client/include/skua/row.h", "client/c/batch.h"),
            ("client/include/skua/row.h", "client/src/channel.h"),
        ):
            changes = {name: f'#include "{included}"\n'}
            for header in ("daemon/net/session.h", "daemon/engine/cursor.h", "client/src/channel.h", "client/engine/loop.h"):
                changes[header] = "// It. One thread.\n#pragma once\n"
            self.assertIn("include", self.rules_broken_by(changes), f"{name} includes {included}")

    def test_library_headers_out_of_their_folder(self):
        outside = ("daemon/core/queue.cc", "daemon/net/session.cc", "daemon/main.cc", "client/src/a.cc", "protocol/a.cc")
        for name in outside:
            self.assert_caught("include", name, "#include <sqlite3.h>\n")
        for name in ("daemon/core/queue.cc", "daemon/engine/cursor.cc", "daemon/main.cc", "client/cli/a.cc"):
            self.assert_caught("include", name, "#include <uv.h>\n")
        self.assert_caught("include", "client/src/a.cc", "#include <readline/readline.h>\n")

    def test_c_is_looked_at_as_well(self):
        self.assert_caught("include", "tests/c/values.c", '#include "nowhere.h"\n')
        self.assert_caught("space", "tests/c/values.c", "int x; \n")

    def test_includes_that_do_not_say_where(self):
        self.assert_caught("include", "daemon/net/session.cc", '#include "session.h"\n')
        self.assert_caught("include", "daemon/net/session.cc", '#include "../core/queue.h"\n')

    def test_capnp_behind_a_public_header(self):
        text = "// Batch. One thread.\n#pragma once\n#include "
        self.assert_caught("public-header", "client/include/skua/batch.h", text + "<capnp/message.h>\n")
        self.assert_caught("public-header", "client/include/skua/batch.h", text + '"protocol/frame.h"\n')
        self.assert_caught("public-header", "protocol/limits.h", text + '"protocol/skua.capnp.h"\n')

    def test_circles(self):
        text = '// Clock. Any thread.\n#pragma once\n#include "daemon/core/queue.h"\n'
        self.assert_caught("circle", "daemon/base/clock.h", text)

    def test_headers_without_an_opening(self):
        self.assert_caught("header", "daemon/base/clock.h", "#pragma once\n// Clock.\n")
        self.assert_caught("header", "daemon/base/clock.h", "// Clock. Any thread.\n")

    def test_length_at_the_limit_and_one_more(self):
        line = "int x;\n"
        self.assertEqual(self.rules_broken_by({"daemon/main.cc": line * check_sources.LINES_MAX}), [])
        self.assert_caught("length", "daemon/main.cc", line * (check_sources.LINES_MAX + 1))

    def test_unfinished_work(self):
        for word in check_sources.FORBIDDEN_WORDS:
            self.assert_caught("word", "daemon/main.cc", f"// {word}: later\n")

    def test_names_that_own_nothing(self):
        for name in ("daemon/utils.cc", "daemon/base/string_util.cc", "client/common/a.cc", "daemon/cursor_part2.cc"):
            self.assert_caught("name", name, "int x;\n")

    def test_space_at_the_end(self):
        self.assert_caught("space", "daemon/main.cc", "int x; \n")


if __name__ == "__main__":
    unittest.main()
