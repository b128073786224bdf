"""A journal on disk: the file is the queue."""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import Final

from .._guard import guarded
from .._lazy import make_lock
from .._record import UNKNOWN_JOB, Generation, GenerationId, JobNote, Recorded
from .._state import Hold
from ._bounds import Bounds
from ._contents import Contents
from ._directory import Directory
from ._holdings import Holdings
from ._holds import Holds
from ._jobs import Jobs, jobs_in
from ._journal import Entry, Stats
from ._letters import Letters
from ._line import Encoded, encode
from ._neighbours import has_orphans
from ._notices import Notices
from ._overflow import MOVED, Overflow
from ._segment import Place

MAX_HANDED_OVER: Final = 10_000
"""Lines that wait for a slow disk: some 10 MB."""

UNNAMED_REFUSAL: Final = "the receiver refused {} of the {} records of a request without saying which"


class FileJournal:
    """
    Records in files, which outlive the process, and their content in memory.

    When `append` returns, the line is in the file of this process, and nothing but a power cut takes it away again.
    Files of processes that died are taken over by those that live; from then on their records are counted here, as
    recorded, too. At every moment ``recorded == acknowledged + waiting + dead + lost + filtered``, because that is how
    `recorded` is found: the files say how many wait, and a line that is damaged is lost.

    Where the disk takes no line, its record waits in memory.

    Application threads only use the writer, the contents, the queue for a slow disk and the overflow, none of which
    waits for a lock. The rest is guarded by one, which is reentrant: a signal handler may ask for the counts.

    Args:
        directory: For the segments of one destination; made when the first record comes.
        bounds: What they may take.
        elsewhere: Directories of the same destination in which earlier processes may have left something.
    """

    def __init__(
        self, directory: Directory, *, bounds: Bounds | None = None, elsewhere: Sequence[Directory] = ()
    ) -> None:
        self._directory = directory
        self._elsewhere = elsewhere
        self._bounds = bounds or Bounds()
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._lock = make_lock()
        self._holdings = Holdings(self._directory, self._bounds, elsewhere=self._elsewhere)
        self._writer = self._holdings.writer
        self._contents = Contents(self._bounds.content_bytes)
        self._overflow = Overflow(self._bounds.content_bytes)
        self._jobs = jobs_in(self._directory)
        self._holds = Holds(self._holdings, self._contents, self._overflow, ended=partial(_note_job, self._jobs))
        self._handed_over: SimpleQueue[tuple[Encoded, Recorded]] = SimpleQueue()
        self._letters = Letters(self._directory / "dead")
        self._notices = Notices(self._directory.path)
        self._acknowledged = self._dead = self._lost = self._filtered = 0

    # -- on the application's threads

    def append(self, recorded: Recorded) -> None:
        """Write a record down, or keep it in memory if the disk does not take it."""
        if self._pid != os.getpid():  # a fork that nobody was told of: some servers fork outside of Python
            self.after_fork()
        encoded: Encoded | None = None
        try:
            encoded = encode(recorded)
        except BaseException:
            with guarded("writing a record down"):
                raise
        if encoded is None:
            self._overflow.append(recorded)
        elif self._writer.speed.too_slow and self._handed_over.qsize() < MAX_HANDED_OVER:
            self._handed_over.put((encoded, recorded))
        else:
            if not self._write(encoded, in_turn=False):
                self._overflow.append(recorded)
            if recorded.job:
                _note_job(self._jobs, recorded)

    def hold(self, recorded: Recorded) -> Hold:
        """Write a record down provisionally, or keep it in memory if the disk does not take it."""
        if self._pid != os.getpid():
            self.after_fork()
        return self._holds.hold(recorded)

    def _write_or_keep(self, encoded: Encoded, recorded: Recorded, *, in_turn: bool = False) -> None:
        if not self._write(encoded, in_turn=in_turn):
            self._overflow.append(recorded)
        if recorded.job:
            _note_job(self._jobs, recorded)

    def job(self, job: GenerationId) -> JobNote:
        """What any process has noted of a job."""
        note = UNKNOWN_JOB
        with guarded("looking for a job"), suppress(OSError):
            note = self._jobs.find(job)
        return note

    def _write(self, encoded: Encoded, *, in_turn: bool) -> bool:
        if encoded.kept is not None:
            # Before the line, so that whoever reads it finds the rest.
            self._contents.put(encoded.key, encoded.kept)
        written = self._writer.append(encoded.line, in_turn=in_turn)
        if not written:
            self._contents.take(encoded.key)
        return written

    # -- on the thread that drains

    def read(self, limit: int) -> Sequence[Entry]:
        """The oldest records of one file, or of those in memory; what dead processes left comes last."""
        with self._lock:
            self._look()
            if places := self._holdings.read(limit, own=True):
                return self._entries(places)
            if entries := self._overflow.read(limit):
                return entries
            return self._entries(self._holdings.read(limit, own=False))

    def _entries(self, places: Sequence[Place]) -> Sequence[Entry]:
        return [self._contents.entry(place.record, place=place, batch=place.batch) for place in places]

    def freeze(self, entries: Sequence[Entry]) -> None:
        """Note on disk which records are one batch, and let go of their content."""
        with self._lock:
            self._overflow.freeze(entries)
            places = _places(entries)
            self._holdings.freeze(places)
        self._contents.take(*[place.record.key for place in places])
        for entry in entries:
            entry.bare()

    def acknowledge(self, entries: Sequence[Entry], *, refused: int = 0) -> None:
        """Settle *entries*; if some were refused, dead letters are written of all: nobody knows which they are."""
        entries = [entry for entry in entries if entry.place is not MOVED]
        refused = min(refused, len(entries))
        reason, certain = UNNAMED_REFUSAL.format(refused, len(entries)), refused == len(entries)
        begun = [(each.generation, self._is_in_turn(each)) for each in entries if each.pending]
        not_kept = [each for each in entries if refused and not self._set_aside(each, reason, certain=certain)]
        with self._lock:
            self._settle(entries)
            self._acknowledged += len(entries) - refused
            self._count_refused(refused, kept=not not_kept)
        for created, in_turn in begun:
            self._repeat_end(created, in_turn=in_turn)

    def _is_in_turn(self, entry: Entry) -> bool:
        """Whether what this process recorded after *entry* is sent after it: not if it was in memory, or adopted."""
        return isinstance(entry.place, Place) and self._holdings.has_written(entry.place.segment)

    def _repeat_end(self, created: Generation, *, in_turn: bool) -> None:
        """Send the end of a job again that may have been sent before what we have just sent of its beginning."""
        with guarded("looking for the end of a job"), suppress(OSError):
            end = self._jobs.overtaken(created, in_turn=in_turn)
            if end is not None:
                self._write_or_keep(encode(end), end, in_turn=True)

    def bury(self, entry: Entry, reason: str) -> None:
        """Settle *entry* as dead, with a dead letter; where none can be written, it is lost."""
        kept = self._set_aside(entry, reason, certain=True)
        with self._lock:
            self._settle([entry])
            self._count_refused(1, kept=kept)

    def leave_out(self, entries: Sequence[Entry]) -> None:
        """Settle *entries* as filtered."""
        entries = [entry for entry in entries if entry.place is not MOVED]
        with self._lock:
            self._settle(entries)
            self._filtered += len(entries)

    def _settle(self, entries: Sequence[Entry]) -> None:
        places = _places(entries)
        self._holdings.settle(places)
        self._contents.take(*[place.record.key for place in places])
        self._overflow.settle(entries)

    def _count_refused(self, count: int, *, kept: bool) -> None:
        if kept:
            self._dead += count
        else:
            self._lost += count

    def _set_aside(self, entry: Entry, reason: str, *, certain: bool) -> bool:
        written = False
        with guarded("writing a dead letter"), suppress(OSError):
            self._letters.write(entry.generation, reason, certain=certain)
            written = True
        return written

    def tend(self) -> float:
        """Write for a slow disk, begin a new file, look for dead processes; seconds until that is due again."""
        with guarded("looking after the journal"), self._lock:
            self._write_handed_over()
            self._look()
            self._holdings.roll()
            self._holdings.remove_settled()
            if not self._holdings.seconds_to_round:
                self._holdings.round()
        with guarded("tidying up what is noted of jobs"), suppress(OSError):
            self._jobs.make_room()
        self._tell()
        return self._holdings.seconds_to_round

    def _write_handed_over(self) -> None:
        for _ in range(self._handed_over.qsize()):
            try:
                self._write_or_keep(*self._handed_over.get_nowait(), in_turn=True)
            except Empty:
                return

    def close(self) -> None:
        """Leave on disk what waits, and delete what does not."""
        with guarded("closing the journal"), self._lock:
            self._write_handed_over()
            # The last chance of what the disk refused.
            self._writer.retry()
            self._overflow.move(lambda generation: self._write(encode(generation), in_turn=True))
            if self._writer.current is not None:
                self._writer.leave(self._writer.current)
            self._holdings.remove_settled()

    def _look(self) -> None:
        """Take note of what was written; with the lock held."""
        self._holds.take_in()
        self._holdings.count()

    # -- on any thread

    def counts(self) -> Stats:
        """The counts at this moment."""
        with self._lock:
            self._look()
            waiting = self._holdings.waiting + self._handed_over.qsize() + self._overflow.waiting
            lost = self._lost + self._overflow.lost + self._holdings.damaged + self._holdings.trimmed
            settled = self._acknowledged + self._dead + lost + self._filtered
            return Stats(
                recorded=settled + waiting,
                acknowledged=self._acknowledged,
                waiting=waiting,
                dead=self._dead,
                lost=lost,
                filtered=self._filtered,
            )

    @property
    def held(self) -> int:
        """How many records wait for the end of their hold."""
        with self._lock:
            self._look()
            return self._holdings.held + self._overflow.held

    def watch(self) -> Callable[[], bool]:
        """A function that says whether everything that waits now is settled."""
        with self._lock:
            self._write_handed_over()
            self._look()
            goals, overflow = self._holdings.goals, self._overflow.watch()

        def is_settled() -> bool:
            with self._lock:  # in the middle of a `read` it would look so
                return overflow() and all(segment.is_settled_to(end) for segment, end in goals)

        return is_settled

    def has_leftovers(self) -> bool:
        """Whether a dead process left records that wait."""
        return any(_has_orphans(directory) for directory in (self._directory, *self._elsewhere))

    def adopt(self) -> bool:
        """Take over what processes have left that have died, without waiting until that is due."""
        more = False
        with guarded("looking for dead processes"), self._lock:
            self._holdings.round()
            more = self._holdings.more_to_adopt
        return more

    @property
    def in_memory(self) -> int:
        """How many of the records that wait are not on disk."""
        with self._lock:
            return self._handed_over.qsize() + self._overflow.waiting

    def after_fork(self) -> None:
        """Start anew: the parent goes on with its files, and keeps its locks."""
        self._holdings.close()
        self._begin()

    def _tell(self) -> None:
        """Say what is wrong; not on the application's threads that record, and with no lock held."""
        dropped, self._contents.dropped = self._contents.dropped, False
        self._notices.look(self._holdings, unwritten_letters=self._lost, dropped_content=dropped)


def _note_job(jobs: Jobs, recorded: Recorded) -> None:
    """After its record is written down: who finds the note relies on that."""
    with guarded("noting a job"), suppress(OSError):
        written = recorded if isinstance(recorded, Generation) else recorded.written()
        if isinstance(written, Generation):
            jobs.note(written)


def _has_orphans(directory: Directory) -> bool:
    try:
        return has_orphans(directory)
    except OSError:
        return False


def _places(entries: Sequence[Entry]) -> list[Place]:
    return [entry.place for entry in entries if isinstance(entry.place, Place)]
