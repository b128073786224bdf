"""
From `record()` on the application's threads to the one thread that sends.

The application's side puts things on queues and does nothing else: no lock that is held while something is sent, no
network, and no import but that of the journal with the first record.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final
from weakref import ref

from .._config import Config
from .._guard import guarded
from .._journal import Site
from .._record import UNKNOWN_JOB, GenerationId, JobNote, Recorded
from .._state import HeldBack, Hold
from ._lifetime import watch_over
from ._stages import Stages, load_stages
from ._worker import LINGER_SECONDS, Job, Worker

if TYPE_CHECKING:
    from .._journal import Journal, Stats

POLL_SECONDS: Final = 0.005
"""Whoever waits, looks. A condition would be quicker by that much, and would hang in a signal handler."""


class Pipeline:
    """
    Takes generations and sends them in the background: the `Sink` of this process.

    No method raises. The thread starts with the first record, in a forked child with the child's own first; at once, if
    an earlier process left something to send.

    Args:
        config: Where to, how, how much at once.
        journal: Where records wait, or where they are to; in memory if left out.
        load: Makes the stages, on the thread that sends.
        linger_seconds: How long the first record of a batch waits for company.
    """

    def __init__(
        self,
        config: Config,
        *,
        journal: "Journal | Site | None" = None,
        load: Callable[[Config], Stages] = load_stages,
        linger_seconds: float = LINGER_SECONDS,
    ) -> None:
        self._config = config
        self._site = journal if isinstance(journal, Site) else Site(journal=journal)
        self._load = load
        self._linger_seconds = linger_seconds
        self._worker = self._new_worker()
        self._has_forked = False
        watch_over(self)
        if self._site.has_leftovers():
            self._worker.nudge()

    @property
    def _journal(self) -> "Journal":
        return self._site.journal

    @property
    def config(self) -> Config:
        """What it was made with."""
        return self._config

    @property
    def keeps_content(self) -> bool:
        """False in privacy mode: then content is not even kept in memory."""
        return not self._config.privacy_mode

    @property
    def exit_timeout_seconds(self) -> float:
        """How long the end of the process may be put off."""
        return self._config.exit_timeout_seconds

    def record(self, recorded: Recorded) -> None:
        """Take over a record."""
        try:
            self._site.journal.append(recorded)
            self._worker.nudge()
        except BaseException:
            with guarded("recording a call"):
                raise

    def hold(self, recorded: Recorded) -> Hold:
        """
        Write a record down, and send it only once its hold has ended.

        Should the process die before, whoever adopts what it left sends it as it is.
        """
        try:
            held = self._journal.hold(recorded)
            self._worker.stand_by()
            return HeldBack(partial(self._let_go, held), recorded)
        except BaseException:
            with guarded("holding a call"):
                raise
        return HeldBack(self.record, recorded)

    def _let_go(self, held: Hold, final: Recorded) -> None:
        try:
            held.settle(final)
            self._worker.nudge()
        except BaseException:
            with guarded("recording a held call"):
                raise

    def job(self, job: GenerationId) -> JobNote:
        """What was noted of a job, by any process with this journal."""
        note = UNKNOWN_JOB
        with guarded("looking for a job"):
            note = self._journal.job(job)
        return note

    def stand_by(self) -> None:
        """Have the thread running: a finalizer, which may defer, can start none."""
        try:
            self._worker.stand_by()
        except BaseException:
            with guarded("starting the thread"):  # entered only now, as below: it is more than all that is done in it
                raise

    def defer(self, finish: Job) -> None:
        """Call *finish* soon: on the thread that sends, or before the next `stats`, `flush` or `shutdown`."""
        self._worker.submit(finish)

    def wake(self) -> None:
        """Send what waits now, as far as the receiver allows it, without waiting for company."""
        self._worker.hurry()

    def stats(self) -> "Stats":
        """The counts at this moment; ``recorded == acknowledged + waiting + dead + lost + filtered``."""
        self._worker.run_jobs()
        return self._journal.counts()

    def flush(self, timeout_seconds: float) -> bool:
        """
        Wait until everything that was recorded before is acknowledged, also by children that have ended without a word.

        Args:
            timeout_seconds: At most so long; it returns earlier if the receiver wants no request before that. What is
                left of the time, the user's own exporters have.

        Returns:
            True if each record that was waiting has been acknowledged; so False if one was held.
        """
        flushed = False
        with guarded("flushing"):
            deadline = time.monotonic() + timeout_seconds
            self._worker.run_jobs()
            flushed = self._flush_with_children(deadline)
            self._worker.flush_exporters(deadline)
        return flushed

    def shutdown(self, timeout_seconds: float) -> bool:
        """
        Flush, and end the thread. A later record is still taken, and starts it again.

        Args:
            timeout_seconds: At most so long.

        Returns:
            As `flush` does.
        """
        deadline = time.monotonic() + timeout_seconds
        with guarded("trying once more"):
            self._worker.try_once_more()
        flushed = self.flush(timeout_seconds)
        with guarded("shutting down"):
            self._worker.stop(deadline)
            if self._site.is_open:
                self._journal.close()
        return flushed

    def before_fork(self) -> None:
        """The process forks."""
        self._worker.before_fork()

    def after_fork_in_parent(self) -> None:
        """It has forked."""
        self._has_forked = True
        self._worker.after_fork_in_parent()

    def after_fork_in_child(self) -> None:
        """Begin anew: no records, no thread, no connection, and no lock that a thread of the parent's may hold."""
        self._worker.abandon()
        if self._site.is_open:
            self._journal.after_fork()
        self._has_forked = False
        self._worker = self._new_worker()

    def _flush_with_children(self, deadline: float) -> bool:
        """In turns, as only so many files are open at a time; as long as each turn gets further."""
        more = self._take_over_children()
        flushed = not self._site.is_open or self._flush(deadline)
        while more and flushed:
            settled = self._settled()
            more = self._take_over_children()
            flushed = self._flush(deadline)
            more = more and self._settled() > settled
        return flushed

    def _take_over_children(self) -> bool:
        """
        Make what ended children have left our own to send; whether there may be more.

        A child that leaves by `os._exit`, as those of task queues do, sends nothing; and who only forks, and calls no
        model, has no thread that would look for the dead.
        """
        return self._has_forked and self._site.has_leftovers() and self._journal.adopt()

    def _settled(self) -> int:
        """How many records need nothing any more."""
        counts = self._journal.counts()
        return counts.recorded - counts.waiting

    def _flush(self, deadline: float) -> bool:
        before, held, settled = self._journal.counts(), self._journal.held, self._journal.watch()
        while not settled():
            left = deadline - time.monotonic()
            if left <= 0 or self._worker.may_not_send_within(left):
                return False
            self._worker.hurry()
            if self._worker.start(wait_seconds=left):
                time.sleep(min(POLL_SECONDS, left))
            else:
                self._worker.drive(deadline)
        now = self._journal.counts()
        return not held and now.dead + now.lost == before.dead + before.lost

    def _new_worker(self) -> Worker:
        linger_seconds, owner = self._linger_seconds, ref(self)
        return Worker(self._config, self._site, load=self._load, linger_seconds=linger_seconds, owner=owner)
