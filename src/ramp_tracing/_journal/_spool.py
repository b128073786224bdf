"""
Looking into journals, and tidying up, without sending anything. Safe while other processes use them.

Every function raises `OSError` if a directory cannot be read, or others could write to it.
"""

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from .._dataclass import dataclass
from .._record import Generation, UnixNanos
from ._descriptor import Descriptor
from ._directory import FILE_FLAGS, SUFFIX, Directory
from ._jobs import jobs_in
from ._letters import Letter, Letters
from ._line import Tie, body_in, decode, line_of, tie_in
from ._neighbours import names_in, take_over
from ._owners import has_owner
from ._place import DESTINATION_FILE
from ._segment import Segment
from ._segment_files import create, lines_of, new_name, owner_of, read_marks

MAX_ADDRESS_BYTES: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentStatus:
    """
    One file.

    Attributes:
        name: Without suffix.
        pid: The process that made it.
        alive: Whether a process writes or sends it now; else whoever starts next for this destination will send it.
        waiting: Its records that are not acknowledged.
        size_bytes: Of the file.
        oldest: When the oldest call that waits was started; `None` if none waits.
    """

    name: str
    pid: int | None
    alive: bool
    waiting: int
    size_bytes: int
    oldest: UnixNanos | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolStatus:
    """
    The journal of one destination: what all processes have on disk together.

    Attributes:
        directory: Where it is.
        address: Where its records go, without key and query; empty if nobody noted it.
        waiting: Records that are not acknowledged.
        dead: Dead letters of records that were refused for certain.
        doubtful: Dead letters of records of which some were refused.
        size_bytes: Of the segments.
        oldest: When the oldest call that waits was started; `None` if none waits.
        segments: The files, oldest first.
    """

    directory: Path
    address: str
    waiting: int
    dead: int
    doubtful: int
    size_bytes: int
    oldest: UnixNanos | None
    segments: Sequence[SegmentStatus]


def spools_in(state_directory: Path) -> Sequence[Path]:
    """The directories of all destinations below *state_directory*."""
    base = Directory(state_directory)
    with base.existing() as opened:
        names = [] if opened is None else sorted(os.listdir(opened))
        return [base.path / name for name in names if (base.path / name).is_dir()]


def spool_of(directory: Path) -> SpoolStatus:
    """What is in the directory of one destination; nothing, if it is not there."""
    where = _directory(directory)
    segments, address = [], ""
    with where.existing() as opened:
        if opened is not None:
            found = (_status_of(opened, name) for name in names_in(opened))
            segments = [status for status in found if status is not None]
            address = _address_in(opened)
    letters = dead_letters(directory)
    return SpoolStatus(
        directory=directory,
        address=address,
        waiting=sum(each.waiting for each in segments),
        dead=sum(letter.certain for letter in letters),
        doubtful=sum(not letter.certain for letter in letters),
        size_bytes=sum(each.size_bytes for each in segments),
        oldest=min((each.oldest for each in segments if each.oldest is not None), default=None),
        segments=segments,
    )


def pending_jobs(directory: Path) -> Sequence[Generation]:
    """The records of the jobs of one destination of which no process has seen the end, oldest first."""
    return sorted(jobs_in(_directory(directory)).pending(), key=lambda job: job.timing.started)


def dead_letters(directory: Path) -> Sequence[Letter]:
    """The dead letters of one destination, oldest first."""
    return list(_letters(directory).read())


def records_in(directory: Path) -> Sequence[Generation]:
    """Every record of one destination that is still on disk: waiting, acknowledged and not tidied up yet, or dead."""
    records = [letter.generation for letter in dead_letters(directory) if letter.generation is not None]
    with _directory(directory).existing() as opened:
        for name in [] if opened is None else names_in(opened):
            records.extend(_records_of(opened, name))
    return records


def _records_of(opened: int | None, name: str) -> Iterator[Generation]:
    """Nothing if the segment is gone by now."""
    try:
        descriptor = os.open(name + SUFFIX, os.O_RDONLY | os.O_NONBLOCK | FILE_FLAGS, dir_fd=opened)
    except FileNotFoundError:
        return
    try:
        for _, line in lines_of(descriptor, 0):
            if (record := decode(line)) is not None:
                yield record.generation
    finally:
        os.close(descriptor)


