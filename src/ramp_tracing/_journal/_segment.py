"""One file of a journal: lines that were appended by one process, and how far they have been settled."""

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from types import MappingProxyType
from typing import Final, NamedTuple

from .._record import Generation
from ._descriptor import Descriptor
from ._directory import SUFFIX, Directory
from ._line import Checked, Decoded, Tie, check, decode_checked, decode_own, tie_in
from ._segment_files import MARKS_SUFFIX, Marks, lines_of, open_marks, unlink, write_marks

NOBODY_TIED: Final[Mapping[str, int]] = MappingProxyType({})


MAX_AHEAD: Final = 500
"""Lines: a large batch, of some 400 kB. Behind a longer queue they are read from the file once more."""

Line = tuple[int, Checked | None]
"""The byte offset behind a line, and what is in it; `None` if it is damaged."""


class Tally(NamedTuple):
    """The records of a segment, as far as its lines have been counted. A provisional and its final one are one."""

    end: int
    """Byte offset behind the last of them."""
    whole_end: int
    """Byte offset behind the last that is not damaged."""
    whole: int = 0
    damaged: int = 0
    held: Mapping[str, int] = NOBODY_TIED
    """Provisional records without a final one: where their lines end, by what ties them."""
    final: Mapping[str, int] = NOBODY_TIED
    """The same of final ones that were not read yet."""
    ahead: tuple[Line, ...] = ()
    """Its own last lines as they were checked, to be read without being checked again."""
    ahead_from: int = 0
    """Byte offset behind the line before those."""


class Spot:
    """
    A line that was read.

    Args:
        end: Byte offset behind it.
        held: Whether it is provisional, and may not be sent by this process.
    """

    __slots__ = ("end", "held", "settled")

    def __init__(self, end: int, *, held: bool = False) -> None:
        self.end = end
        self.held = held
        self.settled = False


class Place:
    """
    Where a record stands. A segment does not hold it, or neither would ever go away.

    Args:
        segment: The file.
        spot: The line.
        record: What was read.
        batch: The same for records that may be sent in one request.
    """

    __slots__ = ("batch", "record", "segment", "spot")

    def __init__(self, segment: "Segment", spot: Spot, record: Decoded, batch: object) -> None:
        self.segment = segment
        self.spot = spot
        self.record = record
        self.batch = batch


