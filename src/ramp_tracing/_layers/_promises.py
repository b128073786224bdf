"""What the client below records is held until the layer above has spoken, or has been waited for long enough."""

import time
from collections.abc import Callable
from contextlib import suppress
from threading import Timer
from typing import Final, cast

from .._context import InForce
from .._record import Attribution, Failure, Generation, GenerationId, JobNote, ReadLater, Recorded, Usage
from .._state import Holder, Sink, state
from ._slots import (
    NO_SLOT,
    UNREAD,
    Held,
    Slot,
    all_slots,
    alone,
    innermost_live,
    slot_of,
    unwatch_slot,
    watch_slot,
    watched_slots,
)
from ._stack import layer_above
from ._vigils import end_vigils, note_client

SECONDS_FOR_SUCCESS: Final = 60.0
"""LiteLLM speaks of a call that went well within milliseconds, on a crowded machine within seconds."""

SECONDS_FOR_FAILURE: Final = 5.0
"""It speaks of a failure before it raises, of an abandoned or cancelled call not at all."""

SECONDS_BETWEEN_LOOKS: Final = 1.0


class PromisedSink:
    """
    Where the client records a call that a layer above has promised to record.

    Args:
        sink: Where the call is recorded in the end.
        slot: The promise.
    """

    __slots__ = ("_sink", "_slot")

    def __init__(self, sink: Holder, slot: Slot) -> None:
        self._sink = sink
        self._slot = slot

    @property
    def keeps_content(self) -> bool:
        """False in privacy mode, and where the layer above keeps content to itself."""
        return self._sink.keeps_content and self._slot.keeps_content

    def record(self, recorded: Recorded) -> None:
        """Hold a record until the layer above has spoken, or long enough."""
        slot, held = self._slot, Held(_leant(recorded), self._sink, 0.0)
        held.due = time.monotonic() + (SECONDS_FOR_SUCCESS if held.failure is None else SECONDS_FOR_FAILURE)
        with state.slots_lock:
            if slot.silent or _told_of(slot, held.failure):
                return
            given_up = slot.given_up
            if given_up:
                slot.taken_over = True
            else:
                held.is_being_written = not held.cost_nothing
                slot.held.append(held)
                watch_slot(slot)
        if given_up:
            held.end(alone(held, slot.says, slot.started))
        else:
            held.write_down()
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


class Settled:
    """
    What is known of a call when the layer above speaks of it. (A named tuple takes three times as long to make.)

    Args:
        started: See below; the others likewise.

    Attributes:
        started: What was in force where the call was made.
        promise: The client's record of the same exchange, to be ended by who records the call.
        usage: What the provider reported, as far as only a look at the chunks could tell.
        late: It was recorded without the layer above, which now comes too late.
        keeps_content: False if the layer above was told to keep content to itself.
    """

    __slots__ = ("keeps_content", "late", "promise", "started", "usage")

    def __init__(
        self, started: InForce, promise: Held | None, usage: Usage | None, *, late: bool, keeps_content: bool = True
    ) -> None:
        self.started, self.promise, self.usage = started, promise, usage
        self.late, self.keeps_content = late, keeps_content

    @property
    def held(self) -> Generation | None:
        """The client's record of the same exchange."""
        return None if self.promise is None else self.promise.generation


def _leant(recorded: Recorded) -> Generation | ReadLater:
    """*recorded* with what is to be written down of it, which is looked for once; if that is all of it, read."""
    if isinstance(recorded, Generation):
        return recorded
    written = recorded.written()
    if isinstance(written, Generation):
        return recorded.whole()
    made = ReadLater(written, lambda _: recorded.whole())
    made.size_bytes = recorded.size_bytes
    return made


def promised(sink: Holder) -> Sink:
    """Where a call of the client that starts here is recorded: *sink*, or where it waits for the layer above."""
    above = layer_above()
    if above is None:
        return sink
    layer, key = above
    slot = innermost_live() if key is None else slot_of(layer.name, key)
    if slot is None:
        return sink
    note_client(slot)
    return PromisedSink(sink, slot)


