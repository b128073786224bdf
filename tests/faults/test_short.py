"""The part of the faults that every test run includes; `python -m tests.faults all` is the whole."""

from dataclasses import replace
from typing import Final

import pytest

from .chaos import chaos
from .exits import exit_seconds_in
from .flushes import FLUSH_SECONDS, flush_in
from .run import Fault, run
from .table import TABLE

NAMES: Final = (
    "a down until exit",
    "d answer lost",
    "g sigterm",
    "g sigkill",
    "h fork_os_exit",
    "h mp_spawn",
    "j 401 for 2 s",
    "k nonstrkey",
    "k 400 for one record",
    "l 413 for each with content",
    "m no_directory",
    "o openai, down, os_exit",
)
"""One or two of each kind."""

SLOW_MACHINE_SECONDS: Final = 6.0
"""The figures hold on a machine that does nothing else; a test run shares its machine."""


@pytest.mark.parametrize("fault", [fault for fault in TABLE if fault.name in NAMES], ids=lambda fault: fault.name)
def test_a_fault_loses_and_doubles_nothing(fault: Fault) -> None:
    """After one restart the receiver, or the directory of dead letters, has each call once, under one id."""
    patient = replace(fault, restart_seconds=60, max_exit_seconds=fault.max_exit_seconds + SLOW_MACHINE_SECONDS)
    assert list(run(patient).reasons) == []


@pytest.mark.timeout(240)
def test_nothing_is_lost_when_all_processes_are_killed_and_half_of_the_answers_are_bad() -> None:
    """Chaos in small: one restart brings what four killed processes left behind."""
    outcome = chaos(5_000, 4, longest_bad_run=3, restart_seconds=60)
    assert (outcome.sent, outcome.lost, list(outcome.reasons)) == (5_000, 0, [])


@pytest.mark.parametrize("state", ["well", "500", "5 refused", "hangs"])
def test_flush_keeps_its_time_and_says_what_is_so(state: str) -> None:
    """True only if all was acknowledged."""
    seconds = 30 if state == "well" else FLUSH_SECONDS
    flushed = flush_in(state, seconds=seconds)
    assert flushed.is_honest
    assert flushed.seconds < seconds + SLOW_MACHINE_SECONDS


@pytest.mark.parametrize(("state", "limit"), [("nothing waits", 0.3), ("drips headers", 2.5)])
def test_the_end_of_the_process_does_not_wait_for_the_receiver(state: str, limit: float) -> None:
    """Whatever the receiver does, the application ends soon."""
    assert exit_seconds_in(state) < limit + SLOW_MACHINE_SECONDS
