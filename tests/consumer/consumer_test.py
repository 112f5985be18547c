#!/usr/bin/env python3
"""What is installed is all that a user needs: installs a build into a folder, moves that, and builds and runs programs with it,
by CMake's package and by pkg-config, in C and in C++.

    consumer_test.py CMAKE BUILD CC CXX
"""

import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from skuad import Failure, Skuad  # noqa: E402

PROTOCOL_HEADERS = {"column_info", "column_view", "error", "locks", "result", "summary", "value"}
OUTPUT = {
    "in_c": "from C\n",
    "in_cpp": "from C++\n",
    "in_coroutine": "from a coroutine\n",
    "c_in_cpp": "from C in C++, version ",
}
# What a careful user's build has switched on.
WARNINGS = ("-Wall", "-Wextra", "-Wpedantic", "-Werror")


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, **options)
    if done.returncode != 0:
        raise Failure(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def only(paths, what):
    paths = list(paths)
    if len(paths) != 1:
        raise Failure(f"{len(paths)} files are {what}: {paths}")
    return paths[0]


def install(cmake, build, prefix):
    run(cmake, "--install", build, "--prefix", prefix)
    for program in ("skuad", "skua"):
        run(prefix / "bin" / program, "--version")
    # Of everything that others may include there is one folder and one file.
    in_include = {path.name for path in (prefix / "include").iterdir()}
    if in_include != {"skua.h", "skua-cpp"}:
        raise Failure(f"include/ has {sorted(in_include)}")
    protocol = {path.stem for path in (prefix / "include" / "skua-cpp" / "protocol").iterdir()}
    if protocol != PROTOCOL_HEADERS:
        raise Failure(f"include/skua-cpp/protocol/ has {sorted(protocol)}")
    service = (prefix / "lib" / "systemd" / "system" / "skua.service").read_text(encoding="utf-8")
    if f"ExecStart={prefix}/bin/skuad --config /etc/skua/skua.toml\n" not in service:
        raise Failure(f"the service starts something else:\n{service}")
    for name in ("systemd/system/skua.socket", "sysusers.d/skua.conf"):
        if not (prefix / "lib" / name).is_file():
            raise Failure(f"lib/{name} is missing")


def check_programs(folder, environment):
    for name, output in OUTPUT.items():
        printed = run(folder / name, env=environment)
        if not printed.startswith(output):
            raise Failure(f"{folder / name} printed {printed}")


def build_with_cmake(cmake, compilers, prefix, folder, environment):
    options = (f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCMAKE_C_COMPILER={compilers[0]}", "-G", "Ninja")
    run(cmake, "-S", HERE / "project", "-B", folder / "cmake", *options, f"-DCMAKE_CXX_COMPILER={compilers[1]}")
    run(cmake, "--build", folder / "cmake")
    check_programs(folder / "cmake", environment)
    run(cmake, "-S", HERE / "c_only", "-B", folder / "c_only", *options)


def build_with_pkg_config(compilers, prefix, folder, environment):
    pc = only(prefix.rglob("skua.pc"), "skua.pc").parent
    search = {**os.environ, "PKG_CONFIG_PATH": str(pc)}

    def flags(package):
        return run("pkg-config", "--cflags", "--libs", package, env=search).split()

    (folder / "pkg-config").mkdir()
    c, cpp = (compilers[0], "-std=c99", *WARNINGS), (compilers[1], "-std=c++20", *WARNINGS)
    def compiled(name):
        # A second compilation of these would tell no more than those of the headers below, and takes seconds.
        return only((folder / "cmake").rglob(f"{name}.cc.o"), f"{name}.cc.o")

    for compiler, source, package in (
        (c, HERE / "project" / "in_c.c", "skua"),
        (cpp, HERE / "project" / "c_in_cpp.cc", "skua"),
        (cpp, compiled("in_cpp"), "skua-client"),
        (cpp, compiled("in_coroutine"), "skua-engine"),
    ):
        target = folder / "pkg-config" / source.name.split(".")[0]
        run(*compiler, source, "-o", target, *flags(package))
    check_programs(folder / "pkg-config", {**environment, "LD_LIBRARY_PATH": str(pc.parent)})

    # Every header, whether client.h includes it or not.
    headers = sorted((prefix / "include" / "skua-cpp").rglob("*.h"))
    source = folder / "headers.cc"
    names = "".join(f"#include <{path.relative_to(prefix / 'include' / 'skua-cpp')}>\n" for path in headers)
    source.write_text(names, encoding="utf-8")
    run(*cpp, "-fsyntax-only", source, *flags("skua-engine"))


def main():
    cmake, build, *compilers = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="skua-") as temporary:
        folder = pathlib.Path(temporary).resolve()
        install(cmake, build, folder / "first")
        # What the package says must not depend on where it was put.
        prefix = (folder / "first").rename(folder / "moved")
        with Skuad(str(prefix / "bin" / "skuad")) as daemon:
            environment = {**os.environ, "SKUA_SOCKET": daemon.socket_path}
            build_with_cmake(cmake, compilers, prefix, folder, environment)
            build_with_pkg_config(compilers, prefix, folder, environment)
    print("programs in C and C++ were built with CMake and pkg-config, and ran")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"{sys.argv[0]}: {failure}")
