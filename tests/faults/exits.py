"""How long the end of a process takes, whatever the receiver does."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from . import conducts
from .application import Application
from .conducts import Conduct
from .program import Program
from .receiver import Phase
from .stage import stage

WITH_RECORDS: Final = Program(records=100, warm=True)
WITH_NOTHING: Final = replace(WITH_RECORDS, flush_seconds=10)

IDLE_SECONDS: Final = 0.3
BUSY_SECONDS: Final = 2.5


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """
    One row.

    Attributes:
        conduct: What the receiver does; `None` if it is down.
        program: What the application does before it ends.
        max_seconds: How long its end may take.
    """

    conduct: Conduct | None
    program: Program = WITH_RECORDS
    max_seconds: float = BUSY_SECONDS


STATES: Final[Mapping[str, State]] = {
    "nothing was recorded": State(conduct=conducts.WELL, program=Program(records=0), max_seconds=IDLE_SECONDS),
    "nothing waits": State(conduct=conducts.WELL, program=WITH_NOTHING, max_seconds=IDLE_SECONDS),
    "well": State(conduct=conducts.WELL),
    "down": State(conduct=None),
    "401": State(conduct=conducts.status(401)),
    "503, Retry-After 60": State(conduct=conducts.status(503, Retry_After="60")),
    "hangs": State(conduct=conducts.HANG),
    "drips headers": State(conduct=conducts.DRIP_HEADERS),
    "drips a body": State(conduct=conducts.DRIP_BODY),
    "answers 400 MB": State(conduct=conducts.HUGE),
    "answers with a gzip bomb": State(conduct=conducts.gzip_bomb),
    "answers garbage": State(conduct=conducts.GARBAGE),
}


def exit_seconds_in(name: str) -> float:
    """Run an application that ends while the receiver is in this state; seconds from its last statement."""
    state = STATES[name]
    with stage() as scene, Application(scene, state.program) as application:
        scene.receiver.follow([Phase(conduct=state.conduct)])
        application.go()
        seconds = application.end().exit_seconds
        assert seconds is not None, "it did not come to its last statement"
        return seconds
