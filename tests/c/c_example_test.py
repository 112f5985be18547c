#!/usr/bin/env python3
"""The program in docs/C.md is tests/c/example.c, and prints what the document says.

    c_example_test.py EXAMPLE SKUAD
"""

import os
import pathlib
import re
import subprocess
import sys

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tests" / "support"))
from skuad import TIMEOUT_SECONDS, Failure, Skuad  # noqa: E402


def block(document, kind):
    blocks = re.findall(rf"^```{kind}\n(.*?)^```$", document, re.MULTILINE | re.DOTALL)
    if len(blocks) != 1:
        raise Failure(f"docs/C.md has {len(blocks)} blocks of {kind}, not one")
    return blocks[0]


def main():
    document = (REPOSITORY / "docs" / "C.md").read_text(encoding="utf-8")
    source = (REPOSITORY / "tests" / "c" / "example.c").read_text(encoding="utf-8")
    if block(document, "c") != source:
        raise Failure("the program in docs/C.md is not tests/c/example.c")
    with Skuad(sys.argv[2]) as daemon:
        environment = {**os.environ, "SKUA_SOCKET": daemon.socket_path}
        run = subprocess.run(
            [sys.argv[1]], env=environment, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
        )
    if run.returncode != 0 or run.stderr:
        raise Failure(f"the example ended with {run.returncode}: {run.stderr}")
    if run.stdout != block(document, "text"):
        raise Failure(f"the example does not print what docs/C.md says, but:\n{run.stdout}")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"{sys.argv[0]}: {failure}")
