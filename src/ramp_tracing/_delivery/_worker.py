"""The thread that sends, and the queue that wakes it."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from functools import partial
from importlib import import_module
from queue import Empty, SimpleQueue
from threading import Lock
from typing import TYPE_CHECKING, Final

from .._config import Config
from .._guard import guarded
from .._journal import Site
from .._lazy import make_lock
from .._record import Generation
from ._lifetime import MAX_FORK_WAIT_SECONDS, end_with_worker
from ._stages import Stages
from ._threads import Running, started

if TYPE_CHECKING:
    from .._journal import Journal
    from ._drainer import Drainer

LINGER_SECONDS: Final = 1.0
"""How long the first record of a batch waits for company: eight busy processes stay far below Ramp's limit."""

BREATH_SECONDS: Final = 0.05
"""
How long to leave the application alone at first: it is about to send its first request, and waits for the answer then.

What is loaded here meanwhile costs it nothing; before, two threads in the middle of imports would slow each other down.
"""

LOOK_SECONDS: Final = 0.1
"""How often to see whether enough has come together: a signal from each record would cost the application more."""

FAULT_REST_SECONDS: Final = 5.0
"""After a fault of ours, so that a lasting one does not spin."""

Job = Callable[[], None]
"""Something to be called on a thread that holds no lock of ours."""


