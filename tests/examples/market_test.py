#!/usr/bin/env python3
"""Starts skua-market for real and checks what it answers: each endpoint, types in JSON, errors, streams, the end.

    market_test.py FOLDER [UNITTEST OPTIONS]     FOLDER has the programs skua-market, skuad, skua
    market_test.py --url URL                     only what must hold for any service of this kind, of one that runs on a
                                                 fresh copy of samples/market.sql: bench/peers/market_peer.py
"""

import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse

SAMPLE = pathlib.Path(__file__).resolve().parents[2] / "samples" / "market.sql"
BODY_BYTES_MAX = 1 << 20
PATIENCE_SECONDS = 30
MANY_CUSTOMERS = 200_000

programs = None  # a folder
url = None


def program(name):
    # Of another build, with a sanitizer.
    return os.path.join(os.environ.get("SKUA_TEST_PROGRAMS", programs), name)


def wait_until(condition, what):
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {PATIENCE_SECONDS} s")
        time.sleep(0.01)


def accepts(port):
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return False
    return True


def resident_kib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError(f"no process {pid}")


class Daemon:
    """A skuad with the sample shop, in a folder of its own."""

    def __init__(self, folder):
        self.socket = os.path.join(folder, "s")
        self.database = os.path.join(folder, "market.db")
        self.start()
        self.query("-f", str(SAMPLE))

    def start(self):
        command = [program("skuad"), "--socket", self.socket, "--database", f"market={self.database}"]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        wait_until(lambda: self.skua("ping").returncode == 0, "skuad answers")

    def skua(self, *arguments):
        command = [program("skua"), "-s", self.socket, *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS)

    def query(self, *arguments):
        ended = self.skua("query", *arguments)
        if ended.returncode != 0:
            raise AssertionError(ended.stderr)
        return ended.stdout

    def counter(self, name):
        return next(int(line.split()[1]) for line in self.skua("stats").stdout.splitlines() if line.startswith(name + "\t"))

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_SECONDS)


