"""
The wall between our code and the application's.

`guarded` is the only place of the package that swallows an exception: whatever goes wrong inside ends as one log
line, without content or keys, at most once a minute for each place.
"""

import sys
import time
from types import TracebackType
from typing import Final

from ._state import state

LOGGER: Final = "ramp_tracing"

WARNING: Final = 30
"""`logging.WARNING`, for what is imported before there is anything to log."""

SECONDS_BETWEEN_LINES: Final = 60.0
"""A fault on the hot path would otherwise write a line per call."""


class RateLimitedLog:
    """Log lines, at most one a minute for each cause. As many causes are kept as there are places that log."""

    def __init__(self) -> None:
        self._next: dict[str, float] = {}

    def once_a_minute(self, level: int, cause: str, message: str) -> None:
        """
        Write *message* unless *cause* was written during the last minute.

        Args:
            level: A level of `logging`.
            cause: What the limit is kept for: a constant of ours, never a value from a call.
            message: The line; without content of calls and without keys.
        """
        now = time.monotonic()
        if now >= self._next.get(cause, 0.0):
            self._next[cause] = now + SECONDS_BETWEEN_LINES
            try:
                import logging  # with what it brings, a tenth of what `instrument()` may take

                logging.getLogger(LOGGER).log(level, message)
            except Exception:  # noqa: BLE001 - a closed stream, a handler of the application's: it cannot be told
                return


log = RateLimitedLog()


class guarded:  # noqa: N801 - reads as a verb: `with guarded("reading a chat completion"):`
    """
    Keep a fault of ours away from the application.

    A class, because a generator-based context manager costs four times as much on every call.

    Args:
        doing: What is being done, for the log line: "reading a chat completion".
    """

    __slots__ = ("_doing",)

    def __init__(self, doing: str) -> None:
        self._doing = doing

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception) or state.strict or _comes_from_a_signal(trace):
            return False
        log.once_a_minute(
            WARNING,
            self._doing,
            f"{self._doing} failed with {type(error).__name__} at {_innermost(trace)}; the application is not affected",
        )
        return True


def _comes_from_a_signal(trace: TracebackType | None) -> bool:
    """
    Whether a signal handler of the application's raised it, in the middle of our work: a time limit, an alarm.

    Nothing is imported for this, which may be the end of the interpreter: who has set a handler has imported `signal`.
    """
    signal = sys.modules.get("signal")
    handler_of, all_signals = getattr(signal, "getsignal", None), getattr(signal, "valid_signals", None)
    if handler_of is None or all_signals is None:  # not imported, or being imported by another thread just now
        return False
    handlers = {getattr(handler_of(each), "__code__", None) for each in all_signals()}
    while trace is not None:
        if trace.tb_frame.f_code in handlers:
            return True
        trace = trace.tb_next
    return False


def _innermost(trace: TracebackType | None) -> str:
    """File and line where an error was raised; its text may quote content and stays out."""
    if trace is None:
        return "an unknown place"
    while trace.tb_next is not None:
        trace = trace.tb_next
    name = trace.tb_frame.f_code.co_filename.rsplit("/", 1)[-1]
    return f"{name}:{trace.tb_lineno}"
