"""What happens at each step of a stream, and at its end. No colour; `_iterators` are its two shells."""

import sys
from typing import Final

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
        busy: True while the client library itself is reading; it closes its response then, which is not an ending.
    """

    __slots__ = ("__weakref__", "_accumulator", "_ending", "_held", "_hides_usage", "busy")

    def __init__(self, ending: Ending, accumulator: Accumulator, *, hides_usage: bool = False) -> None:
        self._ending = ending
        self._accumulator = accumulator
        self._hides_usage = hides_usage
        self._held: object = NOTHING
        self.busy = False
        state.open_streams[id(self)] = self

    def keeps(self, item: object) -> bool:
        """Take in one item; False if the application must not see it."""
        with guarded("reading a stream"):
            if self._accumulator.add(item):
                self._ending.first_chunk()
            if self._hides_usage:
                return _would_be_sent_unasked(item)
        return True

    @property
    def looks_ahead(self) -> bool:
        """
        Whether to fetch one item more before handing this one on.

        Every choice has finished and the usage comes next: many loops stop at the finish reason.
        """
        if not self._hides_usage:
            return False
        with guarded("reading a stream"):
            return self._accumulator.all_finished
        return False

    def hold(self, item: object) -> None:
        """Keep an item, or an error, for the next step."""
        self._held = item

    def postpones(self, error: BaseException, item: object) -> bool:
        """
        Whether *error*, met while looking ahead, belongs to the application's next step.

        A cancellation and a keyboard interrupt belong to this one; then *item* waits.
        """
        postponed = isinstance(error, Exception)
        self._held = Raised(error) if postponed else item
        return postponed

    def release(self) -> object:
        """What was held back, or `NOTHING`."""
        item, self._held = self._held, NOTHING
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
    usage = dig(chunk, "usage")
    if usage is not None:
        return bool(dig(chunk, "choices"))
    fields = getattr(chunk, "model_fields_set", None)  # pydantic 2, where the other name warns
    if fields is None:
        fields = getattr(chunk, "__fields_set__", None)  # pydantic 1
    if isinstance(fields, set):
        fields.discard("usage")
    return True


class Raised:
    """An error that came while we looked ahead; it belongs to the application's next step."""

    __slots__ = ("error",)

    def __init__(self, error: BaseException) -> None:
        self.error = error
