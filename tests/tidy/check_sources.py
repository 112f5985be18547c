#!/usr/bin/env python3
"""Holds the rules of the source tree that a compiler cannot: who may include what, and how files look.

    check_sources.py [ROOT]     prints one line for each violation; exit status 1 if there is any

The include rules are RULES below; docs/ARCHITECTURE.md says why they are so.
"""

import pathlib
import re
import sys

SOURCE_FOLDERS = ("protocol", "daemon", "client", "tests", "bench", "examples")
CPP_SUFFIXES = (".h", ".cc", ".c")
TEXT_SUFFIXES = CPP_SUFFIXES + (".capnp", ".py", ".txt", ".cmake", ".sh", ".sql", ".toml")
LINES_MAX = 600
# Split so that this file does not break its own rule.
FORBIDDEN_WORDS = ("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK")
FORBIDDEN_NAMES = ("util", "utils", "helper", "helpers", "common", "misc")

# Folder: the folders of this project that its files may include. The first match counts: the deeper come first.
# The one direction: base -> protocol -> core -> {engine, net} -> main.
RULES = (
    ("protocol/", ("protocol/",)),
    ("daemon/base/", ("daemon/base/", "protocol/")),
    ("daemon/core/", ("daemon/core/", "daemon/base/", "protocol/")),
    ("daemon/engine/", ("daemon/engine/", "daemon/core/", "daemon/base/", "protocol/")),
    ("daemon/net/", ("daemon/net/", "daemon/core/", "daemon/base/", "protocol/")),
    ("daemon/", ("daemon/", "protocol/")),
    ("client/include/", ("skua/", "protocol/")),
    ("client/src/", ("skua/", "client/src/", "protocol/")),
    ("client/engine/", ("skua/", "client/engine/", "client/src/", "protocol/")),
    ("client/c/", ("skua.h", "skua/", "client/c/", "protocol/")),
    ("client/cli/", ("skua/", "client/cli/", "protocol/")),
    ("examples/market/", ("skua/", "examples/market/")),
    ("examples/", ("skua/",)),
)

# Header of a library: the folders whose files may include it. Folders that are not named in a rule of their own
# (tests, bench) are free to.
LIBRARY_HEADERS = (
    (re.compile(r"uv\.h$|uv/"), "uv.h", ("daemon/net/", "client/engine/", "examples/market/")),
    (re.compile(r"sqlite3(ext)?\.h$"), "sqlite3.h", ("daemon/engine/",)),
    (re.compile(r"readline/"), "readline", ("client/cli/",)),
)
LIBRARY_RULES_COVER = ("protocol/", "daemon/", "client/", "examples/")

CAPNP = re.compile(r"(capnp|kj)/|\.capnp\.h$")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)


def source_files(root, suffixes):
    for folder in SOURCE_FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in suffixes and path.is_file():
                yield path


def includes_of(path):
    """Pairs of (line, bracket or quote, included name)."""
    text = path.read_text(encoding="utf-8")
    for match in INCLUDE.finditer(text):
        yield text.count("\n", 0, match.start(2)) + 1, match.group(1), match.group(2)


def resolve(root, name):
    """The project's own file behind an included name, if it is one."""
    for candidate in (root / name, root / "client" / "include" / name):
        if candidate.is_file():
            return candidate
    return None


def check_includes(root, path, report):
    relative = path.relative_to(root).as_posix()
    allowed = next((folders for start, folders in RULES if relative.startswith(start)), None)
    for line, bracket, name in includes_of(path):
        where = f"{relative}:{line}"
        if ".." in name.split("/"):
            report(where, "include", f"{name}: say the path from the root")
        own = resolve(root, name)
        if bracket == '"' and own is None and not name.endswith(".capnp.h"):
            report(where, "include", f"{name}: no such file; libraries are included with <>")
        if (own or name.endswith(".capnp.h")) and allowed and not name.startswith(allowed):
            report(where, "include", f"{name}: may include only {', '.join(allowed)}")
        for pattern, header, folders in LIBRARY_HEADERS:
            covered = relative.startswith(LIBRARY_RULES_COVER)
            if covered and pattern.match(name) and not relative.startswith(folders):
                report(where, "include", f"{header} is for {', '.join(folders)} only")


def check_public_headers(root, report):
    """What a program includes to use the client must not make it need Cap'n Proto, however indirectly."""
    for header in sorted((root / "client" / "include").rglob("*.h")):
        waiting, seen = [(header, ())], set()
        while waiting:
            path, trail = waiting.pop()
            if path in seen:
                continue
            seen.add(path)
            for line, _, name in includes_of(path):
                if CAPNP.search(name):
                    way = " -> ".join((*trail, path.relative_to(root).as_posix(), name))
                    report(f"{path.relative_to(root).as_posix()}:{line}", "public-header", way)
                own = resolve(root, name)
                if own:
                    waiting.append((own, (*trail, path.relative_to(root).as_posix())))


def check_circles(root, report):
    state = {}

    def visit(path, trail):
        if state.get(path) == "done":
            return
        if state.get(path) == "open":
            circle = [p.relative_to(root).as_posix() for p in trail[trail.index(path):]]
            report(circle[0], "circle", " -> ".join((*circle, circle[0])))
            return
        state[path] = "open"
        for _, _, name in includes_of(path):
            own = resolve(root, name)
            if own:
                visit(own, [*trail, path])
        state[path] = "done"

    for path in source_files(root, (".h",)):
        visit(path, [])


def check_text(root, path, report):
    relative = path.relative_to(root).as_posix()
    lines = path.read_text(encoding="utf-8").splitlines()
    if len(lines) > LINES_MAX:
        report(relative, "length", f"{len(lines)} lines, at most {LINES_MAX}: split it by owner")
    for number, line in enumerate(lines, 1):
        for word in FORBIDDEN_WORDS:
            if re.search(rf"\b{word}\b", line):
                report(f"{relative}:{number}", "word", f"{word}: do it or file an issue")
        if line != line.rstrip():
            report(f"{relative}:{number}", "space", "white space at the end of the line")
    if path.suffix == ".h":
        if not lines or not lines[0].startswith("// "):
            report(f"{relative}:1", "header", "opens with a comment: what it owns, which thread may touch it")
        if "#pragma once" not in lines:
            report(f"{relative}:1", "header", "has no #pragma once")


def check_name(root, path, report):
    relative = path.relative_to(root)
    for part in relative.parts:
        words = re.split(r"[_.\-]", part.lower())
        if any(word in FORBIDDEN_NAMES for word in words) or re.search(r"_part\d", part):
            report(relative.as_posix(), "name", "name it after the one thing it owns")


def check(root):
    """Every violation as (place, rule, explanation)."""
    violations = []

    def report(place, rule, explanation):
        violations.append((place, rule, explanation))

    for path in source_files(root, CPP_SUFFIXES):
        check_includes(root, path, report)
    for path in source_files(root, TEXT_SUFFIXES):
        check_text(root, path, report)
        check_name(root, path, report)
    check_public_headers(root, report)
    check_circles(root, report)
    return violations


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2]).resolve()
    violations = check(root)
    for place, rule, explanation in violations:
        print(f"{place}: [{rule}] {explanation}")
    print(f"{sum(1 for _ in source_files(root, TEXT_SUFFIXES))} files, {len(violations)} violations")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
