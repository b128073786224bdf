"""
The ends and the doublings of a process.

The hooks are registered once, whatever is made and thrown away; they know the living by weak references.
"""

import atexit
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial
from operator import methodcaller
from typing import Final, Protocol
from weakref import WeakSet

from .._guard import guarded
from .._lazy import LOADING
from .._state import state

AFTER_ALL_OTHERS: Final = -100
"""Finalizers of `multiprocessing` with a higher number run first: queues and pools still make calls while they end."""

MAX_FORK_WAIT_SECONDS: Final = 10.0
"""
Some times what the imports take on a machine that is very busy; the wait ends with them.

Who forks without it risks a child that can import neither the price list nor what that brings, which the application
may need itself.
"""


class Mortal(Protocol):
    """What must be told."""

    @property
    def exit_timeout_seconds(self) -> float:
        """How long the end of the process may be put off."""
        ...

    def shutdown(self, timeout_seconds: float) -> bool:
        """The process ends."""
        ...

    def before_fork(self) -> None:
        """The process forks; this runs on the thread that forks."""
        ...

    def after_fork_in_parent(self) -> None:
        """It has forked."""
        ...

    def after_fork_in_child(self) -> None:
        """This is the child."""
        ...


def watch_over(mortal: Mortal) -> None:
    """Tell *mortal* of forks and of the end, for as long as somebody else holds it."""
    _watched().add(mortal)


def end_with_worker() -> None:
    """In a worker of `multiprocessing` or Celery, which ends without `atexit`: end with it. Elsewhere do nothing."""
    # Who has not imported it is no such worker.
    if "multiprocessing.util" in sys.modules:
        from multiprocessing import parent_process, util

        if parent_process() is not None:
            util.Finalize(None, partial(_end, _watched()), exitpriority=AFTER_ALL_OTHERS)
    # Celery's leave by `os._exit`, from a fork of `multiprocessing` of its own, and tell nobody but this.
    ending = getattr(sys.modules.get("celery.signals"), "worker_process_shutdown", None)
    if ending is not None:
        ending.connect(partial(_end_with_task_worker, _watched()), weak=False, dispatch_uid=__name__)


def _end_with_task_worker(watched: WeakSet[Mortal], **_told: object) -> None:
    _end(watched)


@cache
def _watched() -> WeakSet[Mortal]:
    watched: WeakSet[Mortal] = WeakSet()
    atexit.register(_end, watched)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(
            before=partial(_before_fork, watched),
            after_in_parent=partial(_after_fork, watched, methodcaller("after_fork_in_parent")),
            after_in_child=partial(_after_fork, watched, methodcaller("after_fork_in_child")),
        )
    return watched


def end_open_calls() -> None:
    """Record every stream that the application is still reading, every open run and block, as far as they have come."""
    # Each copy is one step under the GIL: other threads go on opening streams.
    by_hand = [each for known in list(state.by_hand.values()) if (each := known()) is not None]
    for call in [*list(state.open_streams.values()), *list(state.runs.values()), *by_hand]:
        with guarded("recording an open stream"):
            call.give_up()


def _before_fork(watched: WeakSet[Mortal]) -> None:
    """In this order: the thread that sends takes `LOADING` while it holds the lock that it has for itself."""
    _tell(watched, methodcaller("before_fork"))
    LOADING.acquire(timeout=MAX_FORK_WAIT_SECONDS)


def _after_fork(watched: WeakSet[Mortal], what: Callable[[Mortal], None]) -> None:
    with suppress(RuntimeError):  # it waited in vain
        LOADING.release()
    _tell(watched, what)


def _tell(watched: WeakSet[Mortal], what: Callable[[Mortal], None]) -> None:
    for each in list(watched):
        what(each)


def _end(watched: WeakSet[Mortal]) -> None:
    """End open calls and shut all of them down; together they take no longer than the longest of them may."""
    end_open_calls()
    started = time.monotonic()
    for each in list(watched):
        each.shutdown(max(0.0, started + each.exit_timeout_seconds - time.monotonic()))