def replay(directory: Path, files: Collection[str] | None = None) -> int:
    """
    Let dead letters be sent again, with the same ids.

    A process that sends to this destination takes them over within seconds, else the next one that starts.

    Args:
        directory: Of the destination.
        files: Names of their files; all if left out.

    Returns:
        How many there are. What cannot be read, or was made too long by hand, stays where it is.
    """
    letters = [letter for letter in dead_letters(directory) if files is None or letter.file in files]
    lines = {letter.file: line for letter in letters if letter.generation and (line := line_of(letter.record))}
    if not lines:
        return 0
    _write_segment(_directory(directory), lines.values())
    for letter in letters:
        if letter.file in lines:
            _letters(directory).remove(letter)
    return len(lines)


def purge(directory: Path, *, waiting: bool = False) -> int:
    """
    Delete dead letters.

    Args:
        directory: Of the destination.
        waiting: Also delete what waits, except what living processes are about to send.

    Returns:
        How many records that were.
    """
    letters = dead_letters(directory)
    for letter in letters:
        _letters(directory).remove(letter)
    return len(letters) + (_purge_waiting(_directory(directory)) if waiting else 0)


def _purge_waiting(directory: Directory) -> int:
    purged = 0
    with directory.existing() as opened:
        for name in [] if opened is None else names_in(opened):
            segment = None if opened is None else take_over(directory, opened, name)
            if segment is not None:
                purged += segment.waiting
                segment.remove()
    return purged


def _write_segment(directory: Directory, lines: Iterable[bytes]) -> None:
    """A segment of a process that will be seen to be dead as soon as this returns."""
    name = new_name()
    with directory.opened() as opened:
        segment = Segment(directory, name, file=Descriptor(create(opened, name)))
    try:
        text = b"".join(lines)
        if os.write(segment.file.number, text) < len(text):
            raise OSError(None, "no space is left")
    except OSError:
        segment.remove()
        raise
    segment.close()


def _status_of(opened: int, name: str) -> SegmentStatus | None:
    """`None` if the segment is gone by now."""
    try:
        alive = has_owner(opened, name + SUFFIX)
        descriptor = os.open(name + SUFFIX, os.O_RDONLY | os.O_NONBLOCK | FILE_FLAGS, dir_fd=opened)
    except FileNotFoundError:
        return None
    try:
        waiting, oldest = _waiting_in(opened, name, descriptor)
        size = os.fstat(descriptor).st_size
    finally:
        os.close(descriptor)
    return SegmentStatus(name=name, pid=owner_of(name), alive=alive, waiting=waiting, size_bytes=size, oldest=oldest)


def _waiting_in(opened: int, name: str, descriptor: int) -> tuple[int, UnixNanos | None]:
    waiting, oldest, provisional = 0, None, set[str]()
    for _, line in lines_of(descriptor, read_marks(opened, name, descriptor).settled):
        if (body := body_in(line)) is not None:
            waiting += _counts(tie_in(body), provisional)
            if oldest is None and (record := decode(line)) is not None:
                oldest = record.generation.timing.started
    return waiting, oldest


def _counts(tie: Tie | None, provisional: set[str]) -> bool:
    """Whether a line is a record by itself, and does not replace one of those that are *provisional*."""
    if tie is not None and tie.role == "held":
        provisional.add(tie.token)
    return tie is None or tie.role == "held" or tie.token not in provisional


def _address_in(opened: int) -> str:
    try:
        with open(os.open(DESTINATION_FILE, os.O_RDONLY | os.O_NONBLOCK | FILE_FLAGS, dir_fd=opened), "rb") as file:
            return file.read(MAX_ADDRESS_BYTES).decode(errors="replace").strip()
    except OSError:
        return ""


def _directory(path: Path) -> Directory:
    return Directory(path.parent, path.name)


def _letters(directory: Path) -> Letters:
    return Letters(_directory(directory) / "dead")
