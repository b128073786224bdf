"""
The thread that sends is one of the system's, also where threads have become greenlets since this was loaded.

gevent and eventlet replace threads, and what they wait by, for whatever is made from then on. A server that does so
after it has loaded the application (``gunicorn --preload --worker-class gevent``) leaves us with a queue of before: a
greenlet that waits for it stops all others of its thread, and for ever.
"""

import _thread
import threading
import time
from _thread import allocate_lock, start_new_thread
from collections.abc import Callable
from typing import Final, Protocol

SYSTEMS_OWN: Final = start_new_thread, allocate_lock
"""Those that were in force when this was loaded, and so were the queues of `_worker`."""

LOOK_SECONDS: Final = 0.005


class Running(Protocol):
    """What of a thread is of interest."""

    def is_alive(self) -> bool:
        """Whether it has not ended."""
        ...

    def join(self, timeout: float) -> None:
        """Wait for its end, at most so many seconds."""
        ...


def started(run: Callable[[], object], *, name: str) -> Running:
    """
    A daemon thread that runs *run*.

    Raises:
        RuntimeError: The interpreter starts none any more, or the machine has too many.
    """
    if _thread.start_new_thread is not SYSTEMS_OWN[0]:
        return _OfTheSystem(run)
    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    return thread


class _OfTheSystem:
    """A thread that `threading` knows nothing of, because it would make a greenlet of it."""

    def __init__(self, run: Callable[[], object]) -> None:
        start, make_lock = SYSTEMS_OWN
        self._running = make_lock()
        self._running.acquire()
        try:
            start(self._bootstrap, (run,))
        except BaseException:
            self._running.release()
            raise

    def _bootstrap(self, run: Callable[[], object]) -> None:
        try:
            run()
        finally:
            self._running.release()

    def is_alive(self) -> bool:
        return self._running.locked()

    def join(self, timeout: float) -> None:
        until = time.monotonic() + timeout
        while self.is_alive() and time.monotonic() < until:
            time.sleep(LOOK_SECONDS)  # other greenlets go on meanwhile
