"""A skuad process for tests in Python, with one database, "main", in a folder of its own.

    with Skuad(program) as daemon: ... daemon.socket_path ...

Its end must be a clean one: exit status 0 after SIGTERM. The environment variable SKUA_TEST_PROGRAMS, a folder, takes the
program from another build, as it does for tests in C++.
"""

import os
import select
import signal
import socket
import subprocess
import tempfile
import time

TIMEOUT_SECONDS = 30


class Failure(Exception):
    pass


class Skuad:
    def __init__(self, program):
        programs = os.environ.get("SKUA_TEST_PROGRAMS")
        self._program = os.path.join(programs, "skuad") if programs else program

    def __enter__(self):
        # A short path: a socket's has at most 107 bytes.
        self._folder = tempfile.TemporaryDirectory(prefix="skua-", dir="/tmp")
        folder = self._folder.name
        self.socket_path = f"{folder}/skua.sock"
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("LISTEN_", "WATCHDOG_"))
        }
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(f"{folder}/notify")
            environment["NOTIFY_SOCKET"] = f"{folder}/notify"
            command = [self._program, "--socket", self.socket_path, "--database", f"main={folder}/main.db"]
            self._process = subprocess.Popen(command, env=environment)
            end = time.monotonic() + TIMEOUT_SECONDS
            while time.monotonic() < end:
                if self._process.poll() is not None:
                    raise Failure(f"the daemon ended with {self._process.returncode}")
                if select.select([notify], [], [], 0.2)[0] and b"READY=1" in notify.recv(4096):
                    return self
        self._process.kill()
        raise Failure("the daemon was not ready in time")

    def __exit__(self, exception_type, exception, trace):
        self._process.send_signal(signal.SIGTERM)
        status = self._process.wait(TIMEOUT_SECONDS)
        self._folder.cleanup()
        if status != 0 and exception_type is None:
            raise Failure(f"the daemon ended with {status}")
