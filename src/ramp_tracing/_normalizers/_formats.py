"""What a wire format has to offer."""

from collections.abc import Callable, Mapping
from typing import Final, Protocol

from .._dataclass import dataclass
from .._record import Outcome
from ._lean import LeanAnswer

Build = Callable[..., object]
"""What a client library calls, by name, with the *data* of an event, *cast_to* and *response*; it gives the item."""

UNUSUAL: Final = (AttributeError, LookupError, TypeError, ValueError)
"""What comes of reading an event as if it were the usual one."""


class Accumulator(Protocol):
    """
    Folds the events of one stream. Keeps texts, never the events: a stream of thousands stays small.

    It may also have ``taking(build, otherwise, *, takes_off_usage)``, for the event that nearly all are of: what that
    gives is called in place of *build*, with plain dictionaries and lists, does the same, and takes the event in or
    calls *otherwise* with it. It has a ``join()`` then, which is called now and then: a text's pieces become one.
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


def _as_it_is(body: bytes) -> bytes | None:
    return body


def _nothing_lean(_body: bytes) -> LeanAnswer | None:
    return None


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
        kept: The JSON of an answer → what of it is kept until it is read; `None` where it has to be read at once.
        name: What a journal calls it; none where its answers are always read at once.
        lean: The JSON of an answer → the part of it that is no content, if there is nothing unusual about it: *read*
            says the same of that as of the whole, but for the output and how it ended. `None` otherwise; then it is
            read at once.
    """

    content: Callable[[Mapping[str, object]], object]
    read: Callable[[object], Outcome]
    accumulator: Callable[[int, bool], Accumulator]
    user: Callable[[Mapping[str, object]], object] = _user
    kept: Callable[[bytes], bytes | None] = _as_it_is
    name: str = ""
    lean: Callable[[bytes], LeanAnswer | None] = _nothing_lean
