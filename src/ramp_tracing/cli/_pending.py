"""Jobs whose end no process of this machine has seen."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.table import Table

from .._journal import pending_jobs, spools_in, state_directories
from .._record import Generation
from ._console import plain

MAX_SHOWN: Final = 20
"""Rows of the table; JSON has all of them."""

AGES: Final = ((86_400, "d"), (3_600, "h"), (60, "min"))


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingJob:
    """
    A job as it is shown.

    Attributes:
        id: The provider's.
        operation: ``batch``, ``video_generation``; a background response is a ``chat``.
        model: That was asked for, or that answers.
        age_seconds: Since it was created.
    """

    id: str
    operation: str
    model: str | None
    age_seconds: int


def jobs_of(state_dir: str | None) -> tuple[PendingJob, ...]:
    """
    The pending jobs of all destinations, oldest first; none where nothing can be read.

    Args:
        state_dir: The directory that the user asked for.
    """
    try:
        found = [job for place in state_directories(state_dir) if place.is_dir() for job in _in(place)]
    except OSError:
        return ()
    return tuple(map(_shown, sorted(found, key=lambda job: job.timing.started)))


def table_of(jobs: Sequence[PendingJob]) -> Table:
    """The oldest of them, for people."""
    more = f" (the oldest {MAX_SHOWN} of {len(jobs)})" if len(jobs) > MAX_SHOWN else ""
    table = Table(title=f"Jobs that nobody has seen ended{more}", title_justify="left")
    for heading in ("id", "operation", "model", "age"):
        table.add_column(heading, overflow="fold")
    for job in jobs[:MAX_SHOWN]:
        table.add_row(plain(job.id), job.operation, plain(job.model or "-"), _age(job.age_seconds))
    return table


def _in(place: Path) -> Sequence[Generation]:
    return [job for directory in spools_in(place) for job in pending_jobs(directory)]


def _shown(job: Generation) -> PendingJob:
    age = max(0, (time.time_ns() - job.timing.started) // 10**9)
    return PendingJob(
        id=job.id, operation=job.operation, model=job.response_model or job.request_model, age_seconds=age
    )


def _age(seconds: int) -> str:
    return next((f"{seconds // unit} {name}" for unit, name in AGES if seconds >= unit), f"{seconds} s")
