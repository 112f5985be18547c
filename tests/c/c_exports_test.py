#!/usr/bin/env python3
"""libskua.so.1 exports the functions that skua.h declares, with the version SKUA_1.0, and nothing else.

    c_exports_test.py LIBRARY HEADER
"""

import pathlib
import re
import subprocess
import sys


def output_of(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def main():
    library, header = sys.argv[1], pathlib.Path(sys.argv[2]).read_text(encoding="utf-8")
    mistakes = []

    soname = re.findall(r"\(SONAME\)\s+Library soname: \[(.*?)\]", output_of("readelf", "--dynamic", library))
    if soname != ["libskua.so.1"]:
        mistakes.append(f"the soname is {soname}")

    exported = set()
    # "0000000000012345 T skua_version@@SKUA_1.0"; the version itself is listed, too, as an absolute symbol.
    for line in output_of("nm", "--dynamic", "--defined-only", library).splitlines():
        _, kind, symbol = line.split(maxsplit=2)
        if kind == "A" and symbol in ("SKUA_1.0", "SKUA_1.0@@SKUA_1.0"):
            continue
        match = re.fullmatch(r"(skua_\w+)@@SKUA_1\.0", symbol)
        if kind != "T" or not match:
            mistakes.append(f"{symbol} is exported, as {kind}")
        else:
            exported.add(match[1])

    # A type, a `*` that may stand before the name, the name.
    declared = set(re.findall(r"^SKUA_API\s[\w\s]*?\*?(skua_\w+)\(", header, re.MULTILINE))
    for name in sorted(declared - exported):
        mistakes.append(f"{name} is declared and not exported")
    for name in sorted(exported - declared):
        mistakes.append(f"{name} is exported and not declared")
    if len(declared) < 50:
        mistakes.append(f"only {len(declared)} functions were found in the header")

    for mistake in mistakes:
        print(mistake)
    print(f"{len(exported)} functions, {len(mistakes)} mistakes")
    return 1 if mistakes else 0


if __name__ == "__main__":
    sys.exit(main())
