"""The calls that layers above have promised to record: one slot each, in a bounded table that all threads share."""

import os
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import field, replace
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, cast
from weakref import ref

from .._context import InForce, in_force
from .._dataclass import dataclass
from .._guard import guarded
from .._lazy import make_lock
from .._record import NOBODY, Attribution, Failure, Generation, ReadLater, Recorded, Usage, whole
from .._state import Hold, Holder, state
from ._above import around_here

if TYPE_CHECKING:
    from ._vigils import Vigil

MAX_SLOTS: Final = 4_096
"""
Calls remembered, those that have ended among them: what speaks late must be known. A slot has some 300 bytes.

Those that go on are not forgotten; there are as many as the application itself has open.
"""

MAX_PASSED_OVER: Final = 64
"""Calls that are met, forgotten or going on, while some are looked for that can be forgotten."""

MAX_ATTEMPTS: Final = 8
"""Attempts of a call that are told apart: the second word on one comes milliseconds after the first."""

MAX_LIVE: Final = 8
"""Slots that a context carries; a call in a call in a call is three."""

UNREAD: Final = frozenset({"abandoned", "CancelledError", "GeneratorExit"})
"""Failures that are the application's own doing: the provider may have been paid."""


@dataclass(slots=True, eq=False)
class Held:
    """
    A record of the client that waits for the layer above.

    It is written down at once, and counts from then on though the process be killed. A failure that cost nothing waits
    in memory alone: it may turn out to be a part of something else, and what is written down is recorded in the end.

    Attributes:
        recorded: The record; of an ordinary answer it is read later.
        sink: Where it is recorded in the end.
        due: When the layer above has been waited for long enough, by `time.monotonic`.
        process: A forked child has copies of what its parent holds; they are the parent's to record.
        hold: What it was written down as.
        is_being_written: Whoever writes it down ends it as well, if it has been told how.
        final: What it was ended as.
    """

    recorded: Generation | ReadLater
    sink: Holder
    due: float
    process: int = field(default_factory=os.getpid)
    hold: Hold | None = None
    is_being_written: bool = False
    final: Recorded | None = None

    @property
    def generation(self) -> Generation:
        """The record, read."""
        return whole(self.recorded)

    @property
    def failure(self) -> Failure | None:
        """How the call failed; what is read later has not."""
        return self.recorded.failure if isinstance(self.recorded, Generation) else None

    @property
    def job(self) -> str | None:
        """The id under which it may be a job's; those are read at once."""
        return self.recorded.id if isinstance(self.recorded, Generation) else None

    @property
    def is_unread(self) -> bool:
        """Whether the application itself ended the call."""
        return self.failure is not None and self.failure.type in UNREAD

    @property
    def cost_nothing(self) -> bool:
        """Whether it failed, and nothing says that it was paid for."""
        return self.failure is not None and not self.is_unread and not self.generation.usage.known

    def write_down(self) -> None:
        """Have it outlive the process; without the lock, because this writes to a disk."""
        if not self.is_being_written:
            return
        hold = self.sink.hold(self.recorded)
        with state.slots_lock:
            self.hold, self.is_being_written = hold, False
            final = self.final
        if final is not None:
            hold.settle(final)

    def end(self, final: Recorded | None = None) -> None:
        """Record *final* in its place, or it as it is. Once."""
        if self.process != os.getpid():
            return
        with state.slots_lock:
            if self.final is not None:
                return
            self.final = final or self.recorded
            if self.is_being_written:
                return
        try:
            if self.hold is None:
                self.sink.record(self.final)
            else:
                self.hold.settle(self.final)
        except BaseException:
            with guarded("recording a held call"):
                raise


class Slot:
    """
    One call as the layer above sees it.

    No dataclass, whose constructor takes twice as long: there is one for each call.

    Args:
        started: See below.
        key: See below.

    Attributes:
        started: Attribution and active span where the call was made; its end may come on another thread.
        keeps_content: False if the layer above was told to keep content to itself.
        silent: The application wants no record of this call.
        held: What the client has recorded so far.
        told: For each time that the layer above spoke before the client did: whether the call had gone well.
        given_up: Nobody waits for the layer above any more; the process ends.
        taken_over: The client's record was recorded without the layer above.
        spoken: The layer above has spoken.
        key: The layer's own id of it.
        attempts: Those that the layer above has spoken of, the latest last.
        usage: What the provider reported on the way, and the layer above has dropped.
        says: Who the call is for, as the layer above has been told at its start; kept until it speaks.
        vigils: Attempts that the layer above has not spoken of, the latest last.
        teller: What of the layer's will speak of the latest attempt.
        answer: What the layer above has told of it, where one call may be told of as two.
    """

    __slots__ = (
        "answer", "attempts", "given_up", "held", "keeps_content", "key", "says", "silent", "spoken", "started",
        "taken_over", "teller", "told", "usage", "vigils",
    )  # fmt: skip

    def __init__(self, started: InForce, key: str = "") -> None:
        self.started, self.key = started, key
        self.keeps_content = True
        self.silent = self.given_up = self.taken_over = self.spoken = False
        self.held: list[Held] = []
        self.told: list[bool] = []
        self.vigils: list[Vigil] = []
        self.attempts: tuple[object, ...] = ()
        self.usage: Usage | None = None
        self.says: Callable[[], Attribution] | None = None
        self.teller: ref[object] | None = None
        self.answer: object = None

    def is_repeated(self, held: Held) -> bool:
        """A failed attempt that cost nothing and that the layer above repeated by itself is part of its one call."""
        return self.spoken and held.cost_nothing


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
    slot = slot_of(layer, key, in_force(NOBODY, state.defaults, around_here(answers=answers)))
    others = _live.get()
    if others:
        others = tuple([each for each in others if not each.spoken and each is not slot][1 - MAX_LIVE :])
    _live.set((*others, slot))
    return slot


