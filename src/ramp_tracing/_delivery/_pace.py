"""When the next request may be made."""

import random
from collections import deque
from collections.abc import Callable
from typing import Final

FIRST_CEILING_SECONDS: Final = 1.0
LAST_CEILING_SECONDS: Final = 60.0

HOLD_SECONDS: Final = 60.0
"""After an answer that a person must do something about."""

MAX_REQUESTS: Final = 200
WINDOW_SECONDS: Final = 10.0
"""Ramp takes 200 requests in any ten seconds from one address."""


class Pace:
    """
    Backoff with full jitter, what the receiver asked for, and the limit on requests. All on a monotonic clock.

    Used by whoever sends; the time is passed in.

    Args:
        jitter: A number from 0 to 1, another one each time.
    """

    def __init__(self, *, jitter: Callable[[], float] = random.random) -> None:
        self._jitter = jitter
        self._ceiling = FIRST_CEILING_SECONDS
        self._not_before = self._asked_for = float("-inf")
        self._sent: deque[float] = deque(maxlen=MAX_REQUESTS)

    def wait_seconds(self, now: float) -> float:
        """How long to wait until the next request; 0 if it may be made."""
        full = len(self._sent) == MAX_REQUESTS
        next_in_window = self._sent[0] + WINDOW_SECONDS if full else now
        return max(0.0, self._not_before - now, next_in_window - now)

    def sending(self, now: float) -> None:
        """A request is made."""
        self._sent.append(now)

    def succeeded(self) -> None:
        """The receiver is well."""
        self._ceiling = FIRST_CEILING_SECONDS

    def failed(self, now: float, *, floor_seconds: float = 0.0) -> None:
        """It may be better soon; not before *floor_seconds*, if the receiver said so."""
        self._asked_for = now + floor_seconds
        self._not_before = max(self._asked_for, now + self._jitter() * self._ceiling)
        self._ceiling = min(self._ceiling * 2, LAST_CEILING_SECONDS)

    def waive(self) -> None:
        """There will be no later: wait no longer than the receiver has asked for."""
        self._not_before = self._asked_for

    def held(self, now: float) -> None:
        """It will not be better until someone has done something."""
        self._not_before = now + HOLD_SECONDS