def settle(slot: Slot, *, ok: bool, job: str | None = None) -> Settled:
    """
    The layer above speaks of the end of a call.

    Who waits for that waits for the record that is made of it: until `stop_speaking`.

    Args:
        slot: The call; attempts of one call can share it.
        ok: Whether it went well.
        job: The id of the paid work that it is about, whose record may be held under the call that created it.
    """
    with state.slots_lock:
        slot.spoken = True
        slot.says = None
        end_vigils(slot)
        owner, held = slot, None
        if job is not None:
            owner, held = _held_for(job)
        elif slot.held:
            held = _matching(slot, ok=ok)
        if held is not None:
            owner.held.remove(held)
            unwatch_slot(owner)
        elif not slot.taken_over:
            slot.told.append(ok)
        unwatch_slot(slot)
        state.speaking.append(slot)
    late = held is None and slot.taken_over
    return Settled(slot.started, held, slot.usage, late=late, keeps_content=slot.keeps_content)


def stop_speaking() -> None:
    """A record has been made of what the layer above said, or there is none to be made; once for each `settle`."""
    del state.speaking[-1:]  # which of them it is, nobody asks; a forked child has none


def is_waiting() -> bool:
    """Whether a call that went well waits for the layer above, or for its record to be made."""
    with state.slots_lock:
        return bool(state.speaking) or any(_is_waiting(slot) for slot in watched_slots())


def release(*, for_good: bool = False) -> None:
    """
    Record everything that is held.

    Args:
        for_good: The process ends: what finalizers still bring is not to be held either.
    """
    if for_good:
        with state.slots_lock:
            for slot in all_slots():
                slot.given_up = True
    _record_overdue(float("inf"))


def _is_waiting(slot: Slot) -> bool:
    answered = any(vigil.answered and not vigil.is_below for vigil in slot.vigils)
    return answered or any(held.failure is None for held in slot.held)


def _told_of(slot: Slot, failure: Failure | None) -> bool:
    """Whether the layer above has spoken of this already: a stream that it stopped reading ends here after its end."""
    wanted = [False] if failure is not None and failure.type not in UNREAD else [True]
    told = next((each for each in slot.told if each in wanted), None)
    if told is not None:
        slot.told.remove(told)
    return told is not None


def _matching(slot: Slot, *, ok: bool) -> Held | None:
    """The held record of what the layer above speaks of; an answer that it could not read failed for it alone."""
    same = next((each for each in slot.held if (each.failure is None) == ok), None)
    if same is not None:
        return same
    return next((each for each in slot.held if not ok or each.is_unread), None)


def _held_for(job: str) -> tuple[Slot, Held | None]:
    found = ((slot, held) for slot in watched_slots() for held in slot.held if held.job == job)
    return next(found, (NO_SLOT, None))


def _record_overdue(now: float) -> None:
    for held, says, started in _overdue(now):
        held.end(alone(held, says, started))


def _overdue(now: float) -> list[tuple[Held, Callable[[], Attribution] | None, InForce]]:
    """Take out what has waited long enough and is to be recorded without the layer above, with what that has said."""
    due: list[tuple[Held, Callable[[], Attribution] | None, InForce]] = []
    with state.slots_lock:
        for slot in watched_slots():
            over = [each for each in slot.held if each.due <= now]
            if over:
                slot.held = [each for each in slot.held if each.due > now]
                unwatch_slot(slot)
                # What was spoken of may be an earlier failure: LiteLLM's fallbacks go under the same id.
                slot.taken_over |= not slot.spoken or any(each.failure is None for each in over)
                due += [(each, slot.says, slot.started) for each in over if not slot.is_repeated(each)]
                slot.says = slot.says if slot.held else None
    return due


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
    _record_overdue(time.monotonic())
    with state.slots_lock:
        anything = any(slot.held for slot in watched_slots())
    if anything:
        state.timer = None
        _look_later()
