#!/usr/bin/env python3
"""Compares skua-market with the same service on FastAPI and aiosqlite (bench/peers/market_peer.py), and prints ratios.

    market_contest.py [--bin FOLDER] [--rounds N] [--seconds S] [--json FILE]

There are two such peers: "tuned" does what the libraries allow for speed, "plain" is written as their documentation shows it. All
run on the same machine, each on a copy of the sample shop of its own; wrk sends requests to them in turns, one thread and eight
connections, so that what else the machine does falls on all. Each round gives a ratio to each peer; printed are the median and the
range, whether the goal was kept, and the processor time that a request takes of the servers, which a busy machine changes less
than it does the rates. The page, which no database is asked for, tells what HTTP alone takes. Each POST is synced to the disk on all sides before it is answered. At the end skua-market alone streams a
table of a million customers.

Figures mean something for an optimised build on a machine that does little else.
"""

import argparse
import contextlib
import json
import os
import pathlib
import platform
import shutil
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "samples" / "market.sql"
PEER = ROOT / "bench" / "peers" / "market_peer.py"
MODULES = {  # of Python: the Debian package
    "fastapi": "python3-fastapi",
    "uvicorn": "uvicorn",
    "uvloop": "python3-uvloop",
    "httptools": "python3-httptools",
    "aiosqlite": "python3-aiosqlite",
    "ujson": "python3-ujson",
}
OURS, TUNED, PLAIN = "skua", "FastAPI, tuned", "FastAPI, plain"
CONNECTIONS = 8
WARM_UP_SECONDS = 2
# More than a writer that polls for a lock waits when it is unlucky.
WRK_PATIENCE_SECONDS = 30
# More than the ten whose totals are asked for.
ORDERS = """
    WITH RECURSIVE n(i) AS (VALUES (4) UNION ALL SELECT i + 1 FROM n WHERE i < 100)
    INSERT INTO orders (id, customer_id, order_time) SELECT i, 1 + i % 3, '2024-04-01 10:00:00' FROM n;
    WITH RECURSIVE n(i) AS (VALUES (4) UNION ALL SELECT i + 1 FROM n WHERE i < 100)
    INSERT INTO order_items (order_id, item_id, quantity) SELECT i, item.id, 1 + i % 5 FROM n, item WHERE (i + item.id) % 2 = 0;
"""
MORE_CUSTOMERS = """
    WITH RECURSIVE n(i) AS (VALUES (4) UNION ALL SELECT i + 1 FROM n WHERE i < {count})
    INSERT INTO customer (id, name, address_id) SELECT i, 'Customer ' || i, 1 + i % 2 FROM n WHERE i <= {count};
"""
NEW_ORDER = {"customer": 1, "items": [{"item": 1, "quantity": 3}, {"item": 3}]}
ENDPOINTS = (  # name, method, path, body, least ratio to each peer, our slowest hundredth in ms at most
    ("the page, which is no query", "GET", "/", None, None, None),
    ("customers", "GET", "/api/customers", None, 15, None),
    ("order_total", "GET", "/api/order_total/1", None, 15, None),
    ("orders_total of ten", "POST", "/api/orders_total", {"orders": list(range(1, 11))}, 20, None),
    ("add_new_order", "POST", "/api/add_new_order", NEW_ORDER, 10, 50),
)
FIRST_BYTE_MS_MAX = 20
GROWTH_KIB_MAX = 16 * 1024

WRK_SCRIPT = """
wrk.method = "%s"
wrk.body = %s
wrk.headers["Content-Type"] = "application/json"
function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format('{"requests":%%d,"us":%%d,"p50_us":%%d,"p99_us":%%d,"max_us":%%d,"errors":%%d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency.max,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
"""


def find_python():
    """A Python that has all the modules, or None and the packages to install."""
    command = f"import {', '.join(MODULES)}"
    for candidate in dict.fromkeys((sys.executable, "/usr/bin/python3")):
        if candidate and subprocess.run([candidate, "-c", command], capture_output=True).returncode == 0:
            return candidate
    return None