def innermost_live() -> Slot | None:
    """The call that was opened last in this context and has not been spoken of."""
    return next((each for each in reversed(_live.get()) if not each.spoken), None)


def note_usage(layer: str, key: str, usage: Usage) -> None:
    """Keep what a provider has reported of a call that *layer* will speak of without it."""
    slot_of(layer, key).usage = usage


def is_first_word(slot: Slot, attempt: object) -> bool:
    """Whether the layer above speaks of this attempt of a call for the first time; of some it does so twice."""
    with state.slots_lock:
        is_first = attempt not in slot.attempts
        if is_first:
            slot.attempts = (*slot.attempts[1 - MAX_ATTEMPTS :], attempt)
    return is_first


def slot_of(layer: str, key: str, started: InForce | None = None) -> Slot:
    """
    The slot of a call; a new one if nobody has seen it start.

    Args:
        layer: ``litellm``.
        key: The layer's own id of the call.
        started: What is in force where it starts, which is here.
    """
    name = f"{layer}:{key}"
    slot: Any = state.slots.get(name)
    if slot is None:
        made = Slot(started or in_force(NOBODY, state.defaults), key)
        slot = state.slots.setdefault(name, made)  # a single step: two threads have the same one
        if len(state.slots) > MAX_SLOTS:
            _forget_oldest()
    if started is not None:
        slot.started = started
    found: Slot = slot
    return found


def is_open(layer: str, key: str) -> bool:
    """Whether the start of a call has been seen, or anything else of it."""
    return f"{layer}:{key}" in state.slots


def alone(held: Held, says: Callable[[], Attribution] | None, started: InForce) -> Generation:
    """
    The client's record, to be recorded without the layer above, which will not speak any more.

    Args:
        held: It.
        says: Who the call is for, as the layer has been told at its start.
        started: What was in force then.
    """
    generation = held.generation
    with guarded("attributing a held call"):
        if says is not None:
            attribution = says().over(started.attribution).over(generation.attribution)
            return replace(generation, attribution=attribution)
    return generation


def _forget_oldest() -> None:
    """
    Take the oldest calls out of the table; those that go on are put behind the youngest, and are in it all the time.

    Several at once, so that the lock is seldom taken.
    """
    left: list[tuple[Held, Callable[[], Attribution] | None, InForce]] = []
    with state.slots_lock:
        for slot in _forgotten():
            state.watched.pop(slot, None)
            left += [(each, slot.says, slot.started) for each in slot.held if not slot.is_repeated(each)]
            slot.held = []
    for each, says, started in left:
        each.end(alone(each, says, started))


def _forgotten() -> list[Slot]:
    """Those that are out of the table now; for who has the lock."""
    forgotten: list[Slot] = []
    try:
        oldest = list(islice(state.slots, MAX_PASSED_OVER))
    except RuntimeError:  # another thread, which needs no lock for that, has put in a call, and is about to come here
        return forgotten
    for name in oldest:
        slot = cast("Slot | None", state.slots.get(name))
        if slot is None:  # a signal's handler has made room meanwhile
            continue
        if slot.vigils:
            state.slots.move_to_end(name)  # a single step: were it out for a moment, a word on it would find another
            continue
        state.slots.pop(name, None)
        forgotten.append(slot)
        if len(forgotten) >= MAX_SLOTS // MAX_PASSED_OVER:
            break
    return forgotten


def watch_slot(slot: Slot) -> None:
    """Something of this call is waited for."""
    state.watched[slot] = None


def unwatch_slot(slot: Slot) -> None:
    """Something of this call is not waited for any more; it is watched until that is so of everything."""
    if not slot.held and not slot.vigils:
        state.watched.pop(slot, None)


def watched_slots() -> list[Slot]:
    """Those of which something is waited for. Most of the others are over: to look at them all took milliseconds."""
    return cast("list[Slot]", list(state.watched))


def all_slots() -> list[Slot]:
    """Every slot, the oldest first; for who has the lock."""
    return cast("list[Slot]", list(state.slots.values()))


@cache
def watch_forks() -> None:
    """See to it that no forked child inherits what other threads of its parent are doing. Once per process."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_renew)


def _renew() -> None:
    state.slots_lock, state.hooks_lock = make_lock(), make_lock()
    state.watched.clear()  # what it waits for is the parent's to record
    state.speaking = []  # the parent's, by threads that are not here
