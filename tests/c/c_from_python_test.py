#!/usr/bin/env python3
"""Reads a million rows through libskua.so with Python's ctypes, by the columns of each batch, and adds them up. And meets a
daemon that talks nonsense, in a process that loaded the library: what is thrown inside must not come out.

    c_from_python_test.py LIBRARY SKUAD
"""

import ctypes
import pathlib
import socket
import struct
import sys
import tempfile
import threading
import time
from ctypes import POINTER, c_char_p, c_double, c_int, c_int64, c_size_t, c_uint8, c_uint32, c_uint64, c_void_p

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tests" / "support"))
from skuad import Failure, Skuad  # noqa: E402

ROWS = 1_000_000
NULLS, INTEGERS, REALS, TEXTS, BLOBS, MIXED = range(6)
INTEGER, REAL, TEXT = 1, 2, 3
PROTOCOL_ERROR = 1
# A number, a real, a text of which every seventh is NULL, and a column of mixed kinds.
SQL = f"""WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS})
SELECT i, i * 0.25, iif(i % 7 = 0, NULL, 'row ' || i), CASE i % 3 WHEN 0 THEN i WHEN 1 THEN i * 0.5 ELSE 'm' || i END
FROM n"""


class ConnectOptions(ctypes.Structure):
    _fields_ = (
        ("struct_size", c_size_t),
        ("socket_path", c_char_p),
        ("database", c_char_p),
        ("client_name", c_char_p),
        ("connect_timeout_ms", c_uint32),
        ("reserved", c_uint32),
    )


class Column(ctypes.Structure):
    _fields_ = (
        ("layout", c_int),
        ("row_count", c_size_t),
        ("nulls", POINTER(c_uint8)),
        ("integers", POINTER(c_int64)),
        ("reals", POINTER(c_double)),
        ("ends", POINTER(c_uint32)),
        ("kinds", POINTER(c_uint8)),
        ("words", POINTER(c_uint64)),
        ("bytes", c_void_p),
        ("bytes_size", c_size_t),
    )


def load(path):
    library = ctypes.CDLL(path)
    library.skua_error_message.restype = c_char_p
    library.skua_batch_column.restype = POINTER(Column)
    library.skua_batch_column.argtypes = (c_void_p, c_size_t)
    library.skua_batch_row_count.restype = c_size_t
    library.skua_batch_row_count.argtypes = (c_void_p,)
    library.skua_error_message.argtypes = (c_void_p,)
    for name in ("batch", "stream", "connection", "error"):
        getattr(library, f"skua_{name}_free").argtypes = (c_void_p,)
    library.skua_stream_next_batch.argtypes = (c_void_p, c_void_p, c_void_p)
    library.skua_connection_stream.argtypes = (c_void_p, c_char_p, c_void_p, c_void_p, c_void_p, c_void_p)
    return library


def must(library, function, *arguments):
    error = c_void_p()
    code = function(*arguments, ctypes.byref(error))
    if code != 0:
        raise Failure(f"{function.__name__} failed with {code}: {library.skua_error_message(error).decode()}")


def view(pointer, count, item):
    """The numbers behind a pointer, in place: nothing is copied."""
    address = ctypes.cast(pointer, c_void_p).value
    return memoryview((ctypes.c_char * (count * struct.calcsize(item))).from_address(address)).cast("B").cast(item)


