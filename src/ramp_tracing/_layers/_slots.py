"""The calls that layers above have promised to record: one slot each, in a bounded table that all threads share."""

import os
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from threading import Lock
from typing import Final, NamedTuple, cast

from .._context import InForce, in_force
from .._guard import guarded
from .._record import NOBODY, Generation, Usage
from .._state import Sink, state
from ._runs import around_here

MAX_SLOTS: Final = 4_096
"""Calls remembered, those that have ended among them: what speaks late must be known. A slot has some 300 bytes."""

MAX_LIVE: Final = 8
"""Slots that a context carries; a call in a call in a call is three."""

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

    @property
    def is_unread(self) -> bool:
        """Whether the application itself ended the call."""
        return self.generation.failure is not None and self.generation.failure.type in UNREAD

    def record(self) -> None:
        """Record it as it is."""
        if self.process == os.getpid():
            with guarded("recording a held call"):
                self.sink.record(self.generation)


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

    def is_repeated(self, held: Held) -> bool:
        """A failed attempt that cost nothing and that the layer above repeated by itself is part of its one call."""
        failed = held.generation.failure is not None and not held.is_unread
        return self.spoken and failed and not held.generation.usage.known


NO_SLOT: Final = Slot(InForce(NOBODY, None))

_live: ContextVar[tuple[Slot, ...]] = ContextVar("ramp_tracing_live_slots", default=())


def open_slot(layer: str, key: str, *, answers: bool = True) -> Slot:
    """
    Note that *layer* has seen a call start, here and now, and will record it.

    Args:
        layer: ``litellm``.
        key: The layer's own id of the call.
        answers: It is a call that a model's answer can come from; see `around_here`.
    """
    slot = slot_of(layer, key)
    slot.started = in_force(NOBODY, state.defaults, around_here(answers=answers))
    others = [each for each in _live.get() if not each.spoken and each is not slot]
    _live.set((*others[1 - MAX_LIVE :], slot))
    return slot


def innermost_live() -> Slot | None:
    """The call that was opened last in this context and has not been spoken of."""
    return next((each for each in reversed(_live.get()) if not each.spoken), None)


def note_usage(layer: str, key: str, usage: Usage) -> None:
    """Keep what a provider has reported of a call that *layer* will speak of without it."""
    slot_of(layer, key).usage = usage


def slot_of(layer: str, key: str) -> Slot:
    """The slot of a call; a new one if nobody has seen it start."""
    name, forgotten = f"{layer}:{key}", None
    with state.slots_lock:
        slot = cast("Slot | None", state.slots.get(name))
        if slot is None:
            if len(state.slots) >= MAX_SLOTS:
                forgotten = cast("Slot", state.slots.pop(next(iter(state.slots))))
            slot = state.slots[name] = Slot(in_force(NOBODY, state.defaults))
    if forgotten is not None:
        for each in forgotten.held:
            if not forgotten.is_repeated(each):
                each.record()
    return slot


def all_slots() -> list[Slot]:
    """Every slot, the oldest first; for who has the lock."""
    return [cast("Slot", each) for each in state.slots.values()]


@cache
def watch_forks() -> None:
    """See to it that no forked child inherits the lock as another thread of its parent held it. Once per process."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_renew_lock)


def _renew_lock() -> None:
    state.slots_lock = Lock()