class Service:
    """A skua-market. `port` is the one it printed."""

    def __init__(self, *arguments, environment=None):
        command = [program("skua-market"), "--port", "0", *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        first = self.process.stdout.readline()
        if not first.startswith("Listening on http://127.0.0.1:"):
            raise AssertionError(f"skua-market said {first!r} and ended with {self.process.wait(PATIENCE_SECONDS)}")
        self.port = urllib.parse.urlsplit(first.split()[-1]).port

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        status = self.process.wait(PATIENCE_SECONDS)
        self.process.stdout.close()
        return status


class Client:
    """One connection, kept alive."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)

    def ask(self, method, path, body=None, **headers):
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        self.connection.request(method, path, body=body, headers=headers)
        response = self.connection.getresponse()
        return response.status, response.getheader("Content-Type"), response.read()

    def json(self, method, path, body=None):
        status, content_type, text = self.ask(method, path, body)
        if content_type != "application/json":
            raise AssertionError(f"{method} {path}: {status} {content_type}")
        return status, json.loads(text)

    def get(self, path):
        status, value = self.json("GET", path)
        if status != 200:
            raise AssertionError(f"{path}: {status} {value}")
        return value

    def close(self):
        self.connection.close()


def body_of(answers, headers):
    """Reads one of several answers that arrive in one piece."""
    if headers["Transfer-Encoding"] != "chunked":
        return answers.read(int(headers["Content-Length"]))
    body = b""
    while size := int(answers.readline(), 16):
        body += answers.read(size)
        answers.readline()
    answers.readline()
    return body


class Endpoints(unittest.TestCase):
    """What each service of this kind must do."""

    @classmethod
    def setUpClass(cls):
        if url:
            cls.port = urllib.parse.urlsplit(url).port
            return
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.daemon = Daemon(cls.folder.name)
        cls.addClassCleanup(cls.daemon.stop)
        cls.service = Service("--socket", cls.daemon.socket, "--database", "market")
        cls.port = cls.service.port

    @classmethod
    def tearDownClass(cls):
        if not url and cls.service.stop() != 0:
            raise AssertionError(f"the service ended with {cls.service.process.returncode}")

    def setUp(self):
        self.client = Client(self.port)
        self.addCleanup(self.client.close)

    def refused(self, status, method, path, body=None):
        found, value = self.client.json(method, path, body)
        self.assertEqual(found, status, f"{method} {path} {str(body)[:80]}: {value}")
        self.assertEqual(list(value), ["error"])
        self.assertTrue(value["error"])
        return value["error"]

    def orders_of(self, customer):
        return [order["id"] for order in self.client.get(f"/api/orders/{customer}")]

    def test_the_page_says_what_there_is(self):
        status, content_type, text = self.client.ask("GET", "/")
        self.assertEqual((status, content_type), (200, "text/html; charset=utf-8"))
        self.assertIn(b"/api", text)

    def test_customers(self):
        self.assertEqual(
            self.client.get("/api/customers"),
            [
                {"id": 1, "name": "Alex", "address": {"flat_number": "12", "post_code": "EH1 1YZ"}},
                {"id": 2, "name": "Blake", "address": {"flat_number": "3B", "post_code": "G12 8QQ"}},
                {"id": 3, "name": "Cam", "address": None},
            ],
        )

    def test_orders_of_a_customer(self):
        self.assertEqual(
            self.client.get("/api/orders/1")[:2],
            [
                {"id": 1, "customer": 1, "order_time": "2024-03-01 09:30:00"},
                {"id": 2, "customer": 1, "order_time": "2024-03-08 17:45:10"},
            ],
        )
        self.assertEqual(self.client.get("/api/orders/77"), [])

    def test_totals_keep_their_types(self):
        for order, total in ((1, "20.5"), (2, "6"), (3, "14"), (7_777_777, "null")):
            _, _, text = self.client.ask("GET", f"/api/order_total/{order}")
            self.assertEqual(text.decode(), f'{{"order":{order},"total":{total}}}')
        # 10.5 each: a real, although it is whole.
        _, added = self.client.json("POST", "/api/add_new_order", {"customer": 3, "items": [{"item": 3, "quantity": 2}]})
        _, _, text = self.client.ask("GET", f"/api/order_total/{added['order']}")
        self.assertEqual(text.decode(), f'{{"order":{added["order"]},"total":21.0}}')

    def test_totals_of_several_orders(self):
        expected = [{"order": 3, "total": 14}, {"order": 7_777_777, "total": None}, {"order": 1, "total": 20.5}]
        for method in ("GET", "POST"):
            for _ in range(3):
                self.assertEqual(self.client.json(method, "/api/orders_total", {"orders": [3, 7_777_777, 1]}), (200, expected))
        self.assertEqual(self.client.json("GET", "/api/orders_total", {"orders": []}), (200, []))
        many = [1, 2] * 500
        status, totals = self.client.json("GET", "/api/orders_total", {"orders": many})
        self.assertEqual((status, [total["order"] for total in totals]), (200, many))
        self.assertEqual({total["total"] for total in totals}, {20.5, 6})
        self.refused(400, "GET", "/api/orders_total", {"orders": [*many, 1]})

    def test_orders_between_dates(self):
        def between(before, after):
            return [order["id"] for order in self.client.get(f"/api/orders_between_dates/{before}/{after}")]

        self.assertEqual(between("2024-03-10", "2024-03-01"), [1, 2, 3])
        self.assertEqual(between("2024-03-09", "2024-03-02"), [2])
        self.assertEqual(between("2024-03-08T17:45:10", "2024-03-01T09:30:00"), [1])
        self.assertEqual(between("2024-03-08%2017:45:11", "2024-03-01%2009:30:01"), [2])
        self.assertEqual(between("2024-03-01", "2024-03-10"), [])

    def test_a_new_order(self):
        before = self.orders_of(3)
        lines = [{"item": 1, "quantity": 3}, {"item": 2}, {"item": 4, "quantity": 2}]
        status, added = self.client.json("POST", "/api/add_new_order", {"customer": 3, "items": lines})
        self.assertEqual((status, list(added)), (201, ["order"]))
        self.assertEqual(self.orders_of(3), [*before, added["order"]])
        self.assertEqual(self.client.get(f"/api/order_total/{added['order']}")["total"], 20)
        order_time = self.client.get("/api/orders/3")[-1]["order_time"]
        self.assertRegex(order_time, r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$")

    def test_an_order_that_is_refused_leaves_nothing(self):
        before = self.orders_of(2)
        for items, reason in (
            ([{"item": 1}, {"item": 2}, {"item": 1}], "once"),
            ([{"item": 1}, {"item": 99}], "item"),
            ([{"item": 1}, {"item": 2, "quantity": 0}], "quantity"),
            ([{"item": 1, "quantity": -1}], "quantity"),
        ):
            error = self.refused(400, "POST", "/api/add_new_order", {"customer": 2, "items": items})
            self.assertIn(reason, error)
        self.assertEqual(self.orders_of(2), before)
        error = self.refused(400, "POST", "/api/add_new_order", {"customer": 99, "items": [{"item": 1}]})
        self.assertIn("customer", error)
        self.assertEqual(self.orders_of(99), [])

    def test_malformed_numbers_and_dates(self):
        for text in ("x", "1x", "1.5", "--1", "0x1", "99999999999999999999", "-", "null"):
            self.refused(422, "GET", f"/api/orders/{text}")
            self.refused(422, "GET", f"/api/order_total/{text}")
        for text in ("x", "2024-3-1", "2024-03-01T1", "20240301", "2024-03-01T09.30.00", "2024-03-01T09:30:00Z"):
            self.refused(422, "GET", f"/api/orders_between_dates/{text}/2024-03-01")
            self.refused(422, "GET", f"/api/orders_between_dates/2024-03-01/{text}")
        largest = (1 << 63) - 1
        self.assertEqual(self.client.get(f"/api/order_total/{largest}"), {"order": largest, "total": None})
        self.assertEqual(self.client.get("/api/order_total/-1"), {"order": -1, "total": None})

    def test_malformed_bodies(self):
        for body in (
            "", "x", "null", "[]", "12", "{", '{"orders":}', b'{"orders":[1]}\xff', "[" * 100_000, '{"orders":' + "[" * 100_000,
            {}, {"orders": None}, {"orders": 1}, {"orders": "1"}, {"orders": ["1"]}, {"orders": [1, None]},
            {"orders": [1.0]}, {"orders": [True]}, {"orders": [[1]]}, {"orders": [1 << 63]}, {"orders": {"1": 1}},
        ):  # fmt: skip
            self.refused(400, "GET", "/api/orders_total", body)
            self.refused(400, "POST", "/api/orders_total", body)
        line = {"item": 1}
        for body in (
            "", "x", "null", "[]", '{"customer":1,"items":[{"item":1}]', {}, {"customer": 1}, {"items": [line]},
            {"customer": "1", "items": [line]}, {"customer": None, "items": [line]}, {"customer": 1.5, "items": [line]},
            {"customer": 1, "items": []}, {"customer": 1, "items": {}}, {"customer": 1, "items": [1]},
            {"customer": 1, "items": [{}]}, {"customer": 1, "items": [{"item": "1"}]}, {"customer": 1, "items": [None]},
            {"customer": 1, "items": [{"item": 1, "quantity": "2"}]}, {"customer": 1, "items": [{"quantity": 2}]},
            {"customer": 1, "items": [{"item": 1, "quantity": 1.5}]}, {"customer": 1 << 63, "items": [line]},
            {"customer": 1, "items": [{"item": number} for number in range(101)]},
        ):  # fmt: skip
            before = self.orders_of(1)
            self.refused(400, "POST", "/api/add_new_order", body)
            self.assertEqual(self.orders_of(1), before)

    def test_paths_and_methods_that_are_not_there(self):
        for path in ("/api", "/api/", "/api/x", "/x", "/api/orders", "/api/orders/1/2", "/api/order_total", "/api/customers/1",
                     "/api/orders_between_dates/2024-03-01", "/api/a/b/c/d/e/f", "//"):  # fmt: skip
            self.refused(404, "GET", path)
        for method, path in (("POST", "/"), ("POST", "/api/customers"), ("DELETE", "/api/orders/1"), ("GET", "/api/add_new_order"),
                             ("PUT", "/api/orders_total"), ("POST", "/api/order_total/1")):  # fmt: skip
            self.refused(405, method, path)

    def test_a_body_at_the_limit_and_one_byte_above(self):
        order = '{"customer":3,"items":[{"item":1}]'
        full = order + " " * (BODY_BYTES_MAX - len(order) - 1) + "}"
        self.assertEqual(self.client.json("POST", "/api/add_new_order", full)[0], 201)
        before = self.orders_of(3)
        try:
            self.refused(413, "POST", "/api/add_new_order", " " + full)
        except (BrokenPipeError, ConnectionResetError):
            pass  # closed before it was sent
        self.client.close()
        self.assertEqual(self.orders_of(3), before)

    def test_a_huge_body_of_unknown_length(self):
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_SECONDS) as client:
            client.sendall(b"POST /api/orders_total HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
            chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
            try:
                for _ in range(3 * BODY_BYTES_MAX // 0x10000):
                    client.sendall(chunk)
                client.sendall(b"0\r\n\r\n")
                answer = client.recv(64)
            except (BrokenPipeError, ConnectionResetError):
                return  # closed before it was sent
            self.assertTrue(answer.startswith(b"HTTP/1.1 413 "), answer)

    def test_a_connection_serves_many_requests(self):
        self.client.get("/api/customers")
        used = self.client.connection.sock
        for order in (1, 2, 3) * 20:
            self.assertEqual(self.client.get(f"/api/order_total/{order}")["order"], order)
            self.refused(422, "GET", "/api/order_total/x")
            self.refused(400, "POST", "/api/orders_total", "x")
            self.assertEqual(len(self.client.json("POST", "/api/orders_total", {"orders": [1, 2]})[1]), 2)
        self.assertIs(self.client.connection.sock, used)

    def test_requests_that_arrive_in_one_piece(self):
        paths = [f"/api/order_total/{order}" for order in (1, 2, 3)] * 10 + ["/api/customers", "/api/order_total/x"]
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_SECONDS) as client:
            client.sendall("".join(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n" for path in paths).encode())
            answers = client.makefile("rb")
            for path in paths:
                status = int(answers.readline().split()[1])
                headers = http.client.parse_headers(answers)
                value = json.loads(body_of(answers, headers))
                self.assertEqual(status, 422 if path.endswith("x") else 200)
                if path[-1].isdigit():
                    self.assertEqual(value["order"], int(path[-1]))

    def test_many_clients_at_once(self):
        before = len(self.orders_of(1))
        failures = []

        def work():
            client = Client(self.port)
            try:
                for _ in range(10):
                    order = {"customer": 1, "items": [{"item": 1, "quantity": 2}, {"item": 3}]}
                    status, added = client.json("POST", "/api/add_new_order", order)
                    total = client.get(f"/api/order_total/{added['order']}")["total"]
                    _, totals = client.json("POST", "/api/orders_total", {"orders": [added["order"], 2] * 5})
                    if (status, total, totals[0]["total"]) != (201, 20.5, 20.5):
                        raise AssertionError(f"{status} {total} {totals}")
            except Exception as failure:
                failures.append(failure)
            finally:
                client.close()

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        orders = self.orders_of(1)
        self.assertEqual((len(orders), len(set(orders))), (before + 80, before + 80))


class Streams(unittest.TestCase):
    """A table of many customers: what clients that do not take all of it leave behind."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.daemon = Daemon(cls.folder.name)
        cls.addClassCleanup(lambda: cls.daemon.stop())
        cls.daemon.query(
            "WITH RECURSIVE n(i) AS (VALUES (4) UNION ALL SELECT i + 1 FROM n WHERE i < "
            f"{MANY_CUSTOMERS}) INSERT INTO customer SELECT i, 'Customer ' || i, 1 + i % 2 FROM n"
        )
        cls.service = Service("--socket", cls.daemon.socket)
        cls.addClassCleanup(lambda: cls.service.stop())

    def begin(self, bytes_read):
        client = socket.create_connection(("127.0.0.1", self.service.port), timeout=PATIENCE_SECONDS)
        self.addCleanup(client.close)
        client.sendall(b"GET /api/customers HTTP/1.1\r\nHost: x\r\n\r\n")
        while bytes_read > 0:
            piece = client.recv(bytes_read)
            self.assertTrue(piece, "the service ended the connection")
            bytes_read -= len(piece)
        return client

    def nothing_is_left(self):
        for counter in ("reader_connections_leased", "response_memory_bytes"):
            wait_until(lambda counter=counter: self.daemon.counter(counter) == 0, f"{counter} is 0")

    def test_all_of_it_arrives(self):
        client = Client(self.service.port)
        self.addCleanup(client.close)
        for _ in range(2):
            customers = client.get("/api/customers")
            self.assertEqual(len(customers), MANY_CUSTOMERS)
            self.assertEqual([customer["id"] for customer in customers], list(range(1, MANY_CUSTOMERS + 1)))
            self.assertEqual(customers[-1]["name"], f"Customer {MANY_CUSTOMERS}")
        self.nothing_is_left()

    def test_clients_that_leave_in_the_middle(self):
        for bytes_read in (0, 1, 10_000, 1_000_000):
            client = self.begin(bytes_read)
            client.close()
        self.nothing_is_left()

    def test_clients_that_do_not_read_cost_little_and_harm_nobody(self):
        before = resident_kib(self.service.process.pid)
        stopped = [self.begin(1) for _ in range(20)]
        client = Client(self.service.port)
        self.addCleanup(client.close)
        for _ in range(50):
            self.assertEqual(client.get("/api/order_total/1")["total"], 20.5)
        self.assertGreater(self.daemon.counter("reader_connections_leased"), 0)
        if "SKUA_TEST_PROGRAMS" not in os.environ:
            self.assertLess(resident_kib(self.service.process.pid) - before, 20 * 2048)
        for one in stopped:
            one.close()
        self.nothing_is_left()

    def test_a_stream_whose_daemon_dies_is_not_taken_for_a_whole_one(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        client = self.begin(1)
        self.daemon.stop(signal.SIGKILL)
        rest = bytearray()
        try:
            while piece := client.recv(1 << 20):
                rest += piece
        except ConnectionResetError:
            pass
        self.assertFalse(rest.endswith(b"0\r\n\r\n"))
        other = Client(self.service.port)
        self.addCleanup(other.close)
        self.daemon.start()
        wait_until(lambda: other.json("GET", "/api/order_total/1")[0] == 200, "the service has its daemon again")


class Life(unittest.TestCase):
    """Start and end, with a daemon of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.environment = {**os.environ, "TMPDIR": self.folder}

    def test_it_brings_a_daemon_and_leaves_nothing(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            service = Service(environment=self.environment)
            client = Client(service.port)
            self.assertEqual(len(client.get("/api/customers")), 3)
            self.assertEqual(client.get("/api/order_total/1")["total"], 20.5)
            self.assertEqual(len(os.listdir(self.folder)), 1)
            self.assertEqual(service.stop(number), 0)
            client.close()
            self.assertEqual(os.listdir(self.folder), [])

    def test_a_signal_does_not_wait_for_a_client_that_does_not_read(self):
        with tempfile.TemporaryDirectory() as folder:
            daemon = Daemon(folder)
            self.addCleanup(daemon.stop)
            daemon.query("WITH RECURSIVE n(i) AS (VALUES (4) UNION ALL SELECT i + 1 FROM n WHERE i < 100000) "
                         "INSERT INTO customer SELECT i, 'Customer ' || i, 1 FROM n")  # fmt: skip
            service = Service("--socket", daemon.socket)
            with socket.create_connection(("127.0.0.1", service.port)) as client:
                client.sendall(b"GET /api/customers HTTP/1.1\r\nHost: x\r\n\r\n")
                client.recv(1)
                begin = time.monotonic()
                service.process.send_signal(signal.SIGTERM)
                wait_until(lambda: not accepts(service.port), "nobody new is let in")
                self.assertIsNone(service.process.poll())
                self.assertEqual(service.stop(signal.SIGTERM), 0)  # the second one
                self.assertLess(time.monotonic() - begin, 2.5)

    def run_market(self, *arguments):
        return subprocess.run([program("skua-market"), *arguments], capture_output=True, text=True, timeout=60,
                              env=self.environment)  # fmt: skip

    def test_help_and_mistakes(self):
        ended = self.run_market("--help")
        self.assertEqual(ended.returncode, 0)
        for option in ("--port", "--socket", "--database"):
            self.assertIn(option, ended.stdout)
        self.assertNotEqual(self.run_market("--port", "x").returncode, 0)
        self.assertNotEqual(self.run_market("--no-such-option").returncode, 0)
        ended = self.run_market("--socket", os.path.join(self.folder, "nobody"))
        self.assertEqual(ended.returncode, 1)
        self.assertTrue(ended.stderr.startswith("skua-market: "), ended.stderr)
        ended = self.run_market("--skuad", "/nobody")
        self.assertEqual((ended.returncode, os.listdir(self.folder)), (1, []))

    def test_a_port_that_is_taken(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            ended = self.run_market("--port", str(port))
        self.assertEqual((ended.returncode, ended.stdout), (1, ""))
        self.assertIn(str(port), ended.stderr)
        self.assertEqual(os.listdir(self.folder), [])


def load_tests(loader, _, __):
    cases = [Endpoints] if url else [Endpoints, Streams, Life]
    return unittest.TestSuite(loader.loadTestsFromTestCase(case) for case in cases)


if __name__ == "__main__":
    if sys.argv[1] == "--url":
        url = sys.argv[2]
        del sys.argv[1:3]
    else:
        programs = sys.argv.pop(1)
    unittest.main()
