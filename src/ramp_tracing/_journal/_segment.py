"""One file of a journal: lines that were appended by one process, and how far they have been settled."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from ._descriptor import Descriptor
from ._directory import Directory
from ._line import Decoded, body_in, decode
from ._segment_files import MARKS_SUFFIX, SUFFIX, Marks, lines_of, open_marks, unlink, write_marks


class Tally(NamedTuple):
    """The lines of a segment, as far as they have been counted."""

    end: int
    """Byte offset behind the last of them."""
    whole_end: int
    """Byte offset behind the last that is not damaged."""
    whole: int = 0
    damaged: int = 0


@dataclass(slots=True, eq=False)
class Spot:
    """A line that was read."""

    end: int
    """Byte offset behind it."""
    settled: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """
    Where a record stands. A segment does not hold it, or neither would ever go away.

    Attributes:
        segment: The file.
        spot: The line.
        record: What was read.
        batch: The same for records that may be sent in one request.
    """

    segment: "Segment"
    spot: Spot
    record: Decoded
    batch: object


class Segment:
    """
    An open segment with its lock, which the kernel frees when the last process that has it open is dead.

    Writers use `file` and `writers`. The rest belongs to whoever holds the journal's lock; it raises `OSError` when
    the file cannot be read or written.

    Args:
        directory: Where it is.
        name: Without suffix.
        file: Open and locked.
        marks: How far it is settled; `None` for a segment that this process writes itself.
    """

    def __init__(self, directory: Directory, name: str, *, file: Descriptor, marks: Marks | None = None) -> None:
        self.name: Final = name
        self.file: Final = file
        self.writers: dict[object, None] = {}
        """Who is writing just now, by tokens. A mapping, because its changes are atomic and a counter's are not."""
        self._directory = directory
        self._marks_file: Descriptor | None = None
        self._marks = marks or Marks()
        self._read_end = self._marks.settled
        self._tally = Tally(self._read_end, self._read_end)
        self._settled = self._unknown = 0
        self._spots: deque[Spot] = deque()

    @property
    def waiting(self) -> int:
        """Records that are not settled, as far as they were counted."""
        return self._tally.whole - self._settled - self._unknown

    @property
    def end(self) -> int:
        """Byte offset behind the last of them."""
        return self._tally.whole_end

    @property
    def settled_to(self) -> int:
        """Byte offset before which nothing waits."""
        return self._marks.settled if self._spots else self._read_end

    @property
    def damaged(self) -> int:
        """Lines that hold no record, or none any more."""
        return self._tally.damaged + self._unknown

    @property
    def size_bytes(self) -> int:
        """Of the file, as far as it was counted."""
        return self._tally.end

    @property
    def in_use(self) -> bool:
        """Whether something is read and not settled."""
        return bool(self._spots)

    def count(self) -> None:
        """Count the lines that were written since the last time."""
        before = self._tally
        end, whole_end, whole, damaged = before
        for end, line in lines_of(self.file.number, before.end):
            if body_in(line) is None:
                damaged += 1
            else:
                whole, whole_end = whole + 1, end
        # A signal handler may have counted meanwhile, in the middle of this.
        if self._tally is before:
            self._tally = Tally(end, whole_end, whole, damaged)

    def read(self, limit: int) -> Sequence[Place]:
        """The next *limit* records; fewer at the end of a batch that was frozen by an earlier process."""
        frozen = self._read_end < self._marks.frozen
        end, batch = (self._marks.frozen, object()) if frozen else (self._tally.end, self)
        places: list[Place] = []
        for line_end, line in lines_of(self.file.number, self._read_end):
            if line_end > end or len(places) == limit:
                break
            self._read_end = line_end
            record = decode(line)
            if record is not None:
                places.append(Place(self, Spot(line_end), record, batch))
            elif body_in(line) is not None:
                self._unknown += 1
        self._spots.extend(place.spot for place in places)
        return places

    def freeze(self, places: Iterable[Place]) -> None:
        """Note that *places* are one batch."""
        self._mark(self._marks._replace(frozen=max(place.spot.end for place in places)))

    def settle(self, places: Iterable[Place]) -> None:
        """Note that *places* are settled; on disk, as soon as everything before them is."""
        for place in places:
            self._settled += not place.spot.settled
            place.spot.settled = True
        settled = self._marks.settled
        while self._spots and self._spots[0].settled:
            settled = self._spots.popleft().end
        if not self._spots:
            # Behind the last record that was read there may be lines that hold none.
            settled = self._read_end
        if settled != self._marks.settled:
            self._mark(self._marks._replace(settled=settled))

    def remove(self) -> None:
        """Delete the files, and let go of them."""
        try:
            with self._directory.existing() as directory:
                if directory is not None:
                    unlink(self.name + SUFFIX, directory)
                    unlink(self.name + MARKS_SUFFIX, directory)
        finally:
            self.close()

    def close(self) -> None:
        """Let go of the files, and of the lock if no other process has it from us."""
        self.file.close()
        if self._marks_file is not None:
            self._marks_file.close()

    def _mark(self, marks: Marks) -> None:
        """Write *marks* down. They hold in this process also where that fails."""
        self._marks = marks
        if self._marks_file is None or not self._marks_file.is_intact():
            self._marks_file = Descriptor(open_marks(self._directory, self.name))
        write_marks(self._marks_file.number, marks)
