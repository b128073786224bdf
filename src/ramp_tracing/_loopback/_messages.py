"""What goes over the wire, as the answering function sees it."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """
    What a client asked.

    Attributes:
        method: ``GET``, ``POST``…
        path: The path without the query.
        query: What stands behind the question mark, undecoded; empty when there is none.
        headers: By lower-case name; a repeated header is joined with commas.
        body: The whole body, decoded if it came in chunks or compressed with gzip.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=lambda: NO_HEADERS)
    body: bytes = b""

    @property
    def json(self) -> object:
        """
        The body, read as JSON.

        Raises:
            ValueError: It is not JSON.
        """
        parsed: object = json.loads(self.body)
        return parsed


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """
    What a client gets.

    Attributes:
        status: The HTTP status.
        headers: Sent beside those that the server adds.
        body: All at once, or pieces that are sent as they come, with chunked encoding.
        delay_seconds: How long the server thinks before it answers.
        cut: Drop the connection after the body, so that it looks incomplete. With an empty ``bytes`` body nothing is
            answered at all.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: NO_HEADERS)
    body: bytes | Iterable[bytes] = b""
    delay_seconds: float = 0.0
    cut: bool = False


AnswerFunction = Callable[[Request], Answer]
"""Called once for each request, on the thread of its connection; several run at the same time."""


def json_answer(value: object, *, status: int = 200, headers: Mapping[str, str] = NO_HEADERS) -> Answer:
    """*value* as a JSON body."""
    typed = {"Content-Type": "application/json", **headers}
    return Answer(status=status, headers=typed, body=json.dumps(value).encode())
