"""Accepting connections, and the exchanges on each of them."""

import socket
import socketserver
import ssl
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from types import MappingProxyType
from typing import Any, Final, cast

from ._body import Refusal, read_body
from ._messages import Answer, AnswerFunction, Request, json_answer

IDLE_SECONDS: Final = 60.0
"""A connection on which nothing arrives for so long is closed."""

CLOSING_SECONDS: Final = 0.5
"""How long closing waits for the exchanges that are under way."""

BODILESS: Final = frozenset({204, 304})
"""Statuses whose answers have no body, and no length either."""


class Listener(socketserver.ThreadingTCPServer):
    """
    Accepts connections, one thread each. (`http.server.HTTPServer` would look its own name up in the DNS.)

    Args:
        port: The port on 127.0.0.1; 0 takes a free one.
        tls: Serve https with this context.
        answer: Answers each request.
        max_body_bytes: The bound on bodies.

    Raises:
        OSError: The port is taken.
    """

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, port: int, tls: ssl.SSLContext | None, *, answer: AnswerFunction, max_body_bytes: int) -> None:
        self.answer: Final = answer
        self.max_body_bytes: Final = max_body_bytes
        self.closing: Final = threading.Event()
        self._tls = tls
        self._open: set[socket.socket] = set()
        self._changing = threading.Lock()
        super().__init__(("127.0.0.1", port), _Connection)

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection. TLS shakes hands at the first read, off the thread that accepts."""
        connection, address = super().get_request()
        if self._tls is not None:
            connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection until either side closes it."""
        with self._tracked(request):
            if self.closing.is_set():
                self.shutdown_request(request)
            else:
                super().process_request_thread(request, client_address)

    @contextmanager
    def _tracked(self, connection: socket.socket) -> Generator[None]:
        with self._changing:
            self._open.add(connection)
        try:
            yield
        finally:
            with self._changing:
                self._open.discard(connection)

    def drop_connections(self) -> None:
        """End what still runs: blocked reads return at once, answers under way break off."""
        self.closing.set()
        with self._changing:
            connections = list(self._open)
        for each in connections:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        deadline = time.monotonic() + CLOSING_SECONDS
        while self._open and time.monotonic() < deadline:
            time.sleep(0.002)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no news; a fault of the answering function is."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Connection(BaseHTTPRequestHandler):
    """One connection: exchanges, one after the other."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = IDLE_SECONDS

    @property
    def _listener(self) -> Listener:
        return cast(Listener, self.server)

    def _exchange(self) -> None:
        headers = _lowered(self.headers.items())
        try:
            body = read_body(self.rfile, headers, max_bytes=self._listener.max_body_bytes)
        except Refusal as refusal:
            self._refuse(refusal)
            return
        path, _, query = self.path.partition("?")
        request = Request(method=self.command, path=path, query=query, headers=headers, body=body)
        answer = self._listener.answer(request)
        if answer.delay_seconds:
            self._listener.closing.wait(answer.delay_seconds)
        self._send(answer)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _exchange  # noqa: N815 - http.server's names

    def _send(self, answer: Answer) -> None:
        self.close_connection = self.close_connection or answer.cut
        if answer.cut and answer.body == b"":
            return
        framing = _framing(answer)
        self.send_response(answer.status)
        for name, value in {**answer.headers, **framing}.items():
            self.send_header(name, value)
        self.end_headers()
        if framing and self.command != "HEAD":
            send = self._send_chunk if "Transfer-Encoding" in framing else self.wfile.write
            self._send_body(answer, send)

    def _send_body(self, answer: Answer, send: Callable[[bytes], object]) -> None:
        for piece in (answer.body,) if isinstance(answer.body, bytes) else answer.body:
            if piece:  # an empty chunk would be the end
                send(piece)
        if send == self._send_chunk and not answer.cut:
            send(b"")

    def _send_chunk(self, piece: bytes) -> None:
        self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))

    def _refuse(self, refusal: Refusal) -> None:
        self._send(json_answer({"error": str(refusal)}, status=refusal.status, headers={"Connection": "close"}))
        self.close_connection = True
        # Closing with unread bytes resets the connection, and the client would never see why.
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(CLOSING_SECONDS)
            for _ in range(64):
                if not self.rfile.read(65_536):
                    break

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is written to standard error."""


def _framing(answer: Answer) -> Mapping[str, str]:
    """The header that says where the body ends."""
    if answer.status in BODILESS:
        return {}
    if isinstance(answer.body, bytes) and not answer.cut:
        return {"Content-Length": str(len(answer.body))}
    return {"Transfer-Encoding": "chunked"}


def _lowered(headers: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    joined: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        joined[key] = f"{joined[key]}, {value}" if key in joined else value
    return MappingProxyType(joined)
