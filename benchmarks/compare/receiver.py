"""
Where every contender exports to, in a process of its own: ``python -m benchmarks.compare.receiver`` prints its port.

The first part of the path says whose it is. Spans are counted by their ids, so that one sent twice counts once. It can
be told to be silent: then it takes requests and says nothing, and answers those that still wait when it speaks again.
"""

import gzip
import json
import re
import select
import socket
import sys
import threading
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

JSON_SPAN: Final = re.compile(rb'"spanId": ?"([0-9a-f]{16})"')
LANGSMITH_RUN: Final = re.compile(rb'name="post\.([0-9a-f-]+)"')

LANGSMITH: Final = {
    "version": "0.12.0",
    "instance_flags": {"zstd_compression_enabled": True},
    "batch_ingest_config": {
        "use_multipart_endpoint": True,
        "scale_up_qsize_trigger": 1_000,
        "scale_up_nthreads_limit": 16,
        "scale_down_nempty_trigger": 4,
        "size_limit": 100,
        "size_limit_bytes": 20_971_520,
    },
}
LANGFUSE: Final = {"mediaId": "bench", "uploadUrl": None}


@dataclass(slots=True)
class Received:
    """
    What one contender sent.

    Attributes:
        spans: Their ids.
        requests: How many requests had spans in them.
        sent: Bytes of these requests' bodies as they came.
        raw: The same, unpacked.
    """

    spans: set[bytes] = field(default_factory=set)
    requests: int = 0
    sent: int = 0
    raw: int = 0


received: defaultdict[str, Received] = defaultdict(Received)
speaking = threading.Event()


def unpack(body: bytes, encoding: str | None) -> bytes:
    """A body without its compression."""
    if encoding == "gzip":
        return gzip.decompress(body)
    if encoding == "deflate":
        return zlib.decompress(body)
    if encoding == "zstd":
        import zstandard

        return zstandard.ZstdDecompressor().stream_reader(body).read()
    return body


def fields_of(message: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Number and bytes of each field of a protobuf message that has a length."""
    at = 0
    while at < len(message):
        key, at = varint(message, at)
        if key & 7 == 2:
            length, at = varint(message, at)
            yield key >> 3, message[at : at + length]
            at += length
        elif key & 7 == 0:
            _, at = varint(message, at)
        else:
            at += 8 if key & 7 == 1 else 4


def varint(message: memoryview, at: int) -> tuple[int, int]:
    """A number, and where it ends."""
    value = shift = 0
    while True:
        byte = message[at]
        value, at, shift = value | (byte & 127) << shift, at + 1, shift + 7
        if byte < 128:
            return value, at


def protobuf_spans(body: bytes) -> list[bytes]:
    """Ids in an ``ExportTraceServiceRequest``: resource_spans 1, scope_spans 2, spans 2, span_id 2."""
    level = [memoryview(body)]
    for wanted in (1, 2, 2, 2):
        level = [value for message in level for number, value in fields_of(message) if number == wanted]
    return [bytes(each) for each in level]


def spans_in(path: str, kind: str, body: bytes) -> list[bytes]:
    """The ids of the spans that a request carries."""
    if "protobuf" in kind:
        return protobuf_spans(body) if path.endswith("traces") else []
    if "multipart" in kind:
        return LANGSMITH_RUN.findall(body)
    return JSON_SPAN.findall(body)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """Take spans, or an order of the conductor's."""
        _, who, *path = self.path.split("/")
        body = self._body()
        if who == "-":
            self._answer(ORDERS[path[0]](path[-1]))
            return
        if not speaking.is_set():
            speaking.wait()
            if hung_up(self.connection):
                self.close_connection = True
                return
        self._note(received[who], body)
        self._answer(LANGFUSE if "media" in path else {})

    do_PATCH = do_POST  # noqa: N815 - the name is http.server's

    def do_GET(self) -> None:
        """Say what a service says of itself."""
        self._answer(LANGSMITH)

    def _note(self, of: Received, body: bytes) -> None:
        whole = unpack(body, self.headers.get("content-encoding"))
        ids = spans_in(self.path, self.headers.get("content-type", ""), whole)
        if ids:
            of.spans.update(ids)
            of.requests += 1
            of.sent += len(body)
            of.raw += len(whole)

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("transfer-encoding", ""):
            return self.rfile.read(int(self.headers.get("content-length", 0)))
        pieces: list[bytes] = []
        while length := int(self.rfile.readline().strip() or b"0", 16):
            pieces.append(self.rfile.read(length))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def _answer(self, body: object) -> None:
        packed = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(packed)))
        self.end_headers()
        self.wfile.write(packed)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def hung_up(connection: socket.socket) -> bool:
    """Whether the other side has given up waiting."""
    readable, _, _ = select.select([connection], [], [], 0)
    try:
        return bool(readable) and connection.recv(1, socket.MSG_PEEK) == b""
    except OSError:
        return True


def counts(who: str) -> dict[str, int]:
    """What *who* sent since the last time that this was asked."""
    of = received.pop(who, Received())
    return {"spans": len(of.spans), "requests": of.requests, "sent": of.sent, "raw": of.raw}


def silence(_: str) -> None:
    """Answer nobody."""
    speaking.clear()


def speak(_: str) -> None:
    """Answer everybody."""
    speaking.set()


ORDERS: Final[dict[str, Callable[[str], object]]] = {"counts": counts, "silence": silence, "speak": speak}


class Server(ThreadingHTTPServer):
    """Many connections; none keeps the process alive."""

    daemon_threads = True
    request_queue_size = 256


def main() -> None:
    """Serve until standard input ends."""
    speaking.set()
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
