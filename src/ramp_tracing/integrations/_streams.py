"""What happens at each step of a stream, and at its end. No colour; `_iterators` are its two shells."""

import sys
from collections.abc import Callable
from typing import Final, cast

from .._guard import guarded
from .._normalizers import Accumulator, dig, failure_of
from .._record import NOTHING_READ, Outcome
from .._state import state
from ._endings import Ending

NOTHING: Final = object()
"""No item is held back."""


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
        busy: True while the client library itself is reading; it closes its response then, which is not an ending.
        passes: Whether every item is made of data that we read before, and the application may see it.
        usual: Else the last item that was made of data which is usual, so that the application may see it.
        told: The last one that was made of other data. `_listening` sets these.
        shown: Whether the application may see that one.
    """

    __slots__ = (
        "__weakref__", "_accumulator", "_ending", "_has_begun",
        "busy", "held", "hides_usage", "looks_ahead", "passes", "shown", "told", "usual",
    )  # fmt: skip

    def __init__(self, ending: Ending, accumulator: Accumulator, *, hides_usage: bool = False) -> None:
        self._ending = ending
        self._accumulator = accumulator
        self.held: object = NOTHING
        self.looks_ahead = False
        self._has_begun = False
        self.busy = False
        self.hides_usage = hides_usage
        self.passes = False
        self.usual: object = NOTHING
        self.told: object = NOTHING
        self.shown = True
        state.open_streams[id(self)] = self

    @property
    def takes(self) -> Callable[[object], bool]:
        """Takes in data of the kind that most of a stream is of; False if it is something else, for `keeps`."""
        return getattr(self._accumulator, "takes", _never)

    def keeps(self, item: object) -> bool:
        """Take in one item, or the data that it is made of; False if the application must not see it."""
        try:
            if self._accumulator.add(item) and not self._has_begun:
                self._has_begun = True
                self._ending.first_chunk()
            if self.hides_usage:
                self.looks_ahead = self._accumulator.all_finished
                return _would_be_sent_unasked(item)
        except BaseException:
            with guarded("reading a stream"):  # entered only now: for every chunk it would be a fifth of all this
                raise
        return True

    def shows(self, item: object) -> bool:
        """Whether the application may see *item*, which is taken in unless that was done as its data came."""
        if self.passes or item is self.usual:
            return True
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

    def drained(self) -> None:
        """The stream is at its end."""
        if not self._ending.finished:
            with guarded("ending a stream"):
                self._ending.succeed(self._outcome())

    def failed(self, error: BaseException) -> None:
        """The stream broke: an error on the wire, an error event, a cancelled task."""
        if not self._ending.finished:
            with guarded("ending a stream"):
                self._ending.fail(failure_of(error), self._outcome())

    def closed(self) -> None:
        """
        The application closed the stream, or the client library did so at its end.

        It does so too when the garbage collector finds its generator, and then as in `collected`; but at the end of a
        stream of openai 3, which leaves the generator below behind, it is still reading.
        """
        if self.busy:
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

    def _outcome(self) -> Outcome:
        """What is known at the end."""
        self._forget()
        self.told = self.usual = NOTHING
        with guarded("reading a stream"):
            return self._accumulator.outcome()
        return NOTHING_READ

    def _forget(self) -> None:
        state.open_streams.pop(id(self), None)


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


def _never(_data: object) -> bool:
    return False


class Raised:
    """An error that came while we looked ahead; it belongs to the application's next step."""

    __slots__ = ("error",)

    def __init__(self, error: BaseException) -> None:
        self.error = error
