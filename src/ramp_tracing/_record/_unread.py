"""A record of which a part is still as it came, for whoever has the time to read it: the thread that sends."""

from collections.abc import Callable
from typing import Protocol

from ._attribution import Attribution, SpanParent
from ._cost import Cost
from ._generation import Generation, GenerationId, Role, UnixNanos


class Lean:
    """
    What a record needs and that is no content, where its answer has not been read. It can be written down as it is.

    Attributes:
        format: The name of the wire format that the answer is in.
        answer: JSON, a part of the answer. The reader of its format says of usage, ids and model what it says of the
            whole.
        place: JSON, an object: fields of a `Generation`, by their names, that are the same for many calls: what is
            asked for, and where.
        The others: Those of a `Generation`, and its times.
    """

    __slots__ = (
        "answer", "api_key_hash", "attribution", "cost", "ended", "format", "id", "place", "retries", "role",
        "span_parent", "started",
    )  # fmt: skip

    format: str
    answer: bytes
    place: bytes
    api_key_hash: str | None
    id: GenerationId
    started: UnixNanos
    ended: UnixNanos
    retries: int | None
    cost: Cost | None
    role: Role
    attribution: Attribution
    span_parent: SpanParent | None


class Unread(Protocol):
    """A record that is complete, and not read to its end. No method raises."""

    @property
    def size_bytes(self) -> int:
        """Roughly what is kept of its content."""
        ...

    @property
    def job(self) -> bool:
        """As that of a `Generation`; then the answer has been read."""
        ...

    def written(self) -> Generation | Lean:
        """What is to be written down of it: all but the content, or what can be said without reading the answer."""
        ...

    def whole(self) -> Generation:
        """The record, read. The first time this takes some time, and later none."""
        ...


class ReadLater:
    """
    A record of which is known what is written down of it, and whose rest is read later.

    Args:
        lean: All but the content: what is written down.
        read: Reads the rest of what was kept, and makes the record; called once, or twice by two threads at a time.

    Attributes:
        size_bytes: Roughly what is kept. To be set by who makes one: given by its name it takes half as long again.
        job: As in `Unread`: False, those are read at once.
    """

    __slots__ = ("_lean", "_read", "_whole", "job", "size_bytes")

    def __init__(self, lean: Lean, read: Callable[[Lean], Generation]) -> None:
        self._lean = lean
        self._read = read
        self._whole: Generation | None = None
        self.job = False
        self.size_bytes = 0

    def written(self) -> Lean:
        """All but the content."""
        return self._lean

    def whole(self) -> Generation:
        """The record, read."""
        read = self._whole
        if read is None:
            read = self._whole = self._read(self._lean)
        return read


Recorded = Generation | Unread
"""What is recorded: a record, or one that is to be read."""


def whole(recorded: Recorded) -> Generation:
    """The record, read."""
    return recorded if isinstance(recorded, Generation) else recorded.whole()
