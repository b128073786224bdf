"""The server as its users see it."""

import ssl
import threading
from collections import deque
from types import TracebackType
from typing import Final, Self

from ._body import MAX_BODY_BYTES
from ._connections import Listener
from ._messages import Answer, AnswerFunction, Request

MAX_KEPT_REQUESTS: Final = 100_000
"""More than any test sends, and few enough that a demo left running does not fill the memory."""


class LoopbackServer:
    """
    A server on 127.0.0.1 that lives as long as its ``with`` block.

    Example:
        >>> with LoopbackServer(lambda request: json_answer({"path": request.path})) as server:
        ...     print(urllib.request.urlopen(server.url + "/hello").read())
        b'{"path": "/hello"}'

    Args:
        answer: Answers each request. If it raises, the traceback goes to standard error and the connection is dropped.
        port: The port; 0 takes a free one.
        tls: Serve https with this context.
        max_body_bytes: A longer body, or one that unpacks to more, is refused with 413.
    """

    def __init__(
        self,
        answer: AnswerFunction,
        *,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        max_body_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        self._answer_function = answer
        self._max_body_bytes = max_body_bytes
        self._port = port
        self._tls = tls
        self._listener: Listener | None = None
        self._thread: threading.Thread | None = None
        self._requests: deque[Request] = deque(maxlen=MAX_KEPT_REQUESTS)
        self._arrived = threading.Condition()

    def __enter__(self) -> Self:
        """
        Start to listen.

        Raises:
            OSError: The port is taken.
        """
        self._listener = Listener(self._port, self._tls, answer=self._answer, max_body_bytes=self._max_body_bytes)
        self._port = self._listener.server_address[1]
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening and drop every connection, within a second. May be called again; `with` may open it anew."""
        listener, self._listener = self._listener, None
        # A forked child has the object without its thread, and would wait for it for ever.
        if listener is not None and self._thread is not None and self._thread.is_alive():
            listener.shutdown()
        if listener is not None:
            listener.server_close()
            listener.drop_connections()

    @property
    def port(self) -> int:
        """The port it listens on; 0 before it was started with a free one."""
        return self._port

    @property
    def host(self) -> str:
        """``127.0.0.1:PORT``."""
        return f"127.0.0.1:{self._port}"

    @property
    def url(self) -> str:
        """``http://127.0.0.1:PORT``, or https."""
        return f"{'http' if self._tls is None else 'https'}://{self.host}"

    @property
    def requests(self) -> list[Request]:
        """What it was asked until now, oldest first."""
        with self._arrived:
            return list(self._requests)

    def wait_for_requests(self, count: int, *, timeout_seconds: float = 30.0) -> bool:
        """Wait until *count* requests have arrived; False if they did not within the time."""
        with self._arrived:
            return self._arrived.wait_for(lambda: len(self._requests) >= count, timeout_seconds)

    def _answer(self, request: Request) -> Answer:
        with self._arrived:
            self._requests.append(request)
            self._arrived.notify_all()
        return self._answer_function(request)
