"""One file of a journal: lines that were appended by one process, and how far they have been settled."""

import fcntl
import os
import secrets
import stat
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from ._directory import FILE_FLAGS, FILE_MODE, Directory
from ._line import MAX_LINE_BYTES, Decoded, body_in, decode

SUFFIX: Final = ".seg"
NEW_SUFFIX: Final = ".new"
MARKS_SUFFIX: Final = ".ack"

CHUNK_BYTES: Final = 1 << 16
"""Some ninety lines: about a batch."""

MARKS_FORMAT: Final = b"%020d %020d\n"
MARKS_BYTES: Final = len(MARKS_FORMAT % (0, 0))


class Marks(NamedTuple):
    """How far a segment is settled, as its neighbour file says: byte offsets."""

    settled: int = 0
    """Everything before is settled."""
    frozen: int = 0
    """What lies between was sent as one batch, at least once."""


class Tally(NamedTuple):
    """The lines of a segment, as far as they have been counted."""

    end: int
    """Byte offset behind the last of them."""
    taken: int = 0
    damaged: int = 0


@dataclass(slots=True, eq=False)
class Place:
    """
    Where a record stands.

    Attributes:
        segment: The file.
        end: Byte offset behind its line.
        settled: Whether it is.
        record: What was read.
    """

    segment: "Segment"
    end: int
    record: Decoded
    settled: bool = False


class Segment:
    """
    An open segment with its lock, which the kernel frees when the last process that has it open is dead.

    Writers use `descriptor` and `writers`. The rest belongs to whoever holds the journal's lock.

    Args:
        directory: Where it is.
        name: Without suffix: ``<milliseconds>-<pid>-<random>``.
        descriptor: Of the file, locked.
        own: Whether this process has written it: then it may have content for it.
    """

    def __init__(self, directory: Directory, name: str, descriptor: int, *, own: bool) -> None:
        self.name: Final = name
        self.own: Final = own
        self.descriptor = descriptor
        self.writers: dict[object, None] = {}
        """Who is writing just now, by tokens: a mapping, because its changes are atomic and a counter's are not."""
        self._directory = directory
        self._marks_descriptor: int | None = None
        self._marks = Marks() if own else self._read_marks()
        self._read_end = self._marks.settled
        self._tally = Tally(self._read_end)
        self._settled = 0
        self._places: deque[Place] = deque()

    @property
    def waiting(self) -> int:
        """Lines that are not settled, as far as they were counted."""
        return self._tally.taken - self._settled

    @property
    def taken(self) -> int:
        """Lines that were not settled when this process came by them, and those written since."""
        return self._tally.taken

    @property
    def settled(self) -> int:
        """Those of them that are settled."""
        return self._settled

    @property
    def damaged(self) -> int:
        """Lines that hold no record any more."""
        return self._tally.damaged

    @property
    def size_bytes(self) -> int:
        """Of the file, as far as it was counted."""
        return self._tally.end

    @property
    def untouched(self) -> bool:
        """Whether nothing is read that is not settled."""
        return not self._places

    def count(self) -> None:
        """Count the lines that were written since the last time."""
        before = self._tally
        end, taken, damaged = before
        for end, line in _lines(self.descriptor, before.end):
            whole = body_in(line) is not None
            taken, damaged = taken + whole, damaged + (not whole)
        # A signal handler may have counted meanwhile, in the middle of this.
        if self._tally is before:
            self._tally = Tally(end, taken, damaged)

    def read(self, limit: int) -> Sequence[Place]:
        """The next *limit* records; fewer at the end of a batch that was frozen by an earlier process."""
        end = self._marks.frozen if self._read_end < self._marks.frozen else self._tally.end
        places: list[Place] = []
        for line_end, line in _lines(self.descriptor, self._read_end):
            if line_end > end or len(places) == limit:
                break
            self._read_end = line_end
            record = decode(line)
            if record is not None:
                places.append(Place(self, line_end, record))
            elif body_in(line) is not None:
                self._settled += 1
        self._places.extend(places)
        return places

    def freeze(self, places: Iterable[Place]) -> None:
        """Note that *places* are one batch."""
        self._mark(self._marks._replace(frozen=max(place.end for place in places)))

    def settle(self, places: Iterable[Place]) -> None:
        """Note that *places* are settled; on disk, as soon as everything before them is."""
        for place in places:
            self._settled += not place.settled
            place.settled = True
        settled = self._marks.settled
        while self._places and self._places[0].settled:
            settled = self._places.popleft().end
        # Behind the last record that was read there may be lines that hold none.
        settled = settled if self._places else self._read_end
        if settled != self._marks.settled:
            self._mark(self._marks._replace(settled=settled))

    def remove(self) -> None:
        """Delete the files, and let go of them."""
        try:
            with self._directory.existing() as directory:
                for suffix in (SUFFIX, MARKS_SUFFIX):
                    _unlink(self.name + suffix, directory)
        finally:
            self.close()

    def close(self) -> None:
        """Let go of the files, and of the lock if no other process has it from us."""
        descriptors, self.descriptor, self._marks_descriptor = (self.descriptor, self._marks_descriptor), -1, None
        for descriptor in descriptors:
            if descriptor is not None and descriptor >= 0:
                os.close(descriptor)

    def __del__(self) -> None:
        self.close()
