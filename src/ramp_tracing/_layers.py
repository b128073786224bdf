"""
One call, one record.

A call may pass through several libraries that we watch: LiteLLM sends many of its own through the openai client. Which
of them records is decided here and nowhere else. Precedence: LiteLLM (it knows configured prices, team and key), then
the client that has the exchange with the provider, then LangChain. The others add what they know.

A layer that records opens a slot for each call it has seen start, under the call's own id. The client below asks, at
the start of its call, whether a slot has promised to record it: a frame of the layer must be on the stack, and name
the call. Its own record is then held, never dropped. The layer above takes it over when it speaks; if it does not,
because LiteLLM says nothing of calls that are abandoned or cancelled, the held record is recorded as it is.

A call that the application makes itself, in the loop over somebody else's stream too, has no such frame above it.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from threading import Lock, Timer
from types import FrameType
from typing import Final, NamedTuple, cast

from ._context import InForce, in_force
from ._guard import guarded
from ._record import NOBODY, Generation, GenerationId, JobNote, Usage
from ._state import Layer, Sink, state

MAX_SLOTS: Final = 4_096
"""Calls remembered, those that have ended among them: what speaks late must be known. A slot has some 300 bytes."""

MAX_LIVE: Final = 8
"""Slots that a context carries; a call in a call in a call is three."""

MAX_FRAMES: Final = 12
"""How far up the layer is looked for: LiteLLM is two to five frames above the client."""

SECONDS_FOR_SUCCESS: Final = 60.0
"""LiteLLM speaks of a call that went well within milliseconds, on a crowded machine within seconds."""

SECONDS_FOR_FAILURE: Final = 5.0
"""It speaks of a failure before it raises, of an abandoned or cancelled call not at all."""

SECONDS_BETWEEN_LOOKS: Final = 1.0

UNREAD: Final = frozenset({"abandoned", "CancelledError", "GeneratorExit"})
"""Failures that are the application's own doing: the provider may have been paid."""


class Held(NamedTuple):
    """A record of the client that waits for the layer above."""

    generation: Generation
    sink: Sink
    due: float
    """When the layer above has been waited for long enough, by `time.monotonic`."""
    process: int
    """A forked child has copies of what its parent holds; they are the parent's to record."""


@dataclass(slots=True, eq=False)
class Slot:
    """
    One call as the layer above sees it.

    Attributes:
        started: Attribution and active span where the call was made; its end may come on another thread.
        keeps_content: False if the layer above was told to keep content to itself.
        silent: The application wants no record of this call.
        held: What the client has recorded so far.
        told: For each time that the layer above spoke before the client did: whether the call had gone well.
        given_up: Nobody waits for the layer above any more; the process ends.
        taken_over: The client's record was recorded without the layer above.
        spoken: The layer above has spoken.
        usage: What the provider reported on the way, and the layer above has dropped.
    """

    started: InForce
    keeps_content: bool = True
    silent: bool = False
    held: list[Held] = field(default_factory=list[Held])
    told: list[bool] = field(default_factory=list[bool])
    given_up: bool = False
    taken_over: bool = False
    spoken: bool = False
    usage: Usage | None = None

    def opened(self, *, keeps_content: bool, silent: bool) -> None:
        """Note what the layer above has been told of this call."""
        self.keeps_content = keeps_content
        self.silent = silent


NO_SLOT: Final = Slot(InForce(NOBODY, None))

_live: ContextVar[tuple[Slot, ...]] = ContextVar("ramp_tracing_live_slots", default=())


