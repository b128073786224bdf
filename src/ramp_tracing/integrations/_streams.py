"""What happens at each step of a stream, and at its end. No colour; `_iterators` are its two shells."""

import sys
from collections.abc import Callable
from typing import Any, Final, cast
from weakref import ref

from .._guard import guarded
from .._normalizers import Accumulator, dig, failure_of
from .._record import NOTHING_READ, Outcome
from .._state import state
from ._endings import Ending

NOTHING: Final = object()
"""No item is held back."""

Covered = tuple[ref[Any], str, ref[Any]]
"""
A response, the name of a method, and what was put in its place.

Weak, because a dropped stream waits for its end without them: its connection is free by then.
"""

EVERY: Final = object()
"""Every item is made of data that we read before."""


class StreamWatch:
    """
    One stream between its first item and its end; ends its call once, whichever way the stream ends.

    Args:
        ending: The end of the call.
        accumulator: Folds the items.
        hides_usage: The usage was asked for by us: its chunk is not the application's.

    Attributes:
        held: An item, or an error, for the application's next step; else `NOTHING`.
        looks_ahead: Whether to fetch one item more before handing the last one on: every choice has finished and the
            usage comes next, and many loops stop at the finish reason.
        accumulator: What folds the items.
        busy: True while the client library itself is reading; it closes its response then, which is not an ending.
        is_heard: Whether the data of the items comes by here; `_listening` sets this.
        passes: Whether the next item is made of data that we read before, and goes to the application without more ado.
        told: The last item that was made of data which we read before, or `EVERY`. `_listening` sets these.
        shown: Whether the application may see that one.
    """

    __slots__ = (
        "__weakref__", "_covered", "_ending", "_has_begun",
        "accumulator", "busy", "held", "hides_usage", "is_heard", "looks_ahead", "passes", "shown", "told",
    )  # fmt: skip

    def __init__(self, ending: Ending, accumulator: Accumulator, *, hides_usage: bool = False) -> None:
        self._ending = ending
        self._covered: list[Covered] = []
        self.accumulator = accumulator
        self.held: object = NOTHING
        self.looks_ahead = False
        self._has_begun = False
        self.busy = self.is_heard = False
        self.hides_usage = hides_usage
        self.passes = False
        self.told: object = NOTHING
        self.shown = True
        state.open_streams[id(self)] = self

    @property
    def join(self) -> Callable[[], None]:
        """To be called now and then, by who reads: makes one of the pieces that have come meanwhile."""
        return getattr(self.accumulator, "join", _nothing)

    def cover(self, response: Any, **methods: object) -> None:
        """Put *methods* in place of those of one HTTP response until its call has ended: it may be pickled then."""
        known = ref(response)
        for name, method in methods.items():
            setattr(response, name, method)
            self._covered.append((known, name, ref(method)))

    def keeps(self, item: object) -> bool:
        """Take in one item, or the data that it is made of; False if the application must not see it."""
        try:
            if self.accumulator.add(item) and not self._has_begun:
                self._has_begun = True
                self._ending.first_chunk()
            if self.hides_usage:
                self.looks_ahead = self.accumulator.all_finished
                return _would_be_sent_unasked(item)
        except BaseException:
            with guarded("reading a stream"):  # entered only now: for every chunk it would be a fifth of all this
                raise
        return True

    def judges(self, data: object) -> None:
        """Take in the data of the next item, of a stream of which every item comes like that."""
        self.told = EVERY
        self.shown = self.keeps(data)
        self.passes = self.shown and not self.looks_ahead and self.held is NOTHING

    def shows(self, item: object) -> bool:
        """Whether the application may see *item*, which is taken in unless that was done as its data came."""
        if self.told is EVERY:
            self.passes = True  # the next one, unless it is judged
            return self.shown
        return self.shown if item is self.told else self.keeps(item)

    def hold(self, item: object) -> None:
        """Keep an item, or an error, for the next step."""
        self.held = item

    def postpones(self, error: BaseException, item: object) -> bool:
        """
        Whether *error*, met while looking ahead, belongs to the application's next step.

        A cancellation and a keyboard interrupt belong to this one; then *item* waits.
        """
        postponed = isinstance(error, Exception)
        self.held = Raised(error) if postponed else item
        return postponed

    def release(self) -> object:
        """What was held back, or `NOTHING`."""
        item, self.held = self.held, NOTHING
        return item

    def exchange(self, item: object) -> object:
        """What was held back; *item*, which comes behind it, is held in its place."""
        first, self.held = self.held, item
        return first

    def drained(self) -> None:
        """The stream is at its end."""
        if not self._ending.finished:
            with guarded("ending a stream"):
                self._ending.succeed(self._outcome())
            self._uncover()

    def failed(self, error: BaseException) -> None:
        """The stream broke: an error on the wire, an error event, a cancelled task."""
        if not self._ending.finished:
            with guarded("ending a stream"):
                self._ending.fail(failure_of(error), self._outcome())
            self._uncover()

    def closed(self, *, reads: bool) -> None:
        """
        The application closed the stream, or the client library did so at its end.

        It does so too when the garbage collector finds its generator, and then as in `collected`; but at the end of a
        stream of openai 3, which leaves the generator below behind, it is still reading.

        Args:
            reads: Whether it is, where `busy` does not say so.
        """
        if self.busy or reads:
            return
        if isinstance(sys.exception(), GeneratorExit):
            self.collected()
        else:
            self.give_up()

    def collected(self) -> None:
        """The garbage collector found the stream; it may run in the middle of anything, so the end comes elsewhere."""
        if self._ending.finished:
            self._forget()
        else:
            self._ending.later(self.give_up)

    def give_up(self) -> None:
        """Record what is known so far. Later endings add nothing."""
        self._forget()
        if not self._ending.finished:
            with guarded("ending a stream"):
                self._ending.abandon(self._outcome())
            self._uncover()

    def _outcome(self) -> Outcome:
        """What is known at the end."""
        self._forget()
        if self.told is not EVERY:
            self.told = NOTHING
        with guarded("reading a stream"):
            return self.accumulator.outcome()
        return NOTHING_READ

    def _forget(self) -> None:
        state.open_streams.pop(id(self), None)

    def _uncover(self) -> None:
        """Leave the response as it was, when the call has ended; what others have put over ours stays."""
        covered, self._covered = self._covered, []
        try:
            for known, name, method in covered:
                response, ours = known(), method()
                if ours is not None and getattr(response, name, None) is ours:  # its `__dict__` is not made for that
                    delattr(response, name)
        except BaseException:
            with guarded("leaving a response as it was"):
                raise


