"""Running a row: an application against a receiver, then one restart with nothing to say."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .application import Application, Ended
from .conducts import WELL, Conduct
from .program import EXIT_STATUS, Program
from .receiver import Phase
from .stage import Stage, stage, wait_until
from .troubles import TROUBLES
from .verdict import NOTHING_AGAIN, Allowance, Outcome, outcome_of

MIN_RESTART_SECONDS: Final = 1.0
"""Long enough to find what is there; what was found is sent at the exit at the latest, and doubles would show."""

QUIET_SECONDS: Final = 90.0
"""Nobody pauses for so long between two tries: who has something to send has sent it by then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """
    One row of the table.

    Attributes:
        name: Its name.
        program: The application.
        script: What the receiver does, from the moment when the application goes.
        afterwards: What it does from the moment when the application has ended.
        kill_after_seconds: Kill the application from outside after so long.
        allowance: What the receiver may be sent again.
        restart_seconds: How long the restarted application may take.
        max_exit_seconds: How long the end of the application may take.
    """

    name: str
    program: Program
    script: Sequence[Phase] = (Phase(conduct=WELL),)
    afterwards: Conduct = WELL
    kill_after_seconds: float | None = None
    allowance: Allowance = NOTHING_AGAIN
    restart_seconds: float = 12.0
    max_exit_seconds: float = 4.0

    @property
    def may_run(self) -> bool:
        """Whether what it needs can be had here."""
        return TROUBLES[self.program.trouble].may_run()


def run(fault: Fault) -> Outcome:
    """Run one row."""
    with stage(fault.program.trouble) as scene:
        ended = _run_program(scene, fault)
        scene.receiver.follow([Phase(conduct=fault.afterwards)])
        TROUBLES[fault.program.trouble].repair(scene.state)
        restarted = restart(scene, fault.program.options, seconds=fault.restart_seconds)
        return outcome_of(
            scene,
            fault.allowance,
            exit_seconds=ended.exit_seconds,
            reasons=[*_wrong_end(ended, fault), *_wrong_restart(restarted)],
        )


def restart(scene: Stage, options: Mapping[str, Any], *, seconds: float) -> Ended:
    """
    Start the application once more, without calls, until everything has arrived.

    Args:
        scene: Where it ran before.
        options: Those that it had.
        seconds: It is given so long at most, and less where nothing comes any more.
    """
    wanted = scene.returned()
    idle = Program(records=0, lingers=True, options=options)
    with Application(scene, idle, max_seconds=seconds + 60) as application:
        application.go()
        time.sleep(MIN_RESTART_SECONDS)
        wait_until(
            lambda: wanted <= scene.receiver.tally.taken | scene.dead() or scene.receiver.idle_seconds > QUIET_SECONDS,
            seconds=seconds,
        )
        return application.end()


def _run_program(scene: Stage, fault: Fault) -> Ended:
    with Application(scene, fault.program) as application:
        scene.receiver.follow(fault.script)
        application.go()
        if fault.kill_after_seconds is not None:
            time.sleep(fault.kill_after_seconds)
            application.kill()
        return application.end()


def _wrong_end(ended: Ended, fault: Fault) -> Sequence[str]:
    expected = EXIT_STATUS.get(fault.program.ending, 0)
    slow = ended.exit_seconds is not None and ended.exit_seconds > fault.max_exit_seconds
    return [
        *([f"it ended with {ended.status}, not {expected}"] if ended.status != expected else []),
        *([f"its end took {ended.exit_seconds:.1f} s"] if slow else []),
    ]


def _wrong_restart(ended: Ended) -> Sequence[str]:
    return [f"the restarted application ended with {ended.status}"] if ended.status else []