def check_programs(folder):
    missing = [f"{name} is not in {folder}: ./dev build" for name in ("skuad", "skua", "skua-market") if not (folder / name).exists()]
    packages = [] if find_python() else list(MODULES.values())
    if shutil.which("wrk") is None:
        packages.append("wrk")
    if packages:
        missing.append(f"Debian packages to compare with: apt-get install {' '.join(packages)}")
    if missing:
        sys.exit("market_contest.py: " + "\n".join(missing))


class Process:
    def __init__(self, *command, log=None):
        self.process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=log, text=True)

    @property
    def pid(self):
        return self.process.pid

    def cpu_us(self):
        """So far, of its own and of the kernel's: proc(5). The sum is exact, how it is split is sampled."""
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return [int(field) * 1e6 / os.sysconf("SC_CLK_TCK") for field in fields[11:13]]

    def port(self):
        """Of a service: it prints where it listens."""
        line = self.process.stdout.readline()
        if "http://" not in line:
            sys.exit(f"market_contest.py: {self.process.args[0]} did not start")
        return int(line.rstrip("/\n").rsplit(":", 1)[1])

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


class Skua:
    """A daemon with the shop, and skua-market on it."""

    def __init__(self, stack, programs, folder, customers):
        folder.mkdir()
        self.socket = folder / "socket"
        self.programs = programs
        self.daemon = Process(programs / "skuad", "--socket", self.socket, "--database", f"market={folder / 'market.db'}",
                              log=subprocess.DEVNULL)  # fmt: skip
        stack.callback(self.daemon.stop)
        while self.skua("ping").returncode != 0:
            time.sleep(0.02)
        script = folder / "market.sql"
        script.write_text(shop(customers))
        if self.skua("query", "-f", script).returncode != 0:
            sys.exit("market_contest.py: the sample could not be loaded")
        self.service = Process(programs / "skua-market", "--port", "0", "--socket", self.socket)
        stack.callback(self.service.stop)
        self.port = self.service.port()
        self.processes = {"service": self.service, "daemon": self.daemon}

    def skua(self, *arguments):
        return subprocess.run([self.programs / "skua", "-s", self.socket, *arguments], capture_output=True)


class Peer:
    def __init__(self, stack, file, *options):
        self.service = Process(find_python(), "-B", PEER, "--database", file, *options)
        stack.callback(self.service.stop)
        self.port = self.service.port()
        self.processes = {"service": self.service}


def shop(customers):
    return SAMPLE.read_text() + ORDERS + (MORE_CUSTOMERS.format(count=customers) if customers > 3 else "")


def peer_database(file, customers):
    with contextlib.closing(sqlite3.connect(file)) as database:
        database.executescript(shop(customers))
    return file


def run_wrk(script, server, path, seconds):
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", f"{WRK_PATIENCE_SECONDS}s", "-s", str(script),
               f"http://127.0.0.1:{server.port}{path}"]  # fmt: skip
    before = {name: process.cpu_us() for name, process in server.processes.items()}
    ended = subprocess.run(command, capture_output=True, text=True)
    after = {name: process.cpu_us() for name, process in server.processes.items()}
    if ended.returncode != 0:
        sys.exit(f"market_contest.py: wrk: {ended.stderr}")
    found = json.loads(ended.stdout.strip().splitlines()[-1])
    if found["requests"] == 0:
        sys.exit(f"market_contest.py: {path} was not answered once within {seconds} s")
    if found["errors"] > 0:
        sys.exit(f"market_contest.py: {found['errors']} of {found['requests']} requests failed: {path}")
    return {
        "per_second": found["requests"] * 1e6 / found["us"],
        # Of each process: its own, the kernel's.
        "cpu_us": {name: [(end - begin) / found["requests"] for begin, end in zip(before[name], after[name])] for name in after},
        **{name: found[name] for name in ("p50_us", "p99_us", "max_us")},
    }


def same_answers(contestants):
    """What is compared must do the same. Spaces in JSON are not compared, and 6.0 is not 6."""
    for path in ("/api/customers", "/api/order_total/1", "/api/order_total/2", "/api/orders/2", "/api/order_total/7777777"):
        answers = {}
        for name, server in contestants:
            with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}") as response:
                answers[name] = json.dumps(json.load(response))
        if len(set(answers.values())) > 1:
            sys.exit(f"market_contest.py: {path} is answered differently: {answers}")


