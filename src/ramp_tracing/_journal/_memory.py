"""A journal that lives as long as the process."""

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from queue import Empty, SimpleQueue
from typing import Final

from .._dataclass import dataclass
from .._guard import WARNING, log
from .._lazy import make_lock
from .._record import UNKNOWN_JOB, Generation, GenerationId, JobNote, Recorded
from .._state import HeldBack, Hold
from ._journal import Entry, Stats
from ._shelf import Shelf

MAX_RECORDS: Final = 50_000
"""A record without its content takes about 1 kB, so this is some 50 MB: an hour's outage at 14 calls a second."""

MAX_CONTENT_BYTES: Final = 32 << 20
"""Enough for the content of an hour in most applications; the usage, which matters more, has a bound of its own."""

MAX_DEAD_LETTERS: Final = 1_000
"""For people to look at; all of them are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """
    A record that will not be sent.

    Attributes:
        generation: The record, without content.
        reason: Why.
    """

    generation: Generation
    reason: str


class MemoryJournal:
    """
    A bounded queue with exact counts.

    Over the bound on bytes the oldest content goes first, and the usage stays. Over the bound on records the newest
    record is refused, and counted as lost.

    Application threads only put on a `SimpleQueue` and on deques, which is atomic without a lock of ours. Whoever reads
    or counts takes over what was put, under a lock that guards nothing but memory. It is reentrant, because a signal
    handler of the application's may ask for the counts in the middle of them.

    Args:
        max_records: Records that may wait.
        max_content_bytes: Bytes of content that may wait, by what the records say of themselves.
    """

    def __init__(self, *, max_records: int = MAX_RECORDS, max_content_bytes: int = MAX_CONTENT_BYTES) -> None:
        self._max_records = max_records
        self._max_content_bytes = max_content_bytes
        self._begin()

    def _begin(self) -> None:
        self._inbox: SimpleQueue[Entry] = SimpleQueue()
        self._refused: deque[None] = deque()
        self._contents: Shelf[Entry] = Shelf(self._max_content_bytes, self._drop_content)
        self._dropped_contents = False
        self._held: dict[object, None] = {}
        self._lock = make_lock()
        self._unread: deque[Entry] = deque()
        self._read: set[Entry] = set()
        self._recorded = self._acknowledged = self._dead = self._filtered = 0
        self._lost = self._lost_and_said = 0
        self._dead_letters: deque[DeadLetter] = deque(maxlen=MAX_DEAD_LETTERS)

    def append(self, recorded: Recorded) -> None:
        """Take over a record, or count it as lost if there is no room."""
        if self._has_room():
            self._put(recorded)
        else:
            self._refused.append(None)

    def hold(self, recorded: Recorded) -> Hold:
        """Keep a record until its hold has ended; one for which there is no room is not kept before that."""
        if not self._has_room():
            return HeldBack(self.append, recorded)
        key = object()
        self._held[key] = None
        return HeldBack(partial(self._let_go, key), recorded)

    def _let_go(self, key: object, final: Recorded) -> None:
        """Whoever counts next sees the hold end and its record come in the same moment."""
        if key in self._held:  # not in a forked child
            self._put(final, key)

    @property
    def held(self) -> int:
        """How many records wait for the end of their hold."""
        with self._lock:
            self._take_in()
            return len(self._held)

    def _has_room(self) -> bool:
        waiting = self._inbox.qsize() + len(self._unread) + len(self._read) + len(self._held)
        return waiting < self._max_records

    def _put(self, recorded: Recorded, place: object = None) -> None:
        entry = Entry(recorded, place=place)
        content = recorded.content if isinstance(recorded, Generation) else recorded
        if content is not None:
            # Before whoever reads can let go of it.
            self._contents.put(entry, entry, size_bytes=content.size_bytes)
        self._inbox.put(entry)

    def job(self, job: GenerationId) -> JobNote:
        """Nothing: what this process knows of its jobs, it knows without a journal."""
        return UNKNOWN_JOB

    def _drop_content(self, _key: object, entry: Entry) -> None:
        self._dropped_contents = _without_content(entry) or self._dropped_contents

    def read(self, limit: int) -> Sequence[Entry]:
        """Up to *limit* of the oldest entries that were not read yet."""
        with self._lock:
            self._take_in()
            entries = [self._unread.popleft() for _ in range(min(limit, len(self._unread)))]
            self._read.update(entries)
        self._warn()
        return entries

    def freeze(self, entries: Sequence[Entry]) -> None:
        """Let go of the content of *entries*."""
        for entry in entries:
            self._contents.take(entry)
            _without_content(entry)

    def acknowledge(self, entries: Sequence[Entry], *, refused: int = 0) -> None:
        """Settle *entries*, *refused* of them as dead."""
        with self._lock:
            self._read.difference_update(entries)
            self._acknowledged += len(entries) - refused
            self._dead += refused

    def bury(self, entry: Entry, reason: str) -> None:
        """Settle *entry* as dead."""
        self._contents.take(entry)
        _without_content(entry)
        with self._lock:
            self._read.discard(entry)
            self._dead += 1
            self._dead_letters.append(DeadLetter(generation=entry.generation, reason=reason))

    def leave_out(self, entries: Sequence[Entry]) -> None:
        """Settle *entries* as filtered."""
        for entry in entries:
            self._contents.take(entry)
        with self._lock:
            self._read.difference_update(entries)
            self._filtered += len(entries)

    def counts(self) -> Stats:
        """The counts at this moment."""
        with self._lock:
            self._take_in()
            stats = Stats(
                recorded=self._recorded + len(self._held),
                acknowledged=self._acknowledged,
                waiting=len(self._unread) + len(self._read) + len(self._held),
                dead=self._dead,
                lost=self._lost,
                filtered=self._filtered,
            )
        self._warn()
        return stats

    @property
    def dead_letters(self) -> Sequence[DeadLetter]:
        """The last records that will not be sent, oldest first."""
        with self._lock:
            return tuple(self._dead_letters)

    def watch(self) -> Callable[[], bool]:
        """A function that says whether everything that waits now is settled."""
        with self._lock:
            self._take_in()
            # Records are settled in the order in which they came, so these are the next that will be.
            goal = self._settled + len(self._unread) + len(self._read)
        return lambda: self._settled >= goal

    @property
    def _settled(self) -> int:
        return self._acknowledged + self._dead + self._filtered

    @property
    def in_memory(self) -> int:
        """All that wait."""
        return self.counts().waiting

    def has_leftovers(self) -> bool:
        """False: nothing in memory outlives a process."""
        return False

    def adopt(self) -> bool:
        """False: there is nothing more."""
        return False

    def tend(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""

    def after_fork(self) -> None:
        """Start anew: the queue and the lock may have been in use by a thread that the child does not have."""
        self._begin()

    def _take_in(self) -> None:
        """Count what was put since the last time; with the lock held."""
        # Not more than there is now: threads that never pause would keep the caller here.
        for _ in range(self._inbox.qsize()):
            try:
                entry = self._inbox.get_nowait()
            except Empty:
                break
            self._held.pop(entry.place, None)
            entry.place = None
            self._unread.append(entry)
            self._recorded += 1
        for _ in range(len(self._refused)):
            self._refused.popleft()
            self._recorded += 1
            self._lost += 1

    def _warn(self) -> None:
        """Say what had to go; not on the application's threads that record, and with no lock held."""
        if self._dropped_contents:
            self._dropped_contents = False
            log.once_a_minute(
                WARNING,
                "content dropped",
                "prompts and answers that wait exceed their bound in memory: the oldest calls are sent as usage only",
            )
        if self._lost > self._lost_and_said:
            self._lost_and_said = self._lost
            log.once_a_minute(
                WARNING,
                "records lost",
                f"{self._max_records:,} records wait, there is no room for more: {self._lost:,} were lost so far",
            )


def _without_content(entry: Entry) -> bool:
    """Take the content off *entry*; False if there was none."""
    if entry.generation.content is None:
        return False
    entry.generation = entry.generation.without_content()
    return True
