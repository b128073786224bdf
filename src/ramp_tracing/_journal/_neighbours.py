"""What other processes left in the directory: what is still to be sent, what is litter, and what is too much."""

import fcntl
import os
import time
from collections.abc import Callable, Sequence, Set
from math import inf
from typing import Final, NamedTuple

from ._bounds import Bounds
from ._descriptor import Descriptor
from ._directory import FILE_FLAGS, FILE_MODE, SUFFIX, Directory
from ._line import body_in
from ._segment import Segment
from ._segment_files import MARKS_SUFFIX, NEW_SUFFIX, lines_of, lock, read_marks, unlink

LITTER_SECONDS: Final = 60.0
"""A segment is new for some microseconds; after a minute it will never be anything else."""

LOCK_NAME: Final = "lock"


class Adopted(NamedTuple):
    """What was taken over."""

    segments: list[Segment]
    more: bool
    """Whether there is more than was asked for."""


def names_in(directory: int) -> list[str]:
    """The segments of a directory, without suffix, oldest first."""
    return sorted(name.removesuffix(SUFFIX) for name in os.listdir(directory) if name.endswith(SUFFIX))


def adopt(directory: Directory, known: Set[str], *, limit: int) -> Adopted:
    """
    Take over segments whose owner is dead.

    Args:
        directory: Where to look.
        known: Names of those that are held already.
        limit: At most so many.

    Raises:
        OSError: The directory cannot be used.
    """
    segments: list[Segment] = []
    with directory.existing() as opened:
        for name in [] if opened is None else names_in(opened):
            if len(segments) == limit:
                return Adopted(segments, more=True)
            segment = None if opened is None or name in known else take_over(directory, opened, name)
            if segment is not None:
                segments.append(segment)
    return Adopted(segments, more=False)


def take_over(directory: Directory, opened: int, name: str) -> Segment | None:
    """The segment *name* with its lines counted; `None` if its owner lives, or it is gone."""
    descriptor = lock(opened, name + SUFFIX)
    if descriptor is None:
        return None
    marks = read_marks(opened, name, descriptor)
    segment = Segment(directory, name, file=Descriptor(descriptor), marks=marks)
    segment.count()
    return segment


def has_orphans(directory: Directory) -> bool:
    """
    Whether a dead process left records that wait.

    Raises:
        OSError: The directory cannot be used.
    """
    with directory.existing() as opened:
        return opened is not None and any(_is_orphan(opened, name) for name in names_in(opened))


def _is_orphan(opened: int, name: str) -> bool:
    """Whether the owner of a segment is dead, and something waits there: the first record is enough to know."""
    descriptor = lock(opened, name + SUFFIX)
    if descriptor is None:
        return False
    try:
        lines = lines_of(descriptor, read_marks(opened, name, descriptor).settled)
        return any(body_in(line) is not None for _, line in lines)
    finally:
        os.close(descriptor)


def clear_litter(directory: Directory) -> None:
    """
    Delete what processes left that were killed while they made or deleted a segment.

    Raises:
        OSError: The directory cannot be used.
    """
    with directory.existing() as opened:
        if opened is None:
            return
        there = set(os.listdir(opened))
        for name in there:
            stem, suffix = name[:-4], name[-4:]
            orphaned = suffix == NEW_SUFFIX or (suffix == MARKS_SUFFIX and stem + SUFFIX not in there)
            if orphaned and _age_seconds(opened, name) > LITTER_SECONDS:
                unlink(name, opened)


def trim(directory: Directory, bounds: Bounds, drop: Callable[[int, str], bool], *, had_time: bool) -> None:
    """
    Have segments deleted, the oldest first, until the rest is within the bounds.

    One process at a time: several would all see too much, and delete it several times over.

    Args:
        directory: Where they are.
        bounds: On their size and age.
        drop: Deletes the segment of a name, in the directory of a descriptor, if it may.
        had_time: Whether there was time to send what is too old; until then only their size is looked at.

    Raises:
        OSError: The directory cannot be used.
    """
    with directory.existing() as opened:
        oldest = time.time() - bounds.max_age_seconds if had_time else -inf
        if opened is None or not _surplus(_files(opened), bounds, oldest):
            return
        descriptor = os.open(LOCK_NAME, os.O_CREAT | os.O_RDWR | FILE_FLAGS, FILE_MODE, dir_fd=opened)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _trim(opened, bounds, drop, oldest)
        except BlockingIOError:
            pass
        finally:
            os.close(descriptor)


class _File(NamedTuple):
    name: str
    size_bytes: int
    changed: float
    """When the last line was appended, in seconds since 1970."""


def _trim(opened: int, bounds: Bounds, drop: Callable[[int, str], bool], oldest: float) -> None:
    files = _files(opened)
    excess = sum(each.size_bytes for each in files) - bounds.total_bytes
    for each in files:
        if (excess > 0 or each.changed < oldest) and drop(opened, each.name):
            excess -= each.size_bytes


def _surplus(files: Sequence[_File], bounds: Bounds, oldest: float) -> bool:
    return sum(each.size_bytes for each in files) > bounds.total_bytes or any(each.changed < oldest for each in files)


def _files(opened: int) -> list[_File]:
    """The segments, that of which the last line is oldest first."""
    statuses = ((name, _status(opened, name + SUFFIX)) for name in names_in(opened))
    files = [_File(name, status.st_size, status.st_mtime) for name, status in statuses if status is not None]
    return sorted(files, key=lambda file: file.changed)


def _age_seconds(opened: int, name: str) -> float:
    status = _status(opened, name)
    return 0.0 if status is None else time.time() - status.st_mtime


def _status(opened: int, name: str) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=opened, follow_symlinks=False)
    except FileNotFoundError:
        return None
