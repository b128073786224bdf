"""Sinks that see more of their records than `capture_generations` does."""

import gc
import time
from collections.abc import Callable
from typing import Any

from ramp_tracing._state import HeldBack, Hold

from .colours import Colour


class NoticesCollections:
    """A sink that knows whether the garbage collector is at work when it is given a record."""

    keeps_content = True

    def __init__(self) -> None:
        self.collecting = False
        self.during_a_collection: list[bool] = []
        self.deferred: list[Callable[[], None]] = []

    def __call__(self, phase: str, info: Any) -> None:
        self.collecting = phase == "start"

    def record(self, generation: Any) -> None:
        self.during_a_collection.append(self.collecting)

    def hold(self, generation: Any) -> Hold:
        return HeldBack(self.record, generation)

    def stand_by(self) -> None:
        """Nothing to prepare."""

    def defer(self, finish: Callable[[], None]) -> None:
        self.deferred.append(finish)


def until(happened: Callable[[], bool], colour: Colour) -> None:
    """Collect until it has."""
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline
        gc.collect()
        colour.tidy()
