"""Records that the disk does not take, in memory."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from .._record import Generation, Recorded
from .._state import Hold
from ._journal import Entry
from ._memory import MAX_RECORDS, MemoryJournal

MOVED: Final = object()
"""The place of an entry that was in memory and is on disk now: there it is settled, and counted."""


class Overflow:
    """
    A `MemoryJournal`, of which entries can be moved to a disk.

    `append` may be called by any thread; the rest is guarded by the journal's lock.

    Args:
        max_content_bytes: Bytes of content that may wait.
    """

    def __init__(self, max_content_bytes: int) -> None:
        self._memory = MemoryJournal(max_content_bytes=max_content_bytes)
        self._read: set[Entry] = set()
        self._not_moved: list[Entry] = []
        self._moved = 0

    @property
    def waiting(self) -> int:
        """Entries that are not settled."""
        return self._memory.counts().waiting

    @property
    def lost(self) -> int:
        """Records for which there was no room either."""
        return self._memory.counts().lost

    def append(self, recorded: Recorded) -> None:
        """Take over a record."""
        self._memory.append(recorded)

    def hold(self, recorded: Recorded) -> Hold:
        """Keep a record until its hold has ended."""
        return self._memory.hold(recorded)

    @property
    def held(self) -> int:
        """Entries whose hold has not ended."""
        return self._memory.held

    def read(self, limit: int) -> Sequence[Entry]:
        """The oldest entries that were not read yet."""
        entries = self._not_moved[:limit] or self._memory.read(limit)
        del self._not_moved[:limit]
        self._read.update(entries)
        return entries

    def freeze(self, entries: Iterable[Entry]) -> None:
        """Let go of the content of those *entries* that are from here."""
        self._memory.freeze([entry for entry in entries if entry in self._read])

    def settle(self, entries: Iterable[Entry]) -> None:
        """Settle those *entries* that are from here."""
        own = [entry for entry in entries if entry in self._read]
        self._memory.acknowledge(own)
        self._read.difference_update(own)

    def move(self, write: Callable[[Generation], bool]) -> None:
        """Let *write* put down as many records as it can. Those that are being sent are among them."""
        unread = [*self._not_moved, *self._memory.read(MAX_RECORDS)]
        self._not_moved = [entry for entry in unread if not self._move(entry, write)]
        for entry in list(self._read):
            self._move(entry, write)

    def watch(self) -> Callable[[], bool]:
        """A function that says whether everything that waits now is settled, and not just moved."""
        settled, moved = self._memory.watch(), self._moved
        return lambda: settled() and moved == self._moved

    def _move(self, entry: Entry, write: Callable[[Generation], bool]) -> bool:
        if not write(entry.generation):
            return False
        self._memory.freeze([entry])
        self._memory.acknowledge([entry])
        self._read.discard(entry)
        self._moved += 1
        entry.place = MOVED
        return True
