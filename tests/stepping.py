"""Races without luck: what another thread might do between two steps of a function is done there."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


@contextmanager
def at_each_step(function: Any, look: Callable[[], object]) -> Iterator[None]:
    """Wherever another thread might be given the turn in the middle of *function*, it does *look*."""

    def trace(frame: FrameType, _event: str, _arg: object) -> Any:
        if frame.f_code is not function.__code__:
            return None
        frame.f_trace_opcodes = True
        look()
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)