class Worker:
    """
    One daemon thread, started when it is first needed, and what a process has of its own around it.

    Where no thread can be started, at the very end of the interpreter, `drive` does its work on the caller's.

    Args:
        config: For the drainer.
        site: Where the journal is, for the drainer.
        load: Makes the stages, on the thread.
        linger_seconds: How long the first record of a batch waits for company.
        owner: What the thread keeps alive while it runs: who waits for it, and ends it with the process.
    """

    def __init__(
        self,
        config: Config,
        site: Site,
        *,
        load: Callable[[Config], Stages],
        linger_seconds: float,
        owner: Callable[[], object],
    ) -> None:
        self._config = config
        self._owner = owner
        self._site = site
        self._load = load
        self._linger_seconds = linger_seconds
        # The only kind of queue that may be put on anywhere: in a finalizer, in a signal handler, in the middle of
        # another put. An Event or a Condition would wait for itself there.
        self._signals: SimpleQueue[None] = SimpleQueue()
        self._jobs: SimpleQueue[Job] = SimpleQueue()
        # Whoever waits for the jobs waits for the one that another thread has taken, too. Reentrant, because a signal
        # handler may ask for the counts in the middle of one.
        self._working_off = make_lock()
        self._starting = Lock()
        self._driving = Lock()
        # Reentrant: the first record is priced while the stages are loaded.
        self._loading = make_lock()
        self._held_for_fork = False
        self._thread: Running | None = None
        self._drainer: Drainer | None = None
        self._woken = self._stopping = self._hurried = False
        self._runs = False  # what `Thread.is_alive` says, for a tenth of the price
        self._due: float | None = None

    @property
    def _journal(self) -> "Journal":
        return self._site.journal

    # -- by any thread

    def nudge(self) -> None:
        """Something was recorded."""
        if not self._woken:
            self._woken = True
            self._signals.put(None)
        self.stand_by()

    def stand_by(self) -> None:
        """Something may be submitted by a finalizer, which can start no thread."""
        if self._stopping or not self._runs:
            self.start(wait_seconds=0)

    def submit(self, job: Job) -> None:
        """Call *job* soon."""
        self._jobs.put(job)
        self._signals.put(None)

    def hurry(self) -> None:
        """Send what waits without waiting for company."""
        if not self._hurried:
            self._hurried = True
            self._signals.put(None)

    def run_jobs(self) -> None:
        """Call what was submitted, now; when this returns, all of it has been called."""
        with self._working_off:
            for _ in range(self._jobs.qsize()):
                try:
                    job = self._jobs.get_nowait()
                except Empty:  # a signal handler came in between, and worked them off
                    return
                with guarded("finishing a call"):
                    job()

    def start(self, *, wait_seconds: float) -> bool:
        """
        See to it that the thread runs.

        Args:
            wait_seconds: How long to wait for somebody else who starts or ends it just now.

        Returns:
            False if it does not.
        """
        if not self._starting.acquire(timeout=wait_seconds):
            return False
        try:
            self._stopping = False
            if self._thread is None or not self._thread.is_alive():
                self._thread = self._started()
        finally:
            self._starting.release()
        return self._thread is not None

    def _started(self) -> Running | None:
        """A new thread; `None` where the interpreter starts none any more, or the machine has too many."""
        end_with_worker()
        self._runs = True
        try:
            return started(partial(self._run, self._owner()), name="ramp-tracing")
        except RuntimeError:
            self._runs = False
            return None

    def drive(self, deadline: float) -> None:
        """Send on this thread until nothing waits or *deadline*, an instant of `time.monotonic`, has come."""
        if not self._driving.acquire(timeout=max(0.0, deadline - time.monotonic())):
            return
        try:
            self._journal.tend()
            drainer = self._loaded()
            while self._sendable() and (left := deadline - time.monotonic()) > 0:
                wait = drainer.wait_seconds()
                time.sleep(min(wait, left))
                if wait >= left or not drainer.send(min(self._config.timeout_seconds, left - wait)):
                    return
        finally:
            self._driving.release()

    def stop(self, deadline: float) -> None:
        """End the thread, which closes its connection; if it is in a request at *deadline*, it ends after that."""
        self._stopping = True
        self._signals.put(None)
        if self._thread is not None:
            self._thread.join(max(0.0, deadline - time.monotonic()))
        if self._drainer is not None:
            self._drainer.shutdown_exporters(max(0.0, deadline - time.monotonic()))

    def flush_exporters(self, deadline: float) -> None:
        """Give the user's exporters what they have not had yet."""
        if self._drainer is not None:
            self._drainer.flush_exporters(max(0.0, deadline - time.monotonic()))

    def may_not_send_within(self, seconds: float) -> bool:
        """Whether the receiver wants no request so soon, or it would be of no use."""
        return self._drainer is not None and self._drainer.wait_seconds() > seconds

    def try_once_more(self) -> None:
        """What is in memory is about to be lost: allow a request now, unless the receiver has asked for none."""
        if self._drainer is not None and self._journal.in_memory:
            self._drainer.waive_backoff()

    # -- around a fork

    def before_fork(self) -> None:
        """
        Let a running import end first.

        A module whose import is cut in two by a fork stays locked in the child for ever, for everyone who imports it.
        """
        if self._loading.acquire(timeout=MAX_FORK_WAIT_SECONDS):
            self._held_for_fork = True

    def after_fork_in_parent(self) -> None:
        """Go on."""
        if self._held_for_fork:
            self._held_for_fork = False
            self._loading.release()

    def abandon(self) -> None:
        """In a forked child: leave the parent's connection to the parent. This object is of no use afterwards."""
        if self._drainer is not None:
            self._drainer.abandon()

    # -- on the thread

    def _run(self, _owner: object) -> None:
        try:
            self._send_on()
        except BaseException:  # in the ordinary case it is said where that is decided: the next thread may be there
            self._runs = False
            raise

    def _send_on(self) -> None:
        with self._driving:
            with self._loading:
                import_module("logging")  # for our own log lines, which then import nothing while a process forks
            self._listen(BREATH_SECONDS)
            while not self._has_ended():
                rest_seconds: float | None = FAULT_REST_SECONDS
                with guarded("delivering records"):
                    rest_seconds = self._turn()
                self._listen(rest_seconds)
            if self._drainer is not None:
                self._drainer.close()

    def _has_ended(self) -> bool:
        if not self._stopping:
            return False
        # Decided together with `start`, which must not count on a thread that is about to leave.
        with self._starting:
            if self._stopping:
                self._thread, self._runs = None, False
            return self._stopping

    def _turn(self) -> float | None:
        """Do the next thing; seconds until the one after that, `None` if it takes a signal."""
        # In this order: what is recorded from here on sends a signal again, unless it is seen below.
        self._woken = False
        tending = self._journal.tend()
        waiting = self._sendable()
        if not waiting:
            self._hurried, self._due = False, None
            return _sooner(tending, self._drainer.idle() if self._drainer is not None else None)
        self._woken = True
        drainer = self._loaded()
        wait = max(drainer.wait_seconds(), self._linger_left(waiting, drainer))
        if wait > 0:
            return _sooner(tending, wait)
        self._due = None
        return 0 if drainer.send(self._config.timeout_seconds) else FAULT_REST_SECONDS

    def _sendable(self) -> int:
        return max(0, self._journal.counts().waiting - self._journal.held)

    def _linger_left(self, waiting: int, drainer: "Drainer") -> float:
        """How long to wait for more records before a batch is put together."""
        if drainer.has_frozen or self._hurried or waiting >= self._config.max_batch_spans:
            return 0.0
        now = time.monotonic()
        if self._due is None:
            self._due = now + self._linger_seconds
        return min(self._due - now, LOOK_SECONDS)

    def _listen(self, rest_seconds: float | None) -> None:
        """Wait for a signal for so long, and call what was submitted."""
        with suppress(Empty):
            self._signals.get(block=rest_seconds != 0, timeout=rest_seconds or None)
            for _ in range(self._signals.qsize()):
                self._signals.get_nowait()
        self.run_jobs()

    def _loaded(self) -> "Drainer":
        if self._drainer is None:
            with self._loading:
                from ._drainer import Drainer

                stages = self._load(self._config)
                # Not a method: whoever drops a worker is rid of it at once, and of the locks of its files.
                stages = replace(stages, price=partial(_priced, self._loading, stages.price))
                drainer = Drainer(self._config, self._journal, stages=stages)
                # Here, not with the first batch: no fork comes in between (see `before_fork`), and it is done by then.
                drainer.warm_up()
                self._drainer = drainer
        return self._drainer


def _priced(
    loading: AbstractContextManager[object], price: Callable[[Generation], Generation], generation: Generation
) -> Generation:
    """
    Add the cost.

    The first record that takes it loads the price list, for a second, whichever record of the process that is; no fork
    comes in between either.
    """
    with loading:
        return price(generation)


def _sooner(*seconds: float | None) -> float | None:
    """The shortest of some waits; `None` if none of them ends."""
    return min((each for each in seconds if each is not None), default=None)
