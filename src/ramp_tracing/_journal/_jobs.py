"""
Notes of paid work that goes on after its call, one small file each, for all processes of a machine.

A note is the line of the job's latest record: of its creation, until somebody has seen its end. So whichever process
sees the end reports it for the one that created the job, nobody reports it a second time, and what nobody has looked
at can be listed. No content: a line has none.
"""

import os
import time
from collections.abc import Iterator
from hashlib import sha256
from typing import Final

from .._record import UNKNOWN_JOB, Generation, GenerationId, JobNote
from ._directory import FILE_FLAGS, Directory, write_whole
from ._line import MAX_LINE_BYTES, decode, encode
from ._segment_files import unlink

SUFFIX: Final = ".job"

MAX_AGE_SECONDS: Final = 30 * 86_400
"""A batch ends within a day, and a response is kept for thirty days: https://platform.openai.com/docs/guides/your-data"""

MAX_NOTES: Final = 10_000
"""Some 10 MB. Over the bound the oldest go, settled or not: they are then settled by whoever asks, for himself."""

SPARE_NOTES: Final = 100
"""Over the bound so many go at once, because finding the oldest is some work."""

MAX_OWN: Final = 1_000
"""Jobs of which this process remembers that it has recorded them itself."""


class Jobs:
    """
    The notes of one destination. Every method raises `OSError` if the directory cannot be used.

    Args:
        directory: For them alone.
        max_notes: How many there may be.
    """

    def __init__(self, directory: Directory, *, max_notes: int = MAX_NOTES) -> None:
        self._directory = directory
        self._max_notes = max_notes
        self._has_grown = False
        self._is_first_look = True
        self._own: dict[str, bool] = {}

    def note(self, generation: Generation) -> None:
        """Note a record of a job, unless it tells of the beginning of what has ended already."""
        with self._directory.opened() as opened:
            before = _read(opened, _name_of(generation.id))
            if before is not None and _supersedes(before, generation):
                return
            self._remember(generation)
            write_whole(opened, _name_of(generation.id), encode(generation).line)
            self._has_grown = self._has_grown or before is None

    def find(self, job: GenerationId) -> JobNote:
        """What is noted of a job."""
        latest = self._latest(job)
        if latest is None:
            return UNKNOWN_JOB
        return JobNote(created=latest) if latest.pending else JobNote(settled=True)

    def overtaken(self, created: Generation, *, in_turn: bool) -> Generation | None:
        """
        The record of the end of a job, if *created*, which tells of its beginning, may have been sent after it.

        The receiver keeps what comes last.

        Args:
            created: What has been sent.
            in_turn: What this process has recorded after it comes after it.
        """
        if in_turn and self._own.get(created.id) is False:
            return None
        latest = self._latest(created.id)
        return latest if latest is not None and _supersedes(latest, created) else None

    def pending(self) -> Iterator[Generation]:
        """The records of those that nobody has seen ended."""
        with self._directory.existing() as opened:
            if opened is None:
                return
            for name in _names_in(opened):
                generation = _read(opened, name)
                if generation is not None and generation.pending:
                    yield generation

    def _latest(self, job: GenerationId) -> Generation | None:
        with self._directory.existing() as opened:
            return None if opened is None else _read(opened, _name_of(job))

    def _remember(self, generation: Generation) -> None:
        """Whether the end of a job is still to come, of those that this process has created."""
        if generation.pending:
            if len(self._own) >= MAX_OWN:
                self._own.pop(next(iter(self._own)), None)
            self._own[generation.id] = True
        elif generation.id in self._own:
            self._own[generation.id] = False

    def make_room(self) -> None:
        """
        Delete the oldest notes, once in a process for their age and whenever there are too many.

        Ten thousand notes take a tenth of a second to look at, so this is not for the application's threads.
        """
        if not self._has_grown:
            return
        self._has_grown = False
        with self._directory.opened() as opened:
            names = _names_in(opened)
            if self._is_first_look or len(names) > self._max_notes:
                self._is_first_look = False
                self._delete_oldest(opened, names)

    def _delete_oldest(self, opened: int, names: list[str]) -> None:
        ages = sorted((_written(opened, name), name) for name in names)
        spare = min(SPARE_NOTES, self._max_notes // 2)
        excess = len(ages) - self._max_notes + spare if len(ages) > self._max_notes else 0
        for at, (written, name) in enumerate(ages):
            if at < excess or written < time.time() - MAX_AGE_SECONDS:
                unlink(name, opened)


def jobs_in(destination: Directory) -> Jobs:
    """The notes in the directory of a destination."""
    return Jobs(destination / "jobs")


def _supersedes(before: Generation, generation: Generation) -> bool:
    """Whether *before* tells of the end of the very job of which *generation* tells the beginning."""
    return generation.pending and not before.pending and before.timing.ended >= generation.timing.started


def _name_of(job: str) -> str:
    """An id may hold anything; its hash is a file name."""
    return sha256(job.encode("utf-8", "surrogatepass")).hexdigest()[:32] + SUFFIX


def _names_in(opened: int) -> list[str]:
    return [name for name in os.listdir(opened) if name.endswith(SUFFIX)]


def _written(opened: int, name: str) -> float:
    """When a note was written, in seconds since 1970; the beginning of time if it is gone."""
    try:
        return os.stat(name, dir_fd=opened, follow_symlinks=False).st_mtime
    except FileNotFoundError:
        return 0.0


def _read(opened: int, name: str) -> Generation | None:
    """The record in a note; `None` if there is none, or none that can be read, or if it is too old to be true."""
    try:
        with open(os.open(name, os.O_RDONLY | os.O_NONBLOCK | FILE_FLAGS, dir_fd=opened), "rb") as file:
            if os.fstat(file.fileno()).st_mtime < time.time() - MAX_AGE_SECONDS:
                return None
            line = file.read(MAX_LINE_BYTES + 1)
    except FileNotFoundError:
        return None
    decoded = decode(line.rstrip(b"\n"))
    return None if decoded is None else decoded.generation
