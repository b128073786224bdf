"""A receiver on loopback that answers as it is told to, down to the bytes."""

import json
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

Behaviour = Callable[["Exchange"], None]
"""Answers one request; raises `OSError` to drop the connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One request, as it came."""

    line: str
    head: bytes
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def span_ids(self) -> list[str]:
        """The ids of its spans."""
        return [
            span["spanId"]
            for resource in json.loads(self.body)["resourceSpans"]
            for scope in resource["scopeSpans"]
            for span in scope["spans"]
        ]


@dataclass(slots=True)
class Exchange:
    """What a behaviour works with."""

    socket: socket.socket
    request: Received
    closing: threading.Event


def answer(status: int, body: bytes = b"{}", **headers: str) -> Behaviour:
    """A whole and honest answer; underscores in header names stand for hyphens."""

    def behave(exchange: Exchange) -> None:
        named = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        head = f"HTTP/1.1 {status} Whatever\r\n" + "".join(f"{name}: {value}\r\n" for name, value in named.items())
        exchange.socket.sendall(head.encode() + b"\r\n" + body)

    return behave


def raw(*pieces: bytes) -> Behaviour:
    """These bytes, and then the end of the connection."""

    def behave(exchange: Exchange) -> None:
        for piece in pieces:
            exchange.socket.sendall(piece)
        raise ConnectionError

    return behave


def endless(beginning: bytes, piece: bytes, *, every_seconds: float = 0.0) -> Behaviour:
    """A beginning, and then the same piece for ever."""

    def behave(exchange: Exchange) -> None:
        exchange.socket.sendall(beginning)
        while not exchange.closing.wait(every_seconds):
            exchange.socket.sendall(piece)

    return behave


def hang(exchange: Exchange) -> None:
    """No answer, as long as the receiver lives."""
    exchange.closing.wait()


def refuse_spans(bad: Callable[[str], bool]) -> Behaviour:
    """400 for a request with a bad span, and 200 for the others."""

    def behave(exchange: Exchange) -> None:
        answer(400 if any(map(bad, exchange.request.span_ids)) else 200)(exchange)

    return behave


@dataclass(slots=True)
class Receiver:
    """Listens as long as its ``with`` block lives. The last behaviour goes on for ever."""

    behaviours: deque[Behaviour] = field(default_factory=lambda: deque([answer(200)]))
    tls: ssl.SSLContext | None = None
    requests: list[Received] = field(default_factory=list)
    connections: int = 0

    @classmethod
    def which(cls, *behaviours: Behaviour, tls: ssl.SSLContext | None = None) -> Self:
        """A receiver that behaves like this, one after the other."""
        return cls(behaviours=deque(behaviours), tls=tls)

    def __post_init__(self) -> None:
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener: socket.socket

    _closing: threading.Event = field(init=False)
    _lock: threading.Lock = field(init=False)
    _open: list[socket.socket] = field(init=False)
    _threads: list[threading.Thread] = field(init=False)
    _listener: socket.socket = field(init=False)

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._spawn(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in self._open:
            close(each)
        for thread in self._threads:
            thread.join(30)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        """An address on it."""
        return f"{'http' if self.tls is None else 'https'}://127.0.0.1:{self.port}/ai-usage?x=1"

    @property
    def span_ids(self) -> list[str]:
        """The ids of all spans that came, in the order in which they came."""
        return [span_id for request in self.requests for span_id in request.span_ids]

    def wait_for(self, requests: int, *, seconds: float = 60.0) -> None:
        """Wait until so many requests have come."""
        wait_until(lambda: len(self.requests) >= requests, seconds=seconds)

    def _spawn(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(accepted)
            self.connections += 1
            self._spawn(self._serve, accepted, self.connections)

    def _serve(self, accepted: socket.socket, number: int) -> None:
        try:
            if self.tls is not None:
                accepted = self.tls.wrap_socket(accepted, server_side=True)
                self._open.append(accepted)
            while (request := read_request(accepted, number)) is not None:
                with self._lock:
                    self.requests.append(request)
                    behave = self.behaviours[0]
                    if len(self.behaviours) > 1:
                        self.behaviours.popleft()
                behave(Exchange(accepted, request, self._closing))
        except OSError:
            pass
        finally:
            close(accepted)


def close(connected: socket.socket) -> None:
    """Close it under whoever reads from it."""
    with suppress(OSError):
        connected.shutdown(socket.SHUT_RDWR)
    connected.close()


def read_request(connected: socket.socket, number: int) -> Received | None:
    """The next request; `None` at the end of the connection."""
    head = b""
    while b"\r\n\r\n" not in head:
        piece = connected.recv(1)
        if not piece:
            return None
        head += piece
    line, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in lines if each)}
    body = b""
    length = int(headers.get("content-length", "0"))
    while len(body) < length:
        piece = connected.recv(min(1 << 16, length - len(body)))
        if not piece:
            return None
        body += piece
    return Received(line=line, head=head, headers=headers, body=body, connection=number)


def wait_until(true: Callable[[], bool], *, seconds: float = 60.0) -> None:
    """Look until it is so; fail if it does not come to that."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come to that in time"
        time.sleep(0.005)
