"""What a wire format has to offer."""

from collections.abc import Callable, Mapping
from typing import Protocol

from .._dataclass import dataclass
from .._record import Outcome


class Accumulator(Protocol):
    """
    Folds the events of one stream. Keeps texts, never the events: a stream of thousands stays small.

    It may also have ``takes(data) -> bool``, for the event that nearly all are of: it is asked before `add`, with plain
    dictionaries and lists, and takes the event in or says False.
    """

    @property
    def all_finished(self) -> bool:
        """Whether every choice has given its finish reason while the usage is still to come."""
        ...

    def add(self, event: object) -> bool:
        """Take in one event; True if it carries a part of the answer."""
        ...

    def outcome(self) -> Outcome:
        """What is known so far."""
        ...


def _user(body: Mapping[str, object]) -> object:
    return body.get("user")


@dataclass(frozen=True, slots=True, kw_only=True)
class WireFormat:
    """
    How requests and answers of one format are read.

    Attributes:
        content: A request's body → the part of it that is content, under the keys it is sent with.
        read: An answer (parsed JSON or the client library's object) → what it says.
        accumulator: A new accumulator, for (choices asked for, whether to keep content).
        user: A request's body → who it is for, where it says so.
    """

    content: Callable[[Mapping[str, object]], object]
    read: Callable[[object], Outcome]
    accumulator: Callable[[int, bool], Accumulator]
    user: Callable[[Mapping[str, object]], object] = _user
