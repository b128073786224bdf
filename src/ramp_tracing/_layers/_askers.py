"""
Who asks a model, for what the model does in threads and tasks of its own.

The stack of a thread or a task that a model's code starts does not show the model. Its context does: it is a copy of
the context in which the model was asked. Whether the model is still in the middle of its call is then looked up on the
stack of who asked, so that a call of the application's own, which has the same context, is not taken for the model's.
"""

import gc
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from types import AsyncGeneratorType, CoroutineType, FrameType, GeneratorType
from typing import Any, Final
from weakref import ref

from .._state import state

MAX_ASKED: Final = 8
"""Runs that a context carries: those of the prompts that are asked together, and of models that ask models."""

MAX_DEPTH: Final = 1_000
"""Python's own limit on a stack."""


NAMES: Final[Mapping[type, tuple[str, str]]] = {
    AsyncGeneratorType: ("ag_frame", "ag_await"),
    CoroutineType: ("cr_frame", "cr_await"),
    GeneratorType: ("gi_frame", "gi_yieldfrom"),
}
"""What can wait for something: where its frame is, and what it waits for."""

Asker = tuple[tuple[object, ...], int, "ref[Any] | None"]
"""
Who has asked models in a context: the ids of the last models' runs, the thread where the last one was asked, and the
task that did so, in async code. A plain tuple, which is made for each call: one with names takes three times as long.
"""

_asker: ContextVar[Asker | None] = ContextVar("ramp_tracing_asker", default=None)


def note_asker(run_id: object, task: "ref[Any] | None") -> None:
    """Note that here and now *task*, or sync code, asks a model, which is the run of that id and open already."""
    before = _asker.get()
    # Where no other run is open, the earlier ones have ended.
    earlier = () if before is None or len(state.runs) <= 1 else before[0][1 - MAX_ASKED :]
    _asker.set(((*earlier, run_id), threading.get_ident(), task))


def asked_in_context() -> tuple[object, ...]:
    """The ids of the models' runs that began in this context, or in the one that it is a copy of."""
    asker = _asker.get()
    return () if asker is None else asker[0]


def frames_of_asker() -> Iterator[FrameType]:
    """The stack of who asked last in this context, the innermost frame first; nothing if it is no more."""
    asker = _asker.get()
    if asker is None:
        return iter(())
    _, thread, asking = asker
    task = None if asking is None else asking()
    if asking is not None and task is None:
        return iter(())
    here = current_task()
    if task is None or (here is not None and here() is task):
        return _frames_of_thread(thread)
    return _frames_of_task(task)


def current_task() -> "ref[Any] | None":
    """The task that runs here; `None` in sync code."""
    asyncio = sys.modules.get("asyncio")
    # For those who make event loops: says without an exception, which is ten times as dear, that none runs here.
    running = getattr(asyncio, "_get_running_loop", None)
    loop = None if running is None else running()
    if asyncio is None or loop is None:
        return None
    task = asyncio.current_task(loop)
    return None if task is None else ref(task)


def _frames_of_thread(thread: int) -> Iterator[FrameType]:
    frame = sys._current_frames().get(thread)  # pyright: ignore[reportPrivateUsage] - documented, for debuggers
    for _ in range(MAX_DEPTH):
        if frame is None:
            return
        yield frame
        frame = frame.f_back


def _frames_of_task(task: Any) -> Iterator[FrameType]:
    """A task that waits has no stack: its coroutines hang from one another. LangChain asks with `asyncio.gather`."""
    for each in (*_gathered_by(task), task):
        frames: list[FrameType] = []
        work = _stepping(each.get_coro() if hasattr(each, "get_coro") else None)
        while len(frames) < MAX_DEPTH and (names := NAMES.get(type(work))) is not None:
            frame, awaited = (getattr(work, name) for name in names)
            if frame is None:
                break
            frames.append(frame)
            work = _stepping(awaited)
        yield from reversed(frames)


def _stepping(awaited: object) -> object:
    """What is awaited; of a step of an async generator, which does not name it, the generator."""
    if awaited is None or type(awaited) in NAMES:
        return awaited
    referred = gc.get_referents(awaited)  # there is no other way to ask
    if type(awaited).__name__ == "anext_awaitable":  # around the step, where `anext` has a default
        referred = gc.get_referents(*referred)
    generators: list[object] = [each for each in referred if type(each) in NAMES]
    return generators[0] if generators else None


def _gathered_by(task: Any) -> Sequence[Any]:
    """The tasks that *task* waits for together. Not public; where it is not there, nothing is found."""
    children: Sequence[Any] = getattr(getattr(task, "_fut_waiter", None), "_children", ())
    return children[:MAX_ASKED]