class Sums:
    """What the rows add up to, as far as they have come."""

    def __init__(self):
        self.rows = self.integers = self.nulls = self.text_bytes = self.mixed_integers = self.mixed_texts = 0
        self.reals = self.mixed_reals = 0.0
        self.digits = 0

    def add(self, number, real, text, mixed):
        count = number.row_count
        if (number.layout, real.layout, text.layout) != (INTEGERS, REALS, TEXTS):
            raise Failure(f"the layouts are {number.layout}, {real.layout}, {text.layout}")
        if number.nulls or real.nulls or not {real.row_count, text.row_count, mixed.row_count} <= {count}:
            raise Failure("a column has NULLs, or another number of rows")
        self.rows += count
        self.integers += sum(view(number.integers, count, "q"))
        self.reals += sum(view(real.reals, count, "d"))
        if text.nulls:
            bits = int.from_bytes(view(text.nulls, (count + 7) // 8, "B"), "little")
            self.nulls += bin(bits & ((1 << count) - 1)).count("1")
        self.text_bytes += view(text.ends, count, "I")[count - 1]
        # Each text in full; the digits behind "row ".
        content = ctypes.string_at(text.bytes, text.bytes_size)
        self.digits += sum(map(int, content.replace(b"row ", b" ").split()))
        self.add_mixed(mixed, count)

    def add_mixed(self, column, count):
        if column.layout != MIXED:
            if count > 1:
                raise Failure(f"the layout of the mixed column is {column.layout}")
            return
        words = view(column.words, count, "Q")
        reals = words.cast("B").cast("d")
        kinds = bytes(view(column.kinds, count, "B"))
        self.mixed_texts += kinds.count(TEXT)
        first = kinds.find(INTEGER)
        self.mixed_integers += sum(words[first::3]) if first >= 0 else 0
        first = kinds.find(REAL)
        self.mixed_reals += sum(reals[first::3]) if first >= 0 else 0.0


def read(library, connection):
    stream, sums = c_void_p(), Sums()
    must(library, library.skua_connection_stream, connection, SQL.encode(), None, None, ctypes.byref(stream))
    while True:
        batch = c_void_p()
        must(library, library.skua_stream_next_batch, stream, ctypes.byref(batch))
        if not batch.value:
            break
        sums.add(*(library.skua_batch_column(batch, i).contents for i in range(4)))
        library.skua_batch_free(batch)
    library.skua_stream_free(stream)
    return sums


def check(sums):
    numbers = range(1, ROWS + 1)
    texts = [i for i in numbers if i % 7 != 0]
    expected = {
        "rows": ROWS,
        "integers": sum(numbers),
        "reals": sum(numbers) * 0.25,
        "nulls": ROWS // 7,
        "text_bytes": sum(4 + len(str(i)) for i in texts),
        "digits": sum(texts),
        "mixed_integers": sum(range(3, ROWS + 1, 3)),
        "mixed_reals": sum(range(1, ROWS + 1, 3)) * 0.5,
        "mixed_texts": len(range(2, ROWS + 1, 3)),
    }
    for name, value in expected.items():
        if getattr(sums, name) != value:
            raise Failure(f"{name} is {getattr(sums, name)}, not {value}")


def meet_nonsense(library):
    """A frame as it should be, and in it a pointer to a structure of 100 words that are not there."""
    frame = struct.pack("<IIIHH", 0, 1, 0, 100, 0)
    with tempfile.TemporaryDirectory(prefix="skua-", dir="/tmp") as folder, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{folder}/s")
        listener.listen()

        def answer():
            with listener.accept()[0] as session:
                session.recv(4096)
                session.sendall(frame)
                session.recv(4096)

        daemon = threading.Thread(target=answer)
        daemon.start()
        options = ConnectOptions(ctypes.sizeof(ConnectOptions), f"{folder}/s".encode(), None, b"python", 0, 0)
        connection, error = c_void_p(), c_void_p()
        code = library.skua_connect(ctypes.byref(options), ctypes.byref(connection), ctypes.byref(error))
        daemon.join()
    message = library.skua_error_message(error).decode()
    if code != PROTOCOL_ERROR or connection.value or not message.startswith("malformed message"):
        raise Failure(f"nonsense gave {code}: {message}")
    library.skua_error_free(error)


def main():
    library = load(sys.argv[1])
    meet_nonsense(library)
    with Skuad(sys.argv[2]) as daemon:
        options = ConnectOptions(ctypes.sizeof(ConnectOptions), daemon.socket_path.encode(), None, b"python", 0, 0)
        connection = c_void_p()
        must(library, library.skua_connect, ctypes.byref(options), ctypes.byref(connection))
        start = time.monotonic()
        sums = read(library, connection)
        seconds = time.monotonic() - start
        library.skua_connection_free(connection)
    check(sums)
    print(f"{sums.rows} rows of 4 columns are right, in {seconds:.2f} s")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"{sys.argv[0]}: {failure}")
