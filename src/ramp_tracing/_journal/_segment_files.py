"""
How a segment lies on the disk: ``<milliseconds>-<pid>-<random>.seg``, and beside it ``.ack`` with how far it is
settled.

It is called ``.new`` until it is locked, so nobody can take one over whose owner is about to lock it.
"""

import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Final, NamedTuple

from ._directory import FILE_FLAGS, FILE_MODE, SUFFIX, Directory
from ._line import MAX_LINE_BYTES

NEW_SUFFIX: Final = ".new"
MARKS_SUFFIX: Final = ".ack"

CHUNK_BYTES: Final = 1 << 16
"""Some ninety lines: about a batch."""

MARKS_FORMAT: Final = b"%020d %020d\n"
MARKS_BYTES: Final = len(MARKS_FORMAT % (0, 0))


class Marks(NamedTuple):
    """How far a segment is settled, in bytes."""

    settled: int = 0
    """Everything before is."""
    frozen: int = 0
    """What lies between was sent as one batch, at least once."""


def new_name() -> str:
    """A name for a segment of this process; names sort by age."""
    return f"{time.time_ns() // 1_000_000:013d}-{os.getpid()}-{os.urandom(4).hex()}"


def owner_of(name: str) -> int | None:
    """The id of the process that made a segment; `None` if it has no such name."""
    _, _, rest = name.partition("-")
    pid = rest.partition("-")[0]
    return int(pid) if pid.isdecimal() else None


def create(directory: int, name: str) -> int:
    """
    Make a segment.

    Returns:
        Its descriptor, locked.

    Raises:
        OSError: The disk does not take it.
    """
    flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_APPEND | FILE_FLAGS
    descriptor = _above_standard(os.open(name + NEW_SUFFIX, flags, FILE_MODE, dir_fd=directory))
    try:
        os.fchmod(descriptor, FILE_MODE)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.rename(name + NEW_SUFFIX, name + SUFFIX, src_dir_fd=directory, dst_dir_fd=directory)
    except BaseException:
        unlink(name + NEW_SUFFIX, directory)
        os.close(descriptor)
        raise
    return descriptor


def lock(directory: int, file_name: str) -> int | None:
    """
    Take over a file whose owner is dead.

    Returns:
        Its descriptor, locked; `None` if its owner lives, or it is gone, or no file at all.
    """
    try:
        descriptor = os.open(file_name, os.O_RDWR | os.O_APPEND | os.O_NONBLOCK | FILE_FLAGS, dir_fd=directory)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Whoever had the lock before may have finished and deleted it; a lock on what is deleted is worth nothing.
        if _is_still_there(descriptor, directory, file_name):
            return descriptor
    except OSError:
        pass
    os.close(descriptor)
    return None


def unlink(file_name: str, directory: int) -> None:
    """Delete a file, if it is there."""
    with suppress(FileNotFoundError):
        os.unlink(file_name, dir_fd=directory)


def lines_of(descriptor: int, start: int) -> Iterator[tuple[int, bytes]]:
    r"""
    The complete lines of a segment.

    Args:
        descriptor: Of the segment.
        start: Byte offset of the first line.

    Yields:
        The byte offset behind each line, and the line without its ``\n``; of a longer one than there can be, its end.
    """
    position, rest = start, b""
    while chunk := os.pread(descriptor, CHUNK_BYTES, position):
        position += len(chunk)
        chunk = rest + chunk
        before, start = position - len(chunk), 0
        while (end := chunk.find(b"\n", start)) >= 0:  # `split` looks at each byte by itself, ten times as long
            yield before + end + 1, chunk[max(start, end - MAX_LINE_BYTES) : end]
            start = end + 1
        rest = chunk[max(start, len(chunk) - MAX_LINE_BYTES) :]


def read_marks(directory: int, name: str, descriptor: int) -> Marks:
    """How far the segment *descriptor* is settled; not at all, where that cannot be true or cannot be read."""
    try:
        opened = os.open(name + MARKS_SUFFIX, os.O_RDONLY | os.O_NONBLOCK | FILE_FLAGS, dir_fd=directory)
    except OSError:
        return Marks()
    try:
        marks = Marks(*map(int, os.pread(opened, MARKS_BYTES, 0).split()))
        return Marks(*(mark if _is_line_end(descriptor, mark) else 0 for mark in marks))
    except (ValueError, TypeError, OSError):
        return Marks()
    finally:
        os.close(opened)


def open_marks(directory: Directory, name: str) -> int:
    """
    The file beside a segment, which is made if it is not there.

    Raises:
        OSError: The disk does not take it.
    """
    with directory.opened() as opened:
        descriptor = os.open(name + MARKS_SUFFIX, os.O_CREAT | os.O_WRONLY | FILE_FLAGS, FILE_MODE, dir_fd=opened)
    os.fchmod(descriptor, FILE_MODE)
    return descriptor


def write_marks(descriptor: int, marks: Marks) -> None:
    """
    Write down how far a segment is settled, in one piece.

    Raises:
        OSError: The disk does not take it.
    """
    os.pwrite(descriptor, MARKS_FORMAT % marks, 0)


def _above_standard(descriptor: int) -> int:
    """
    *descriptor* with a number above 2.

    A process without standard output would give its number to the next file, which somebody then prints to.
    """
    if descriptor > 2:
        return descriptor
    try:
        return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 3)
    finally:
        os.close(descriptor)


def _is_still_there(descriptor: int, directory: int, file_name: str) -> bool:
    locked = os.fstat(descriptor)
    return (
        stat.S_ISREG(locked.st_mode)
        and locked.st_uid == os.geteuid()
        and os.path.samestat(locked, os.stat(file_name, dir_fd=directory, follow_symlinks=False))
    )


def _is_line_end(descriptor: int, offset: int) -> bool:
    return offset == 0 or os.pread(descriptor, 1, offset - 1) == b"\n"
