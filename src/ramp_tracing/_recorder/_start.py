"""When and where a call started."""

import os
import time
from collections.abc import Mapping
from typing import Any, Final, cast

from .._capture import snapshot
from .._context import Around, InForce, active_span, in_force_at, innermost
from .._record import NOBODY, Attribution, UnixNanos, changed
from .._state import state


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
        instant: Any = time.time_ns()  # `cast` is a call, and this is in the way of each
        self.instant: UnixNanos = instant
        self.monotonic = time.perf_counter_ns()
        self._place = innermost.get(), active_span()  # what `here` says
        self._defaults = state.defaults  # which nobody changes
        self.process = os.getpid()

    def stands_in(self, outer: "Start") -> None:
        """Take the place of what this is a part of."""
        self._place, self._defaults = outer._place, outer._defaults

    def now(self) -> UnixNanos:
        """By the monotonic clock, so that a call never ends before it started."""
        nanoseconds: Any = self.instant + time.perf_counter_ns() - self.monotonic
        now: UnixNanos = nanoseconds
        return now

    def in_force(
        self, request: Attribution, around: Around | None = None, surroundings: Attribution = NOBODY
    ) -> InForce:
        """
        Who and what a call that was made here is for.

        Args:
            request: By its own word.
            around: As in `Request`.
            surroundings: As in `Request`.
        """
        frame, parent = self._place
        if frame is None and around is None and request is NOBODY and surroundings is NOBODY:
            return InForce._make((self._defaults, parent, False))  # by far the most frequent
        defaults = self._defaults if surroundings is NOBODY else surroundings.over(self._defaults)
        found = in_force_at(self._place, request, defaults, around)
        attribution = unchanging(found.attribution)
        return found if attribution is found.attribution else found._replace(attribution=attribution)


def unchanging(attribution: Attribution) -> Attribution:
    """*attribution* as it is now: what is in its metadata may be the application's, and it is read again later."""
    metadata: Any = attribution.metadata
    kind = type(metadata)  # pyright: ignore[reportUnknownVariableType]
    if kind is not dict or CONTAINERS.isdisjoint(map(type, tuple(metadata.values()))):
        return attribution
    return changed(attribution, metadata=cast("Mapping[str, object]", snapshot(metadata)[0]))


CONTAINERS: Final[frozenset[type]] = frozenset({dict, list})
