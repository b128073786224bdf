"""Waiting until every library has said everything about the calls so far. No fixed time: until nothing is under way."""

import asyncio
import gc
import threading
import time
from typing import Any, Final

from ramp_tracing import _layers

from .stacks import litellm

SECONDS: Final = 60.0
"""At most: LiteLLM imports much at its first call."""

TELLS: Final = ("failure_handler", "success_handler", "litellm")
"""In the names of LiteLLM's threads that tell callbacks of a call and then end."""


def be_quiet(runner: asyncio.Runner) -> None:
    """Wait for what is to come, let go of what was dropped, and record what waits for a layer that says nothing."""
    runner.run(_settled())
    gc.collect()
    gc.freeze()  # the libraries are large: the next collection is then of what has come since, and quick
    runner.run(_settled())
    _layers.release()


async def _settled() -> None:
    until = time.monotonic() + SECONDS
    for _ in range(3):  # what is said can give rise to more
        while not _is_quiet():
            assert time.monotonic() < until, ("still under way", _tasks(), _threads(), _is_telling())
            await asyncio.sleep(0.001)
        await asyncio.sleep(0)


def _is_quiet() -> bool:
    return not (_tasks() or _threads() or _is_telling())


def _tasks() -> list[Any]:
    own = (asyncio.current_task(), litellm.litellm_core_utils.logging_worker.GLOBAL_LOGGING_WORKER._worker_task)
    return [each for each in asyncio.all_tasks() if each not in own]


def _threads() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if any(name in each.name for name in TELLS[:2])]


def _is_telling() -> bool:
    """Whether LiteLLM's pool or its worker has something to do; neither offers a way to ask."""
    worker = litellm.litellm_core_utils.logging_worker.GLOBAL_LOGGING_WORKER
    pool = litellm.litellm_core_utils.thread_pool_executor.executor
    queued = worker._queue is not None and not worker._queue.empty()
    return queued or bool(worker._running_tasks) or pool._pending_slots._value < pool._max_pending_tasks
