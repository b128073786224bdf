"""A record of which a part is still as it came, for whoever has the time to read it: the thread that sends."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from ._generation import Generation


class Lean(NamedTuple):
    """The part of an answer that a record needs and that is no content, as it came."""

    format: str
    """The name of the wire format that it is in."""
    answer: Mapping[str, object]
    """JSON; read by the reader of its format, it says of usage, model and ends what the whole answer says."""


class Unread(Protocol):
    """A record that is complete, and not read to its end. No method raises."""

    @property
    def known(self) -> Generation:
        """What is known of it without reading anything, and without content."""
        ...

    @property
    def size_bytes(self) -> int:
        """Roughly what is kept of its content."""
        ...

    def written(self) -> "tuple[Generation, Lean | None]":
        """
        What is to be written down of it: the record without content, and what of the answer nobody has read yet.

        From here on its id is fixed.
        """
        ...

    def whole(self) -> Generation:
        """The record, read. The first time this takes some time, and later none."""
        ...


Recorded = Generation | Unread
"""What is recorded: a record, or one that is to be read."""


def whole(recorded: Recorded) -> Generation:
    """The record, read."""
    return recorded if isinstance(recorded, Generation) else recorded.whole()
