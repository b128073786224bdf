"""When and where a call started."""

import os
import time

from .._context import InForce, here, in_force_at
from .._record import NOBODY, UnixNanos
from .._state import state
from ._request import Request


class Start:
    """
    The moment and the place; what is in force there is found out later, from what is kept here.

    Attributes:
        instant: When.
        monotonic: The same by a clock that never goes back.
        process: Which process it was.
    """

    __slots__ = ("_defaults", "_place", "instant", "monotonic", "process")

    def __init__(self) -> None:
        self.instant = UnixNanos(time.time_ns())
        self.monotonic = time.perf_counter_ns()
        self._place = here()
        self._defaults = state.defaults
        self.process = os.getpid()

    def now(self) -> UnixNanos:
        """By the monotonic clock, so that a call never ends before it started."""
        return UnixNanos(self.instant + time.perf_counter_ns() - self.monotonic)

    def in_force(self, request: Request) -> InForce:
        """Who and what *request*, which was made here, is for."""
        defaults = self._defaults
        if request.surroundings is not NOBODY:
            defaults = request.surroundings.over(defaults)
        return in_force_at(self._place, request.attribution, defaults, request.around)