class PromisedSink:
    """
    Where the client records a call that a layer above has promised to record.

    Args:
        sink: Where the call is recorded in the end.
        slot: The promise.
    """

    __slots__ = ("_sink", "_slot")

    def __init__(self, sink: Sink, slot: Slot) -> None:
        self._sink = sink
        self._slot = slot

    @property
    def keeps_content(self) -> bool:
        """False in privacy mode, and where the layer above keeps content to itself."""
        return self._sink.keeps_content and self._slot.keeps_content

    def record(self, generation: Generation) -> None:
        """Hold *generation* until the layer above has spoken, or long enough."""
        slot, seconds = self._slot, SECONDS_FOR_SUCCESS if generation.failure is None else SECONDS_FOR_FAILURE
        with state.slots_lock:
            if slot.silent or _told_of(slot, generation):
                return
            held = Held(generation, self._sink, time.monotonic() + seconds, os.getpid())
            if slot.given_up:
                slot.taken_over = True
            else:
                slot.held.append(held)
        if slot.given_up:
            _record([held])
        else:
            _look_later()

    def job(self, job: GenerationId) -> JobNote:
        """What was noted of a job."""
        return self._sink.job(job)

    def stand_by(self) -> None:
        """Be ready to be told by `defer`."""
        self._sink.stand_by()

    def defer(self, finish: Callable[[], None]) -> None:
        """Call *finish* soon, on a thread that holds no lock of ours."""
        self._sink.defer(finish)


class Settled(NamedTuple):
    """What is known of a call when the layer above speaks of it."""

    started: InForce
    held: Generation | None
    """The client's record of the same exchange."""
    usage: Usage | None
    """What the provider reported, as far as only a look at the chunks could tell."""
    late: bool
    """It was recorded without the layer above, which now comes too late."""


def open_slot(layer: str, key: str) -> Slot:
    """
    Note that *layer* has seen a call start, here and now, and will record it.

    Args:
        layer: ``litellm``.
        key: The layer's own id of the call.
    """
    slot = _slot(layer, key)
    slot.started = in_force(NOBODY, state.defaults)
    others = [each for each in _live.get() if not each.spoken and each is not slot]
    _live.set((*others[1 - MAX_LIVE :], slot))
    return slot


@cache
def watch_forks() -> None:
    """See to it that no forked child inherits the lock as another thread of its parent held it. Once per process."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_renew_lock)


def _renew_lock() -> None:
    state.slots_lock = Lock()


def sink_under(sink: Sink) -> Sink:
    """Where a call of the client that starts here is recorded: *sink*, or where it waits for the layer above."""
    if not state.layers:
        return sink
    slot = _promised()
    return sink if slot is None else PromisedSink(sink, slot)


def settle(layer: str, key: str, *, ok: bool, job: str | None = None) -> Settled:
    """
    The layer above speaks of the end of a call.

    Args:
        layer: ``litellm``.
        key: Its id of the call; attempts of one call can share it.
        ok: Whether it went well.
        job: The id of the paid work that it is about, whose record may be held under the call that created it.
    """
    slot = _slot(layer, key)
    with state.slots_lock:
        slot.spoken = True
        owner, held = _held_for(job) if job is not None else (slot, _matching(slot, ok=ok))
        if held is not None:
            owner.held.remove(held)
        elif not slot.taken_over:
            slot.told.append(ok)
    generation = None if held is None else held.generation
    return Settled(slot.started, generation, slot.usage, held is None and slot.taken_over)


def note_usage(layer: str, key: str, usage: Usage) -> None:
    """Keep what a provider has reported of a call that *layer* will speak of without it."""
    _slot(layer, key).usage = usage


def is_waiting() -> bool:
    """Whether a call that went well waits for the layer above."""
    with state.slots_lock:
        return any(held.generation.failure is None for slot in _slots() for held in slot.held)


def release(*, for_good: bool = False) -> None:
    """
    Record everything that is held.

    Args:
        for_good: The process ends: what finalizers still bring is not to be held either.
    """
    if for_good:
        with state.slots_lock:
            for slot in _slots():
                slot.given_up = True
    _record(_overdue(float("inf")))


def _slots() -> list[Slot]:
    return [cast("Slot", each) for each in state.slots.values()]


def _slot(layer: str, key: str) -> Slot:
    """The slot of a call; a new one if nobody has seen it start."""
    name, forgotten = f"{layer}:{key}", None
    with state.slots_lock:
        slot = cast("Slot | None", state.slots.get(name))
        if slot is None:
            if len(state.slots) >= MAX_SLOTS:
                forgotten = cast("Slot", state.slots.pop(next(iter(state.slots))))
            slot = state.slots[name] = Slot(in_force(NOBODY, state.defaults))
    if forgotten is not None:
        _record([each for each in forgotten.held if not _is_repeated(forgotten, each)])
    return slot


def _promised() -> Slot | None:
    """The promise to record the client's call that starts here: made by a layer that is on the stack."""
    above = None
    for frame in _frames():
        module = frame.f_globals.get("__name__", "")
        for layer in state.layers.values():
            if isinstance(module, str) and module.startswith(layer.modules):
                above = layer
                key = layer.call_of(frame)
                if key is not None:
                    return _slot(layer.name, key)
    return None if above is None else _innermost_live()