def compare(endpoint, contestants, arguments, folder):
    """`contestants`: (name, server), ours first. Goals are for the ratios to TUNED and PLAIN."""
    name, method, path, body, least_ratio, p99_ms_max = endpoint
    script = folder / "wrk.lua"
    script.write_text(WRK_SCRIPT % (method, "nil" if body is None else json.dumps(json.dumps(body))))
    for _, server in contestants:
        run_wrk(script, server, path, WARM_UP_SECONDS)
    rounds = []
    for _ in range(arguments.rounds):
        before = os.getloadavg()[0]
        rounds.append({who: run_wrk(script, server, path, arguments.seconds) for who, server in contestants})
        rounds[-1]["load_before"] = before

    print(name)
    for who, _ in contestants:
        rate, p99 = (statistics.median(one[who][what] for one in rounds) for what in ("per_second", "p99_us"))
        print(f"  {who:<34} {rate:8.0f} a second  slowest hundredth {p99 / 1000:8.2f} ms  {cpu_of(who, rounds)}")
    peers = [ratio_to(who, rounds, least_ratio if who in (TUNED, PLAIN) else None) for who, _ in contestants[1:]]
    found = {
        "endpoint": name,
        "peers": peers,
        "p99_ms": statistics.median(one[OURS]["p99_us"] for one in rounds) / 1000,
        "p99_ms_worst": max(one[OURS]["p99_us"] for one in rounds) / 1000,
        "p99_ms_goal": p99_ms_max,
        "rounds": rounds,
    }
    if p99_ms_max:
        print(f"  our slowest hundredth: {found['p99_ms']:.2f} ms"
              f"  {verdict(found['p99_ms'] < p99_ms_max, f'below {p99_ms_max} ms')}")  # fmt: skip
    print(flush=True)
    return found


def cpu_of(who, rounds):
    """Processor time of a request."""
    turns = [one[who]["cpu_us"] for one in rounds]
    total = statistics.median(sum(map(sum, turn.values())) for turn in turns)
    parts = [f"{name} {statistics.median(turn[name][0] for turn in turns):.0f} and "
             f"{statistics.median(turn[name][1] for turn in turns):.0f} in the kernel" for name in turns[0]]  # fmt: skip
    return f"{total:.0f} us of processor time: {', '.join(parts)}"


def ratio_to(peer, rounds, least_ratio):
    """Of our rate. Prints it; without a least ratio there is no verdict."""
    ratios = sorted(one[OURS]["per_second"] / one[peer]["per_second"] for one in rounds)
    ratio = statistics.median(ratios)
    goal = "" if least_ratio is None else verdict(ratio >= least_ratio, f"at least {least_ratio}")
    print(f"  {ratio:.1f} times ({ratios[0]:.1f} to {ratios[-1]:.1f}) the rate of {peer}  {goal}".rstrip())
    return {"peer": peer, "ratio": ratio, "ratios": ratios, "goal": least_ratio,
            "is_kept": None if least_ratio is None else ratio >= least_ratio}  # fmt: skip


def verdict(is_kept, goal):
    return f"[{goal}: {'kept' if is_kept else 'NOT kept'}]"


def status_kib(pid, name):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith(name + ":"))


