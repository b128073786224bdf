"""Streams whose last event says everything: images, transcriptions, and endpoints that nobody knows."""

from collections.abc import Callable
from typing import Final

from .._record import Outcome
from ._reading import dig


class PlainAccumulator:
    """
    Keeps the last event that carries usage, says that it is the last, or is an error.

    Args:
        read: The reader of such an event.
    """

    __slots__ = ("_last", "_read", "_whole")

    def __init__(self, read: Callable[[object], Outcome]) -> None:
        self._read = read
        self._last: object = None
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
        if ends or dig(whole, "usage") is not None or dig(whole, "error") is not None:
            self._whole = self._read(whole)  # read now and let go: an image event holds megabytes
        return True

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
