"""
Calls of which the layer above may never speak, and which nobody below has seen.

LiteLLM says nothing of a stream that is left early and of a task that is cancelled. But whatever it will still say of
a call, one object of its own says: while that lives the call may go on; when the garbage collector takes it unheard
the call is over, and nobody can speak of it any more.
"""

import os
from collections.abc import Callable, Sequence
from typing import TypeAlias
from weakref import ref

from .._guard import guarded
from .._record import Generation
from .._state import Sink, state
from ._slots import Slot, unwatch_slot, watch_slot


class Vigil:
    """
    Waits beside one attempt of a call until the layer has spoken of it, or can no more.

    It is open while it is in the list of its slot.

    Args:
        slot: The call.
        sink: Where it is recorded in the end.
        make: Makes the record; `None` if there was nothing to record after all.

    Attributes:
        answer: The whole answer that the layer has got; it is about to speak.
        is_below: The client below has taken up the call: its own record is there if the layer says nothing.
        streams: For each stream the layer has made of the answer: what has come so far.
    """

    __slots__ = (
        "__weakref__",
        "_make",
        "_process",
        "_repeats",
        "_sink",
        "_slot",
        "_teller",
        "answer",
        "is_below",
        "streams",
    )  # fmt: skip

    def __init__(self, slot: Slot, sink: Sink, make: "Make") -> None:
        self._slot = slot
        self._sink = sink
        self._make = make
        self._process = os.getpid()
        self._teller: ref[object] | None = None
        self._repeats = False
        self.answer: str | None = None
        self.is_below = False
        self.streams: list[Sequence[object]] = []

    def begin(self, teller: object) -> None:
        """Wait for *teller* to speak; an earlier attempt that has the same one has failed, and cost nothing."""
        if self._slot.teller is None:  # the first attempt, of which nobody speaks on another thread yet
            self._join(teller)
        else:
            with state.slots_lock:
                self._join(teller)
        state.open_streams[id(self)] = self
        self._sink.stand_by()
        self._teller = ref(teller, self._unheard)

    def _join(self, teller: object) -> None:
        """Be the latest of its slot's."""
        slot, before = self._slot, self._slot.teller
        if before is not None and before() is teller:
            self._repeats = slot.spoken
            end_vigils(slot)
        else:
            slot.taken_over = False  # an application may give an id of its own to several calls
        slot.teller = ref(teller)
        slot.vigils.append(self)
        watch_slot(slot)

    def end(self) -> None:
        """The layer has spoken; for who has the lock."""
        self._teller = None
        state.open_streams.pop(id(self), None)

    @property
    def answered(self) -> bool:
        """Whether the layer has got a whole answer."""
        return self.answer is not None

    @property
    def is_unheard(self) -> bool:
        """Whether nobody can speak of the call any more, though its end has not come yet."""
        return self._teller is not None and self._teller() is None

    def give_up(self) -> None:
        """Record the call as it is; later words of the layer's add nothing."""
        slot = self._slot
        with state.slots_lock:
            if self not in slot.vigils:
                return
            slot.vigils.remove(self)
            unwatch_slot(slot)
            self.end()
            # LiteLLM speaks of the first failure of a call alone, and then tries again.
            is_silent = self.is_below or (self._repeats and not self.streams)
            if is_silent or self._process != os.getpid():
                return
            slot.taken_over = True
            slot.says = None
        with guarded("recording a call that nobody speaks of"):
            generation = self._make(self)
            if generation is not None:
                self._sink.record(generation)

    def _unheard(self, _: object) -> None:
        """The garbage collector may run in the middle of anything, so the end comes elsewhere."""
        self._sink.defer(self.give_up)


Make: TypeAlias = Callable[[Vigil], Generation | None]
"""What makes the record of a call that nobody speaks of."""


def note_answer(slot: Slot, answer: str) -> None:
    """The layer has got a whole answer to the latest attempt. Needs no lock: single steps."""
    for vigil in slot.vigils[-1:]:
        vigil.answer = answer


def answer_of(slot: Slot) -> str | None:
    """The whole answer to the latest attempt, of which the layer has not spoken."""
    return next((vigil.answer for vigil in slot.vigils[-1:]), None)


def note_stream(slot: Slot, chunks: Sequence[object] | None) -> None:
    """
    The layer makes a stream of the answer to the latest attempt.

    Args:
        slot: The call.
        chunks: What it keeps of the stream, live; `None` if there is no provider behind it.
    """
    with state.slots_lock:
        if chunks is None:
            end_vigils(slot)
            unwatch_slot(slot)
            return
        for vigil in slot.vigils[-1:]:
            vigil.streams.append(chunks)


def note_client(slot: Slot) -> None:
    """The client below makes the call, and will have a record of it."""
    for vigil in slot.vigils[-1:]:
        vigil.is_below = True


def end_vigils(slot: Slot) -> None:
    """The layer has spoken, or nothing was sent; for who has the lock. It was not spoken of who has gone unheard."""
    for vigil in slot.vigils[:]:
        if not vigil.is_unheard:
            slot.vigils.remove(vigil)
            vigil.end()
