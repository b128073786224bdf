"""The way from the application's threads to the disk: no lock, no fsync, one write(2)."""

import errno
import os
import time
from collections.abc import Callable
from typing import Final

from ._descriptor import Descriptor
from ._directory import Directory
from ._disk_speed import SLOW_SECONDS, DiskSpeed
from ._segment import Segment
from ._segment_files import create, new_name
from ._syscall import write_keeping_gil

RETRY_SECONDS: Final = 5.0
"""How long a disk is left alone that refused a line."""


class Writer:
    """
    Appends lines to the segment of this process, which is opened at the first of them.

    Any thread may write at any time. Whoever wants to be rid of a segment (it is long enough, its disk is full, its
    file was deleted) puts another in its place, or none; it is of no further use once nobody is in its `writers`.

    Args:
        directory: Where segments are.
        opened: Told of each new segment before anything is written to it.
    """

    def __init__(self, directory: Directory, opened: Callable[[Segment], None]) -> None:
        self._directory = directory
        self._opened = opened
        self._write = write_keeping_gil()
        self._retry_at = 0.0
        self.current: Segment | None = None
        self.failure: str | None = None
        """Why the disk refused the last line; `None` while it takes them."""
        self.speed: Final = DiskSpeed()

    def append(self, line: bytes, *, in_turn: bool = False) -> bool:
        """
        Write *line* before returning.

        Args:
            line: At most a page.
            in_turn: Let other threads run meanwhile, however long it takes.

        Returns:
            False if the disk refused it, or is left alone because it refused another just now.
        """
        token, segment = object(), self.current
        if segment is not None:
            segment.writers[token] = None
        if segment is None or segment is not self.current:  # else what `_entered` does is done
            if segment is not None:
                segment.writers.pop(token, None)
            segment = self._entered(token)
            if segment is None:
                return False
        try:
            return self.append_to(segment, line, in_turn=in_turn)
        finally:
            segment.writers.pop(token, None)

    def hold(self, line: bytes, token: object) -> Segment | None:
        """Write *line* to a segment that stays until *token* is taken from its writers; `None` if that fails."""
        segment = self._entered(token)
        if segment is None or self.append_to(segment, line):
            return segment
        segment.writers.pop(token, None)
        return None

    def append_to(self, segment: Segment, line: bytes, *, in_turn: bool = False) -> bool:
        """
        Write *line* to *segment*, of which the caller is among the writers; as `append`.

        Args:
            segment: Where to.
            line: At most a page.
            in_turn: Let other threads run meanwhile, however long it takes.
        """
        try:
            if not segment.file.is_marked():  # a daemon closed every file it found; the number may be another's now
                raise OSError(errno.EBADF, os.strerror(errno.EBADF))
            began, speed = time.monotonic(), self.speed
            waits = speed.waits() if began < speed.watched_until else None
            written = (os.write if in_turn else self._write)(segment.file.number, line)
            if time.monotonic() - began >= SLOW_SECONDS:
                speed.was_slow(began, waits)
            if written == len(line):
                self.failure = None
                return True
            refusal = os.strerror(errno.ENOSPC)
        except OSError as error:
            refusal = _reason(error)
        self._note(refusal)
        # What was written of the line stays there, and is no line.
        self.leave(segment)
        return False

    def roll(self) -> None:
        """Go on in a new segment."""
        token = object()
        segment = self._open(token)
        if segment is not None:
            segment.writers.pop(token, None)

    def retry(self) -> None:
        """Try the disk again now."""
        self._retry_at = 0.0

    def leave(self, segment: Segment) -> None:
        """Write no more to *segment*."""
        if self.current is segment:
            self.current = None

    def _entered(self, token: object) -> Segment | None:
        """The segment to write to, with *token* among its writers: so nobody takes it away meanwhile."""
        while (segment := self.current) is not None:
            segment.writers[token] = None
            # Whoever replaces it does that first, and looks for writers afterwards: one of us sees the other.
            if segment is self.current:
                return segment
            segment.writers.pop(token, None)
        return None if time.monotonic() < self._retry_at else self._open(token)

    def _open(self, token: object) -> Segment | None:
        """A new segment, with *token* among its writers. Two threads may open one each; the later is used further."""
        name = new_name()
        try:
            with self._directory.opened() as directory:
                segment = Segment(self._directory, name, file=Descriptor(create(directory, name), marked=True))
        except OSError as error:
            self._note(_reason(error))
            return None
        segment.writers[token] = None
        self._opened(segment)
        self.current = segment
        return segment

    def _note(self, refusal: str) -> None:
        self.failure = refusal
        self._retry_at = time.monotonic() + RETRY_SECONDS


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
