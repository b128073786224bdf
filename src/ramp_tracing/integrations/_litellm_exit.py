"""
What LiteLLM has still to tell when a program ends or wants to wait.

It tells of async calls from a worker of its own, after they have returned. At the end of the process that worker does
200 of them and gives up the rest, and it may come after our delivery has ended.
"""

import asyncio
import time
from importlib import import_module
from threading import Thread
from typing import Any, Final

from .._guard import guarded
from .._state import state

SECONDS: Final = 5.0
"""At most: the end of a process is waited for."""

ROUNDS: Final = 250
"""Of 200 events each: its queue has room for 50,000."""


def drain_at_exit() -> None:
    """Let LiteLLM tell everything; there is no event loop any more."""
    if state.sink is None:
        return
    with guarded("waiting for what LiteLLM has to tell"):
        worker = _worker()
        if worker is None or worker._queue is None:
            return
        _tell_all(worker, SECONDS)


async def catch_up() -> None:
    """Wait until LiteLLM has told of everything that is over; for a running event loop."""
    with guarded("waiting for what LiteLLM has to tell"):
        worker = _worker()
        if worker is not None:
            await asyncio.sleep(0)  # what is to be told is put into the queue by tasks of their own
            await worker.flush()


def catch_up_alone(seconds: float) -> None:
    """
    Let LiteLLM tell what it had to tell when its event loop ended: it would do so with the next one, or at the end.

    On a thread of its own, because LiteLLM makes an event loop for that, and leaves it where the application's was.
    """
    with guarded("waiting for what LiteLLM has to tell"):
        worker = _worker()
        if _has_lost_its_loop(worker):
            telling = Thread(target=_tell_all, args=(worker, seconds), name="ramp-tracing-litellm", daemon=True)
            telling.start()
            telling.join(seconds)


def _tell_all(worker: Any, seconds: float) -> None:
    """Again and again, because it tells of 200 calls each time."""
    until = time.monotonic() + seconds
    with guarded("having LiteLLM tell"):
        for _ in range(ROUNDS):
            worker._flush_on_exit()  # not public; LiteLLM's own handler, which knows what was taken out and not begun
            if worker._queue.empty() or time.monotonic() > until:
                return


def _has_lost_its_loop(worker: Any) -> bool:
    """Whether something waits for an event loop that has been closed, as `asyncio.run` does at its end."""
    loop, queue = getattr(worker, "_bound_loop", None), getattr(worker, "_queue", None)
    if loop is None or queue is None or not loop.is_closed():
        return False
    return not queue.empty() or bool(getattr(worker, "_dequeued_tasks", None))


def _worker() -> Any:
    return getattr(import_module("litellm.litellm_core_utils.logging_worker"), "GLOBAL_LOGGING_WORKER", None)
