"""Many processes at once, all killed, and a receiver whose answers are bad half of the time."""

from contextlib import ExitStack
from typing import Final

from .application import Application
from .conducts import WELL, Conduct, half_bad
from .program import Ending, Program
from .receiver import Phase
from .run import restart
from .stage import Stage, stage
from .table import BURST, killed_with
from .verdict import Allowance, Outcome, outcome_of

RUN_SECONDS: Final = 8
"""How long each process records: some of it is sent before the end, some is on its way, most is waiting."""

SEED: Final = 20_250_601
"""The receiver's moods are the same each time; in which order they meet the processes is not."""


def chaos(records: int, processes: int, *, longest_bad_run: int, restart_seconds: float) -> Outcome:
    """
    Kill all processes with SIGKILL as soon as each has made its calls, with bad answers before and after; restart once.

    Args:
        records: In total.
        processes: At the same time.
        longest_bad_run: So many bad answers in a row and no more, so that no backoff takes minutes.
        restart_seconds: How long the restarted application may take.
    """
    each = records // processes
    programs = [
        Program(label=f"p{number}", records=each, per_second=each / RUN_SECONDS, ending="sigkill", options=BURST)
        for number in range(processes)
    ]
    with stage() as scene:
        _run_together(scene, programs, half_bad(seed=SEED, longest_run=longest_bad_run))
        ended = restart(scene, BURST, seconds=restart_seconds)
        return outcome_of(scene, Allowance(repeats=None, regroups=True), exit_seconds=ended.exit_seconds)


def spared(processes: int, ending: Ending, *, at_a_time: int = 8) -> Outcome:
    """
    The receiver is well: a killed process may have one batch on its way, another one has nothing to send again.

    Args:
        processes: In total.
        ending: How they end.
        at_a_time: As many run together.
    """
    programs = [Program(label=f"p{number}", records=500, per_second=200, ending=ending) for number in range(processes)]
    allowance = killed_with(processes if ending == "sigkill" else 0)
    with stage() as scene:
        for first in range(0, processes, at_a_time):
            _run_together(scene, programs[first : first + at_a_time], WELL)
        ended = restart(scene, {}, seconds=20)
        return outcome_of(scene, allowance, exit_seconds=ended.exit_seconds)


def _run_together(scene: Stage, programs: list[Program], conduct: Conduct) -> None:
    """Start all, let them go when the last is ready, and wait for the end of each."""
    scene.receiver.follow([Phase(conduct=conduct)])
    with ExitStack() as running:
        # Made first, entered then: entering waits until one is ready.
        applications = [Application(scene, program) for program in programs]
        for application in applications:
            running.enter_context(application)
        for application in applications:
            application.go()
        for application in applications:
            application.end()