class Segment:
    """
    An open segment with its lock, which the kernel frees when the last process that has it open is dead.

    Writers use `file` and `writers`. The rest belongs to whoever holds the journal's lock; it raises `OSError` when
    the file cannot be read or written.

    Args:
        directory: Where it is.
        name: Without suffix.
        file: Open and locked.
        marks: How far it is settled; `None` for a segment that this process writes itself. Provisional records are
            sent only from segments of others, who are dead.
    """

    def __init__(self, directory: Directory, name: str, *, file: Descriptor, marks: Marks | None = None) -> None:
        self.name: Final = name
        self.file: Final = file
        self.writers: dict[object, None] = {}
        """Who is writing just now, by tokens. A mapping, because its changes are atomic and a counter's are not."""
        self._directory = directory
        self._marks_file: Descriptor | None = None
        self._marks = marks or Marks()
        self._is_own = marks is None
        self._read_end = self._marks.settled
        self._tally = Tally(self._read_end, self._read_end, ahead_from=self._read_end)
        self._settled = self._unknown = 0
        self._spots: deque[Spot] = deque()
        self._provisional: dict[str, tuple[Spot, Decoded]] = {}  # no places: they hold the segment
        self._spoken: dict[str, Generation] = {}

    @property
    def held(self) -> int:
        """How many of those that wait are provisional, and stay where they are."""
        return len(self._tally.held) - len(self._spoken) if self._is_own else 0

    @property
    def waiting(self) -> int:
        """Records that are not settled, as far as they were counted."""
        return self._tally.whole - self._settled - self._unknown

    @property
    def end(self) -> int:
        """Byte offset behind the last of them."""
        return self._tally.whole_end

    def is_settled_to(self, end: int) -> bool:
        """Whether nothing waits before the byte offset *end*, except what is held."""
        return self._read_end >= end and all(spot.settled or spot.held or spot.end > end for spot in self._spots)

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
        lines = lines_of(self.file.number, before.end)
        first = next(lines, None)
        if first is None:  # nearly always
            return
        end, whole_end, whole, damaged, *_ = before
        held, final = dict(before.held), {tie: at for tie, at in before.final.items() if at > self._read_end}
        ahead, ahead_from = list(_behind(self._read_end, before.ahead)), before.ahead_from
        for end, line in chain((first,), lines):
            checked = check(line)
            if checked is None:
                damaged += 1
            else:
                tie = tie_in(checked[0])
                whole, whole_end = whole + (1 if tie is None else _tied(tie, end, held, final)), end
            ahead.append((end, checked))
            if len(ahead) > MAX_AHEAD or not self._is_own:
                ahead, ahead_from = [], end
        # A signal handler may have counted meanwhile, in the middle of this.
        if self._tally is before and end > before.end:
            self._tally = Tally(end, whole_end, whole, damaged, held, final, tuple(ahead), ahead_from)

    def read(self, limit: int) -> Sequence[Place]:
        """
        The next *limit* records; fewer at the end of a batch that was frozen by an earlier process.

        Provisional ones come at the end, if at all: they were part of no batch.
        """
        return self._read_lines(limit) or self._read_provisional(limit)

    def speak(self, token: str, final: Generation) -> None:
        """Let the provisional record of *token* be sent as *final*, for which the disk has no room."""
        self._spoken[token] = final

    def _read_lines(self, limit: int) -> Sequence[Place]:
        frozen = self._read_end < self._marks.frozen
        end, batch = (self._marks.frozen, object()) if frozen else (self._tally.end, self)
        places: list[Place] = []
        decode = decode_own if self._is_own else decode_checked
        for line_end, checked in self._unread_lines():
            if line_end > end or len(places) == limit:
                break
            self._read_end = line_end
            record = None if checked is None else decode(checked)
            if record is None:
                self._unknown += checked is not None
            elif record.tie is None or self._goes_on(record.tie, record, line_end):
                spot = Spot(line_end)
                self._spots.append(spot)
                places.append(Place(self, spot, record, batch))
        return places

    def _unread_lines(self) -> Iterable[Line]:
        """The lines that were not read yet; those that were counted just now need not be looked for on the disk."""
        done, tally = self._read_end, self._tally
        if done >= tally.ahead_from:
            return _behind(done, tally.ahead)
        return ((end, check(line)) for end, line in lines_of(self.file.number, done))

    def _goes_on(self, tie: Tie, record: Decoded, end: int) -> bool:
        """Whether a record that is tied to another is to be sent: not before that is known which of the two it is."""
        if tie.role == "settles":
            replaced = self._provisional.pop(tie.token, None)
            if replaced is not None:
                # It kept what is behind it from being marked. From here on, the final one does.
                replaced[0].settled = True
            return True
        if tie.token not in self._tally.final:
            spot = Spot(end, held=self._is_own)
            self._spots.append(spot)
            self._provisional[tie.token] = spot, record
        return False

    def _read_provisional(self, limit: int) -> Sequence[Place]:
        """Those whose process is dead, and those whose final ones the disk did not take."""
        tokens = [token for token in self._provisional if not self._is_own or token in self._spoken]
        return [self._released(token) for token in tokens[:limit]]

    def _released(self, token: str) -> Place:
        spot, record = self._provisional.pop(token)
        spot.held = False
        final = self._spoken.get(token)
        return Place(self, spot, record if final is None else record.replaced_by(final), self)

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


def _behind(offset: int, lines: Sequence[Line]) -> Sequence[Line]:
    """Those of *lines* that begin at *offset* or behind it."""
    return lines[bisect_right(lines, offset, key=_end_of) :]


_end_of: Final = itemgetter(0)


def _tied(tie: Tie, end: int, held: dict[str, int], final: dict[str, int]) -> int:
    """How many records a line adds, which ends at *end*: none, if it replaces one that was counted."""
    if tie.role == "held":
        held[tie.token] = end
        return 1
    final[tie.token] = end
    return 1 if held.pop(tie.token, None) is None else 0
