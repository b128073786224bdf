"""`flush(1)` while the receiver is in one of eleven states: it keeps its time, and does not say more than it knows."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from . import conducts
from .application import Application
from .conducts import Conduct
from .ledger import Pages
from .program import Program
from .receiver import Phase
from .stage import stage

STATES: Final[Mapping[str, Conduct | None]] = {
    "well": conducts.WELL,
    "302": conducts.REDIRECT,
    "401": conducts.status(401),
    "403": conducts.status(403),
    "500": conducts.status(500),
    "400": conducts.status(400),
    "413": conducts.status(413),
    "503, Retry-After 60": conducts.status(503, Retry_After="60"),
    "5 refused": conducts.partial(5),
    "down": None,
    "hangs": conducts.HANG,
}

FLUSH_SECONDS: Final = 1.0
GRACE_SECONDS: Final = 0.1
PROGRAM: Final = Program(records=50, warm=True, flush_seconds=FLUSH_SECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flushed:
    """
    What became of one call of `flush`.

    Attributes:
        said: What it returned.
        seconds: How long it took.
        taken: How many of the records the receiver has.
        expected: Whether it can return True: the receiver takes everything at once.
    """

    said: bool
    seconds: float
    taken: int
    expected: bool

    @property
    def is_honest(self) -> bool:
        """Whether it said what is so."""
        return self.said == (self.taken == PROGRAM.records) == self.expected

    @property
    def is_in_time(self) -> bool:
        """Whether it kept its time."""
        return self.seconds <= FLUSH_SECONDS + GRACE_SECONDS


def flush_in(state: str, *, seconds: float = FLUSH_SECONDS) -> Flushed:
    """Run an application that makes calls and flushes while the receiver is in *state*."""
    with stage() as scene:
        with Application(scene, replace(PROGRAM, flush_seconds=seconds)) as application:
            scene.receiver.follow([Phase(conduct=STATES[state])])
            application.go()
            application.end()
        [said, took] = next(Pages(scene.ledger).noted("flush"))
        taken = sum(name.startswith("mk.main.") for name in scene.receiver.tally.taken)
        return Flushed(said=said == "True", seconds=float(took), taken=taken, expected=state == "well")
