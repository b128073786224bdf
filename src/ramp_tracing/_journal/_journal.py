"""What delivery asks of a journal."""

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from .._dataclass import dataclass
from .._record import Generation, GenerationId, JobNote, Recorded, whole
from .._state import Hold


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """
    What became of the records. At every moment ``recorded == acknowledged + waiting + dead + lost + filtered``.

    Attributes:
        recorded: Calls that were handed over.
        acknowledged: Records that the receiver took.
        waiting: Records that are still to be sent, those on their way included.
        dead: Records that the receiver will not take, or that cannot be encoded.
        lost: Records for which there was no room.
        filtered: Records that a filter or sampling of the user's kept from being sent.
    """

    recorded: int = 0
    acknowledged: int = 0
    waiting: int = 0
    dead: int = 0
    lost: int = 0
    filtered: int = 0


SMALL_BYTES: Final = 16 << 10
"""Content of a record that may stay until its batch is settled: of a batch of fifty 0.8 MB, less than its own bytes."""


class Entry:
    """
    One record in a journal, known by its identity.

    Args:
        recorded: The record.
        place: Where a journal keeps it; of no interest to anyone else.
        batch: Records in which it is not the same object are not sent in one request: so what an earlier process tried
            to send together is sent again as it was, and a batch comes from one file.
    """

    __slots__ = ("_is_bare", "_recorded", "batch", "place")

    def __init__(self, recorded: Recorded, *, place: object = None, batch: object = None) -> None:
        self._recorded = recorded
        self._is_bare = False
        self.place = place
        self.batch = batch

    @property
    def generation(self) -> Generation:
        """The record, read when it is first asked for. Its content goes when memory is short or its batch is frozen."""
        recorded = self._recorded
        if not isinstance(recorded, Generation):
            recorded = self._recorded = whole(recorded)
        if self._is_bare:
            recorded = self._recorded = recorded.without_content()
        return recorded

    @generation.setter
    def generation(self, generation: Generation) -> None:
        self._recorded = generation

    @property
    def pending(self) -> bool:
        """Whether the record says so."""
        recorded = self._recorded
        return recorded.pending if isinstance(recorded, Generation) else whole(recorded).pending

    def bare(self) -> None:
        """Let go of the content: a batch may have to wait for hours."""
        generation = self.generation
        content = generation.content
        if content is None or content.size_bytes <= SMALL_BYTES:
            self._is_bare = True  # the record without it is made if anybody asks for one, which is rare
        else:
            self._recorded = generation.without_content()


class Journal(Protocol):
    """
    Records on their way, oldest first, from the application's threads to the one drainer.

    `append`, `job` and `counts` may be called by any thread at any time. The others belong to whoever drains; that is
    one thread at a time. None of them raises and none waits for a network.

    The life of an entry: appended, or held and let go → read → frozen together with its batch → settled, once, by
    `acknowledge`, `bury` or `leave_out`.
    What was read and not settled is waiting, and is read again by the next process if the journal outlives this one.
    """

    def append(self, recorded: Recorded) -> None:
        """
        Take over a record: when this returns, the record is as safe as this journal can make it.

        Called on the application's threads: takes no lock that anyone holds during I/O, and is done in microseconds.
        """
        ...

    def hold(self, recorded: Recorded) -> Hold:
        """
        Take over a record provisionally: it is as safe as after `append`, and waits until its hold has ended.

        Called on the application's threads, like the methods of what it returns.
        """
        ...

    @property
    def held(self) -> int:
        """How many of those that wait are held, and are not read."""
        ...

    def job(self, job: GenerationId) -> JobNote:
        """
        What `append` was told of a job, here or in another process, if this journal outlives its process.

        Called on the application's threads, once for each job that is seen to have ended.
        """
        ...

    def read(self, limit: int) -> Sequence[Entry]:
        """
        The oldest entries that were not read yet.

        Args:
            limit: At most so many.

        Returns:
            The entries, oldest first; perhaps fewer than there are, and empty only if there is nothing.
        """
        ...

    def freeze(self, entries: Sequence[Entry]) -> None:
        """Note that *entries* are about to be sent as one batch, and let go of their content: the batch holds it."""
        ...

    def acknowledge(self, entries: Sequence[Entry], *, refused: int = 0) -> None:
        """
        Settle *entries*: the receiver took them.

        Args:
            entries: The entries of one request.
            refused: How many of them the receiver did not take, without saying which; they count as dead.
        """
        ...

    def bury(self, entry: Entry, reason: str) -> None:
        """
        Settle *entry*: it will never be taken.

        Args:
            entry: The entry.
            reason: Why, for people; no content.
        """
        ...

    def leave_out(self, entries: Sequence[Entry]) -> None:
        """Settle *entries*: the user does not want them sent."""
        ...

    def counts(self) -> Stats:
        """The counts at this moment, everything included whose `append` has returned."""
        ...

    @property
    def in_memory(self) -> int:
        """How many of those that wait are lost if the process ends now."""
        ...

    def watch(self) -> Callable[[], bool]:
        """A function that says whether everything is settled of which the `append` has returned by now."""
        ...

    def has_leftovers(self) -> bool:
        """Whether there is something to send, or to tidy up, from a process that has died."""
        ...

    def adopt(self) -> bool:
        """Take over now what processes have left that have died, by any thread; whether there may be more of it."""
        ...

    def tend(self) -> float | None:
        """
        Do what is to be done from time to time, on the thread of whoever drains.

        Returns:
            After how many seconds to call it again at the latest; `None` if that is never needed.
        """
        ...

    def close(self) -> None:
        """
        Leave as little behind as possible: the process may end here.

        It may as well go on, recording and draining; any thread may call it.
        """
        ...

    def after_fork(self) -> None:
        """Start anew in a forked child, empty: what the parent recorded stays the parent's to send."""
        ...
