"""Streams whose last event says everything: images, transcriptions, and endpoints that nobody knows."""

from collections.abc import Callable
from typing import Final

from .._record import Outcome
from ._native_usage import usage_in
from ._reading import as_fields, dig


class PlainAccumulator:
    """
    Keeps the last event that carries usage, says that it is the last, or is an error.

    Args:
        read: The reader of such an event.
    """

    __slots__ = ("_begun", "_read", "_whole")

    def __init__(self, read: Callable[[object], Outcome]) -> None:
        self._read = read
        self._begun: object = None
        self._whole: Outcome | None = None

    @classmethod
    def folding(cls, read: Callable[[object], Outcome]) -> "Callable[[int, bool], PlainAccumulator]":
        """A maker of accumulators for `WireFormat`; these know neither choices nor content."""
        return lambda _choices, _keeps_content: cls(read)

    @property
    def all_finished(self) -> bool:
        """Never: here the usage comes by itself."""
        return False

    def add(self, event: object) -> bool:
        """Take in one event; True, because every one carries a part of the answer."""
        kind = dig(event, "type")
        whole = _inside(event)
        ends = isinstance(kind, str) and kind.endswith(("error", ".completed", ".done"))
        if kind == "message_start":
            self._begun = dig(event, "message")
        if ends or usage_in(whole) is not None or dig(whole, "error") is not None:
            self._whole = self._read(self._since_begun(whole))  # read and let go: an image event holds megabytes
        return True

    def _since_begun(self, event: object) -> object:
        """Anthropic's stream has model and input in its first event, and the rest, or all of it again, in its last."""
        begun = as_fields(self._begun)
        if not begun:
            return event
        told = {name: count for name, count in as_fields(dig(event, "usage")).items() if count is not None}
        return {**begun, "usage": {**as_fields(begun.get("usage")), **told}, "error": dig(event, "error")}

    def outcome(self) -> Outcome:
        """What is known so far."""
        return Outcome(complete=False) if self._whole is None else self._whole


def _inside(event: object) -> object:
    """The object that an event is about: events of responses name it ``response``, those of threads ``data``."""
    for kind, prefix, inner in INSIDE:
        name = dig(event, kind)
        if isinstance(name, str) and name.startswith(prefix) and (found := dig(event, inner)) is not None:
            return found
    return event


INSIDE: Final = (("type", "response.", "response"), ("event", "thread.", "data"))