def _frames() -> Iterator[FrameType]:
    frame = sys._getframe(2)  # pyright: ignore[reportPrivateUsage] - of who asks; `inspect` costs a thousand times more
    for _ in range(MAX_FRAMES + 4):  # four are ours and wrapt's
        if frame.f_back is None:
            return
        frame = frame.f_back
        yield frame


def _innermost_live() -> Slot | None:
    return next((each for each in reversed(_live.get()) if not each.spoken), None)


def _told_of(slot: Slot, generation: Generation) -> bool:
    """Whether the layer above has spoken of this already: a stream that it stopped reading ends here after its end."""
    failure = generation.failure
    wanted = [False] if failure is not None and failure.type not in UNREAD else [True]
    told = next((each for each in slot.told if each in wanted), None)
    if told is not None:
        slot.told.remove(told)
    return told is not None


def _matching(slot: Slot, *, ok: bool) -> Held | None:
    """The held record of what the layer above speaks of; an answer that it could not read failed for it alone."""
    same = next((each for each in slot.held if (each.generation.failure is None) == ok), None)
    if same is not None:
        return same
    return next((each for each in slot.held if not ok or _is_unread(each.generation)), None)


def _held_for(job: str) -> tuple[Slot, Held | None]:
    found = ((slot, held) for slot in _slots() for held in slot.held if held.generation.id == job)
    return next(found, (NO_SLOT, None))


def _is_unread(generation: Generation) -> bool:
    return generation.failure is not None and generation.failure.type in UNREAD


def _is_repeated(slot: Slot, held: Held) -> bool:
    """A failed attempt that cost nothing and that the layer above repeated by itself is part of its one call."""
    generation = held.generation
    return slot.spoken and generation.failure is not None and not generation.usage.known and not _is_unread(generation)


def _overdue(now: float) -> list[Held]:
    """Take out what has waited long enough and is to be recorded as it is."""
    due: list[Held] = []
    with state.slots_lock:
        for slot in _slots():
            over = [each for each in slot.held if each.due <= now]
            if over:
                slot.held = [each for each in slot.held if each.due > now]
                slot.taken_over = slot.taken_over or not slot.spoken
                due += [each for each in over if not _is_repeated(slot, each)]
    return due


def _record(held: list[Held]) -> None:
    for each in held:
        if each.process == os.getpid():
            with guarded("recording a held call"):
                each.sink.record(each.generation)


def _look_later() -> None:
    """Look for what is overdue a moment from now, on a thread that is there only while something is held."""
    timer = cast("Timer | None", state.timer)
    if timer is not None and timer.is_alive():
        return
    timer = Timer(SECONDS_BETWEEN_LOOKS, _look)
    timer.daemon = True
    state.timer = timer
    with suppress(RuntimeError):  # the interpreter ends: what is held is recorded on the way
        timer.start()


def _look() -> None:
    _record(_overdue(time.monotonic()))
    with state.slots_lock:
        anything = any(slot.held for slot in _slots())
    if anything:
        state.timer = None
        _look_later()


__all__: Final = [
    "Layer",
    "Settled",
    "Slot",
    "is_waiting",
    "note_usage",
    "open_slot",
    "release",
    "settle",
    "sink_under",
    "watch_forks",
]
