"""Notices a disk that keeps the application waiting."""

import time
from collections import deque
from typing import Final

SLOW_SECONDS: Final = 1.0
"""
A write into the page cache takes some microseconds, but what is measured may include a wait for the interpreter's lock:
on a machine with ten processes for each core, tenths of a second. A line that is handed over instead of written dies
with the process, so the disk must be slow beyond doubt.
"""

SLOW_WRITES: Final = 3
WITHIN_SECONDS: Final = 60.0
SPARE_SECONDS: Final = 60.0
"""How long a slow disk is kept away from the application's threads before it is tried there again."""


class DiskSpeed:
    """
    Times writes. Where so many of them were slow, `too_slow` is true for a while.

    A write also looks slow when the machine has other things to do and the thread does not get its turn. A thread that
    waits for a disk gives its turn away by its own will, which the kernel counts. It is asked from the first write on
    that looked slow, and that one is not held against the disk: asking costs as much as half a write.
    """

    def __init__(self) -> None:
        self._slow: deque[float] = deque(maxlen=SLOW_WRITES)
        self._watched_until = 0.0
        self._too_slow_until = 0.0

    @property
    def too_slow(self) -> bool:
        """Whether the application's threads should stay away from the disk."""
        return self._too_slow_until > 0.0 and time.monotonic() < self._too_slow_until

    def started(self) -> tuple[float, int | None]:
        """To be called before a write, and its result given to `ended` after it."""
        now = time.monotonic()
        return now, _waits() if now < self._watched_until else None

    def ended(self, start: tuple[float, int | None]) -> None:
        """Take note of a write."""
        began, waits = start
        now = time.monotonic()
        if now - began < SLOW_SECONDS:
            return
        self._watched_until = now + WITHIN_SECONDS
        if waits is None or _waits() == waits:
            return
        self._slow.append(now)
        if len(self._slow) == SLOW_WRITES and now - self._slow[0] <= WITHIN_SECONDS:
            self._too_slow_until = now + SPARE_SECONDS


def _waits() -> int:
    """How often this thread has waited for something, by its own will."""
    try:
        import resource

        return resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw
    except (ImportError, AttributeError, ValueError):  # not every system counts for threads
        return int(time.monotonic_ns())