def _would_be_sent_unasked(chunk: object) -> bool:
    """
    Whether the server would have sent *chunk* without ``include_usage``.

    With it, OpenAI sends one more chunk, and ``"usage": null`` in all others, which a dump of the chunk must not show:
    https://platform.openai.com/docs/api-reference/chat/create#chat_create-stream_options
    """
    if type(chunk) is dict:
        return _unasked(cast("dict[str, object]", chunk))
    # `model_fields_set` is a property that gives this; calling it for every chunk costs more than all the rest.
    fields = getattr(chunk, "__pydantic_fields_set__", None)
    if fields is None:
        fields = getattr(chunk, "__fields_set__", None)  # pydantic 1
    usage = dig(chunk, "usage") if fields is None else getattr(chunk, "usage", None)
    if usage is not None:
        return bool(dig(chunk, "choices"))
    if isinstance(fields, set):
        fields.discard("usage")
    return True


def _unasked(data: dict[str, object]) -> bool:
    """The same of a chunk that is yet to be made."""
    usage = data.get("usage", NOTHING)
    if usage is None:
        del data["usage"]
        return True
    return usage is NOTHING or bool(data.get("choices"))


def _nothing() -> None:
    pass


class Raised:
    """An error that came while we looked ahead; it belongs to the application's next step."""

    __slots__ = ("error",)

    def __init__(self, error: BaseException) -> None:
        self.error = error
