#!/usr/bin/env python3
"""Makes a program of the C++ blocks of a document, so that what people copy from it compiles and runs.

    document_code.py DOCUMENT.md PROGRAM.cc

What stands behind ```cpp says what a block is:

    ```cpp            declarations, which the blocks below it see
    ```cpp blocking   the body of a function with a skua::Connection& connection, which returns a skua::Status
    ```cpp task       the body of a coroutine with a skua::Engine& engine, which returns a skua::Task<skua::Status>

The program runs the bodies in their order and fails at the first that returns an error. Compilers name the document's lines.
"""

import pathlib
import re
import sys

BLOCK = re.compile(r"^```cpp(?: (\w+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)

PRELUDE = """// Made of {name} by tests/docs/document_code.py.
#include <skua/client.h>
#include <skua/engine.h>
#include <uv.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

"""

MAIN = """
namespace {{

int report(const char* block, const skua::Status& status) {{
  std::printf("== %s: %s\\n", block, status ? "done" : status.error().message.c_str());
  return status ? 0 : 1;
}}

}}  // namespace

int main() {{
{calls}  return 0;
}}
"""

BLOCKING = """  {{
    auto connection = skua::Connection::connect();
    if (!connection) return report("connect", connection.error());
    if (const int failed = report("{place}", block_{line}(*connection)); failed != 0) return failed;
  }}
"""

TASK = """  {{
    skua::Engine engine;
    if (const int failed = report("{place}", engine.run_task(block_{line}(engine))); failed != 0) return failed;
  }}
"""


def program_of(name, text):
    parts, calls = [PRELUDE.format(name=name)], []
    for match in BLOCK.finditer(text):
        kind, body = match.groups()
        line = text.count("\n", 0, match.start(2)) + 1
        where = f'#line {line} "{name}"\n'
        place = f"{name}:{line}"
        if kind is None:
            parts.append(f"{where}{body}\n")
        elif kind == "blocking":
            parts.append(
                f"skua::Status block_{line}([[maybe_unused]] skua::Connection& connection) {{\n{where}{body}  return {{}};\n}}\n"
            )
            calls.append(BLOCKING.format(place=place, line=line))
        elif kind == "task":
            parts.append(
                f"skua::Task<skua::Status> block_{line}([[maybe_unused]] skua::Engine& engine) "
                f"{{\n{where}{body}  co_return {{}};\n}}\n"
            )
            calls.append(TASK.format(place=place, line=line))
        else:
            sys.exit(f"{place}: no kind of block: cpp {kind}")
    if not calls:
        sys.exit(f"{name}: has no blocks that run")
    return "".join(parts) + MAIN.format(calls="".join(calls))


def main():
    document, program = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    name = f"docs/{document.name}" if document.parent.name == "docs" else document.name
    program.write_text(program_of(name, document.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
