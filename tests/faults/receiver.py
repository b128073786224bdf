"""The receiver: listens, counts, and behaves as its script says."""

import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from tests.delivery.receiver import Exchange, close, read_request

from .conducts import WELL, Conduct, Visit
from .tally import Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """
    One part of a script; the last one goes on for ever.

    Attributes:
        conduct: What is done with each request; `None` if nothing listens.
        seconds: How long.
        requests: For how many requests.
    """

    conduct: Conduct | None
    seconds: float | None = None
    requests: int | None = None


@dataclass(slots=True)
class _Running:
    """A phase while it lasts."""

    phase: Phase
    ended: threading.Event = field(default_factory=threading.Event)
    requests: int = 0


class FaultyReceiver:
    """
    A receiver on loopback, as long as its ``with`` block. Well, until it is told otherwise.

    Attributes:
        tally: What came.
        port: Where it listens. It stays its own while it is down.
    """

    def __init__(self) -> None:
        self.tally = Tally()
        # A second socket on the port, which does not listen, so that nobody else gets the port while we are down.
        self._place_holder = socket.socket()
        self._place_holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._place_holder.bind(("127.0.0.1", 0))
        self.port: int = self._place_holder.getsockname()[1]
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._lock = threading.RLock()
        self._last_request = time.monotonic()
        self._script: list[Phase] = []
        self._running = _Running(Phase(conduct=WELL))
        self._unended = [self._running]

    def __enter__(self) -> Self:
        self._listen()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.follow([Phase(conduct=None)])
        self._place_holder.close()
        for running in self._unended:
            running.ended.set()
        for thread in self._threads:
            thread.join(10)

    @property
    def idle_seconds(self) -> float:
        """Since the last request."""
        return time.monotonic() - self._last_request

    @property
    def url(self) -> str:
        """Where records are to be posted."""
        return f"http://127.0.0.1:{self.port}/ai-usage"

    def follow(self, script: Sequence[Phase]) -> None:
        """Begin this script now."""
        with self._lock:
            self._script = list(script)
            self._running.ended.set()
            self._next_phase()

    def _next_phase(self) -> None:
        """With the lock held."""
        self._running = _Running(self._script.pop(0))
        self._unended = [*(each for each in self._unended if not each.ended.is_set()), self._running]
        if self._running.phase.conduct is None:
            self._go_down()
        else:
            self._listen()
        if self._running.phase.seconds is not None:
            self._spawn(self._end_in_time, self._running)

    def _end_in_time(self, running: _Running) -> None:
        running.ended.wait(running.phase.seconds)
        with self._lock:
            if self._running is running:
                running.ended.set()
                self._next_phase()

    def _listen(self) -> None:
        if self._listener is None:
            self._listener = socket.create_server(("127.0.0.1", self.port), reuse_port=True, backlog=128)
            self._spawn(self._accept, self._listener)

    def _go_down(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for each in list(self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _spawn(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads = [each for each in self._threads if each.is_alive()]
        thread.start()
        self._threads.append(thread)

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connected, _ = listener.accept()
                with self._lock:
                    if self._listener is not listener:
                        connected.close()
                        return
                    self._open.add(connected)
                    self._spawn(self._serve, connected)

    def _serve(self, connected: socket.socket) -> None:
        try:
            while (request := read_request(connected, 0)) is not None:
                running = self._phase_for_a_request()
                if running.phase.conduct is None:
                    return
                calls, same = self.tally.arrived(request.headers, request.body)
                exchange = Exchange(connected, request, running.ended)
                running.phase.conduct(Visit(exchange=exchange, calls=calls, same=same, tally=self.tally))
                if running.ended.is_set():
                    return
        except OSError:
            pass
        finally:
            with self._lock:
                self._open.discard(connected)
            close(connected)

    def _phase_for_a_request(self) -> _Running:
        with self._lock:
            running = self._running
            self._last_request = time.monotonic()
            running.requests += 1
            limit = running.phase.requests
            if limit is not None and running.requests >= limit:
                # The requests that it had are still dealt with as it says, so it has not ended for them.
                self._next_phase()
            return running
