"""Notices a disk that keeps the application waiting."""

import sys
import time
from collections import deque
from collections.abc import Callable
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

LOCK_WAITS: Final = 0.1
"""
Whoever waits for the interpreter's lock wakes up at every switch interval, whoever waits for a disk once or a few times
a second. So many wake-ups to an interval mean the lock; on a crowded machine not each of them comes in time.
"""


def waits_of_this_thread() -> int | None:
    """How often it has waited for something, by its own will; `None` where the system does not count that."""
    try:
        import resource

        return resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw
    except (ImportError, AttributeError, ValueError):
        return None


class DiskSpeed:
    """
    Is told of slow writes. Where there were so many of them, `too_slow` is true for a while.

    A write also looks slow when the machine has other things to do and the thread does not get its turn, or the lock.
    A thread that waits gives its turn away by its own will, which the kernel counts: never where it did not get its
    turn, a few times where it waited for a disk, all the time where it waited for the lock. The kernel is asked from
    the first write on that looked slow, and that one is not held against the disk: asking costs as much as half a
    write. Where it does not count, every slow write is.

    Args:
        clock: Seconds, monotonic.
        waits: How often this thread has waited.
        interval: Of the interpreter's switches, in seconds.

    Attributes:
        watched_until: Until when the waits of a thread that writes are to be counted.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        waits: Callable[[], int | None] = waits_of_this_thread,
        interval: Callable[[], float] = sys.getswitchinterval,
    ) -> None:
        self._clock = clock
        self._waits = waits
        self._interval = interval
        self._slow: deque[float] = deque(maxlen=SLOW_WRITES)
        self.watched_until = float("-inf")
        self._too_slow_until: float | None = None

    @property
    def too_slow(self) -> bool:
        """Whether the application's threads should stay away from the disk."""
        return self._too_slow_until is not None and self._clock() < self._too_slow_until

    def waits(self) -> int | None:
        """To be asked before a write that begins before `watched_until`, and its result given to `was_slow`."""
        return self._waits()

    def was_slow(self, began: float, waits: int | None) -> None:
        """
        Take note of a write that took `SLOW_SECONDS` or more.

        Args:
            began: When.
            waits: How often its thread had waited by then; `None` if nobody counted.
        """
        now = self._clock()
        watched, self.watched_until = began < self.watched_until, now + WITHIN_SECONDS
        if not watched or not self._waited_for_disk(waits, now - began):
            return
        self._slow.append(now)
        if len(self._slow) == SLOW_WRITES and now - self._slow[0] <= WITHIN_SECONDS:
            self._too_slow_until = now + SPARE_SECONDS

    def _waited_for_disk(self, before: int | None, seconds: float) -> bool:
        after = self._waits()
        if before is None or after is None:
            return True
        return 0 < after - before < max(2.0, LOCK_WAITS * seconds / self._interval())
