#!/usr/bin/env python3
"""Has the session in hex of docs/PROTOCOL.md with a real daemon: sends its requests byte for byte, compares the answers.

    protocol_example_test.py SKUAD [PROTOCOL.md]

A block starts with ```hex request or ```hex response. A line is an offset, bytes, and a comment; the bytes of a line
whose comment starts with * may differ.
"""

import pathlib
import re
import socket
import sys

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tests" / "support"))
from skuad import TIMEOUT_SECONDS, Failure, Skuad  # noqa: E402

BLOCK = re.compile(r"^```hex (request|response)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINE = re.compile(r"([0-9a-f]{4})  ((?:[0-9a-f]{2} )*[0-9a-f]{2})(?: +(.*))?")


def read_example(document):
    """Triples of (request or response, bytes, offsets that may differ)."""
    messages = []
    for kind, body in BLOCK.findall(document.read_text(encoding="utf-8")):
        message, varying = bytearray(), set()
        for line in body.splitlines():
            match = LINE.fullmatch(line)
            if not match:
                raise Failure(f"not a line of an example: {line}")
            offset, piece, comment = int(match[1], 16), bytes.fromhex(match[2]), match[3] or ""
            if offset != len(message):
                raise Failure(f"the offset should be {len(message):04x}: {line}")
            if comment.startswith("*"):
                varying.update(range(offset, offset + len(piece)))
            message += piece
        messages.append((kind, bytes(message), varying))
    if not messages:
        raise Failure(f"there is no example in {document}")
    return messages


def receive(session, size):
    answer = b""
    while len(answer) < size:
        piece = session.recv(size - len(answer))
        if not piece:
            raise Failure(f"the daemon closed the session after {len(answer)} of {size} bytes: {answer.hex(' ')}")
        answer += piece
    return answer


def compare(answer, documented, varying, number):
    for offset in range(0, len(documented), 8):
        same = all(
            answer[i] == documented[i] or i in varying for i in range(offset, min(offset + 8, len(documented)))
        )
        if not same:
            raise Failure(
                f"message {number}, offset {offset:04x}:\n"
                f"  documented  {documented[offset:offset + 8].hex(' ')}\n"
                f"  answered    {answer[offset:offset + 8].hex(' ')}"
            )


def converse(path, messages):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as session:
        session.settimeout(TIMEOUT_SECONDS)
        session.connect(path)
        for number, (kind, message, varying) in enumerate(messages, 1):
            if kind == "request":
                session.sendall(message)
            else:
                compare(receive(session, len(message)), message, varying, number)
        session.setblocking(False)
        try:
            rest = session.recv(65536)
        except BlockingIOError:
            return
        raise Failure(f"more came than is documented: {rest.hex(' ')}")


def main():
    document = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else REPOSITORY / "docs" / "PROTOCOL.md"
    messages = read_example(document)
    with Skuad(sys.argv[1]) as daemon:
        converse(daemon.socket_path, messages)
    print(f"{len(messages)} messages are as documented")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"{sys.argv[0]}: {failure}")
