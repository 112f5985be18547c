#!/usr/bin/env python3
"""Runs what the documents show, each on a fresh sample shop with a real daemon.

    document_test.py examples SKUAD SKUA EXAMPLES   each program in the folder EXAMPLES prints its output.txt
    document_test.py program SKUAD SKUA PROGRAM     a program made by document_code.py succeeds
    document_test.py readme SKUAD SKUA BUILD        README.md shows the quickstart as it is, and its compiler command
                                                    makes a program of it; BUILD stands in for build/release

Times differ between runs: "N.NNN ms" stands for any.
"""

import contextlib
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
from skuad import Failure, Skuad  # noqa: E402

TIMEOUT_SECONDS = 120


def program(name, path):
    """A program of Skua; those of another build if the environment says so."""
    folder = os.environ.get("SKUA_TEST_PROGRAMS")
    return os.path.join(folder, name) if folder else path


@contextlib.contextmanager
def sample_shop(skuad, skua):
    """The environment of a client of a daemon with samples/market.sql."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SKUA_")}
    with Skuad(skuad) as daemon:
        environment["SKUA_SOCKET"] = daemon.socket_path
        subprocess.run([skua, "query", "-f", ROOT / "samples" / "market.sql"], env=environment, check=True)
        yield environment


def output_of(command, environment):
    ended = subprocess.run(command, env=environment, stdout=subprocess.PIPE, timeout=TIMEOUT_SECONDS, check=False)
    text = ended.stdout.decode("utf-8")
    if ended.returncode != 0:
        raise Failure(f"{command[0]} ended with {ended.returncode} after:\n{text}")
    return re.sub(r"\d+\.\d{3} ms", "N.NNN ms", text)


def compare(name, expected, got):
    if got != expected:
        raise Failure(f"{name} prints\n{got}instead of\n{expected}")


def expected_output(name):
    return (ROOT / "examples" / name / "output.txt").read_text(encoding="utf-8")


def check_examples(skuad, skua, folder):
    names = sorted(path.parent.name for path in (ROOT / "examples").glob("*/output.txt"))
    if not names:
        raise Failure("there are no examples")
    for name in names:
        with sample_shop(skuad, skua) as environment:
            compare(name, expected_output(name), output_of([os.path.join(folder, name)], environment))
        print(f"{name} prints what it should")


def check_program(skuad, skua, path):
    with sample_shop(skuad, skua) as environment:
        print(output_of([path], environment), end="")


def check_readme(skuad, skua, build):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```cpp\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    quickstart = (ROOT / "examples" / "quickstart" / "quickstart.cc").read_text(encoding="utf-8")
    if quickstart not in blocks:
        raise Failure("README.md does not show examples/quickstart/quickstart.cc as it is")
    command = re.search(r"^g\+\+ (?:.*\\\n)*.*$", readme, re.MULTILINE)
    if command is None:
        raise Failure("README.md has no command that compiles the quickstart")
    with tempfile.TemporaryDirectory(prefix="skua-") as folder:
        made = os.path.join(folder, "quickstart")
        words = shlex.split(command[0].replace("\\\n", " ").replace("build/release", build))
        words[words.index("-o") + 1] = made
        subprocess.run(words, cwd=ROOT, check=True)
        for block in blocks:
            # Its other blocks are no programs.
            flags = [word for word in words if word.startswith(("-std", "-I"))]
            subprocess.run(["g++", *flags, "-x", "c++", "-fsyntax-only", "-"], cwd=ROOT, check=True, input=block.encode())
        with sample_shop(skuad, skua) as environment:
            compare("README.md's quickstart", expected_output("quickstart"), output_of([made], environment))
    print("README.md shows the quickstart, and how to compile it")


def main():
    check = {"examples": check_examples, "program": check_program, "readme": check_readme}[sys.argv[1]]
    check(sys.argv[2], program("skua", sys.argv[3]), sys.argv[4])


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"{sys.argv[0]}: {failure}")