def stream(skua):
    """GET /api/customers once: the milliseconds to the first byte of the body's first chunk and to the end, and how much the resident
    memory of both processes grew on the way."""
    pids = {"service": skua.service.pid, "daemon": skua.daemon.pid}
    before = {}
    for name, pid in pids.items():
        pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")  # sets VmHWM to the present size: proc(5)
        before[name] = status_kib(pid, "VmRSS")
    with socket.create_connection(("127.0.0.1", skua.port)) as client:
        begin = time.perf_counter()
        client.sendall(b"GET /api/customers HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        head = b""
        while b"[" not in head:
            head += client.recv(4096)
        first_byte = time.perf_counter()
        size = len(head)
        end = head
        while piece := client.recv(1 << 18):
            size += len(piece)
            end = (end + piece)[-16:]
        ended = time.perf_counter()
    if not end.endswith(b"]\r\n0\r\n\r\n"):
        sys.exit("market_contest.py: the stream did not come to its end")
    return {
        "first_byte_ms": (first_byte - begin) * 1000,
        "ms": (ended - begin) * 1000,
        "bytes": size,
        "growth_kib": {name: max(status_kib(pid, "VmHWM") - before[name], 0) for name, pid in pids.items()},
    }


def stream_many(programs, folder, customers, rounds):
    with contextlib.ExitStack() as stack:
        skua = Skua(stack, programs, folder, customers)
        urllib.request.urlopen(f"http://127.0.0.1:{skua.port}/api/order_total/1").read()
        # The first has what a cold start costs: it counts for memory.
        turns = [stream(skua) for _ in range(rounds)]
    first_byte = statistics.median(turn["first_byte_ms"] for turn in turns)
    growth = {name: max(turn["growth_kib"][name] for turn in turns) for name in ("service", "daemon")}
    seconds = statistics.median(turn["ms"] for turn in turns) / 1000
    print(f"{customers} customers: first byte after {first_byte:.1f} ms (at most {max(turn['first_byte_ms'] for turn in turns):.1f})"
          f"  {verdict(first_byte <= FIRST_BYTE_MS_MAX, f'within {FIRST_BYTE_MS_MAX} ms')}; the end after {seconds:.2f} s")  # fmt: skip
    for name, kib in growth.items():
        print(f"{'':<20} resident memory of the {name} grew by {kib} KiB  {verdict(kib < GROWTH_KIB_MAX, 'less than 16 MiB')}")
    return {"customers": customers, "first_byte_ms": first_byte, "seconds": seconds, "growth_kib": growth, "turns": turns}


def machine(folder):
    model = next((line.split(":", 1)[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())  # fmt: skip
    file_system = subprocess.run(["stat", "-f", "-c", "%T", str(folder)], capture_output=True, text=True).stdout.strip()
    modules = "import importlib.metadata as m; print(', '.join(f'{n} {m.version(n)}' for n in " + repr(list(MODULES)) + "))"
    versions = subprocess.run([find_python(), "-c", modules], capture_output=True, text=True).stdout.strip()
    return {
        "cpu": model,
        "cpus": os.cpu_count(),
        "kernel": platform.release(),
        "load": os.getloadavg(),
        "file_system": file_system,
        "peer": versions,
        "time": time.strftime("%Y-%m-%d %H:%M:%S"),
    }


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "build" / "release" / "bin", help="has skuad, skua, skua-market")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="of each turn")
    parser.add_argument("--customers", type=int, default=3, help="in the shop (default: the sample's three)")
    parser.add_argument("--stream-customers", type=int, default=1_000_000, help="of the last part; 0 leaves it out")
    parser.add_argument("--directory", help="for the databases; default: $TMPDIR or /tmp")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write all figures there as well")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    check_programs(arguments.bin)
    with tempfile.TemporaryDirectory(prefix="skua-contest-", dir=arguments.directory) as name:
        folder = pathlib.Path(name)
        report = {"machine": machine(folder), "contests": []}
        about = report["machine"]
        print(f"{about['cpus']} x {about['cpu']}, Linux {about['kernel']}, load {about['load'][0]:.1f}, databases on {about['file_system']}")
        print(f"against {about['peer']}; {arguments.rounds} rounds of {arguments.seconds} s each, {CONNECTIONS} connections\n")
        with contextlib.ExitStack() as stack:
            def peer(name, *options):
                return Peer(stack, peer_database(folder / f"{name}.db", arguments.customers), *options)

            contestants = [
                (OURS, Skua(stack, arguments.bin, folder / "skua", arguments.customers)),
                (TUNED, peer("tuned")),
                (PLAIN, peer("plain", "--plain")),
            ]
            one_query = (f"{TUNED}, one query for all", peer("one_query", "--one-query"))
            same_answers([*contestants, one_query])
            for endpoint in ENDPOINTS:
                also = [one_query] if endpoint[0].startswith("orders_total") else []
                report["contests"].append(compare(endpoint, [*contestants, *also], arguments, folder))
        if arguments.stream_customers > 0:
            report["stream"] = stream_many(arguments.bin, folder / "many", arguments.stream_customers, arguments.rounds)
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
