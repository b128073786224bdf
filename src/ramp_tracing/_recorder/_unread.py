"""
A call that is recorded before its answer has been read.

The application gets its answer back while we hold the bytes of request and answer, and nothing else. What has to be on
disk by then, the usage and the ids, is taken out of them (`WireFormat.lean`); the thread that sends reads the rest.
"""

from typing import Any

from .._context import Around, InForce
from .._guard import guarded
from .._identity import generation_id
from .._normalizers import WireFormat, as_fields, parse, parse_plain
from .._record import (
    GENERATIONS,
    NOTHING_READ,
    Attribution,
    Content,
    Cost,
    Generation,
    GenerationId,
    Lean,
    Outcome,
    answer,
    changed,
)
from .._state import state
from ._draft import CONTENTS, surround, timed
from ._request import Request
from ._start import Start


class Sent:
    """
    What was asked, as it went over the wire: nobody can change it any more.

    Args:
        body: JSON.
        format: How it is read.
    """

    __slots__ = ("_body", "_format", "size_bytes")

    def __init__(self, body: bytes, format: WireFormat) -> None:
        self._body = body
        self._format = format
        self.size_bytes = len(body)

    def read(self) -> object:
        """The part of it that is content, JSON-like; `None` if it cannot be read."""
        try:
            return self._format.content(as_fields(parse_plain(self._body)))
        except BaseException:
            with guarded("reading what was asked"):
                raise
        return None


class Answered:
    """
    A record whose answer has been read, and its request has not.

    Args:
        known: The record without content.
        sent: The request.
        output: What was answered, which nobody changes any more.
        output_bytes: Roughly its size.
    """

    __slots__ = ("_known", "_output", "_sent", "_whole", "size_bytes")

    def __init__(self, known: Generation, sent: Sent, *, output: object, output_bytes: int) -> None:
        self._known = known
        self._sent = sent
        self._output = output
        self.size_bytes = sent.size_bytes + output_bytes
        self._whole: Generation | None = None

    @property
    def job(self) -> bool:
        """Whether it is that of paid work which goes on after its call."""
        return self._known.job

    def written(self) -> Generation | Lean:
        """Everything but the content."""
        return self._known

    def whole(self) -> Generation:
        """The record, read."""
        read = self._whole
        if read is None:
            read = self._whole = changed(self._known, content=content_of(self._sent, self._output, self.size_bytes))
        return read


class Unanswered(Start):
    """
    A call, and later a record of it of which the answer has not been read. It starts when it is made.

    What was asked for is said by subclasses, when that is needed; the same whenever they are asked.

    Attributes:
        around: As in `Request`.
        attribution: Who it is for, by its own word.
        job: As in `Unread`.
        key_hash: As ``api_key_hash`` in `Request`.
        retries: As in `Recording`.
        gateway_cost: As in `Recording`.
    """

    __slots__ = (
        "_body", "_ended", "_format", "_ids", "_in_force", "_sent", "_whole", "around", "attribution", "gateway_cost",
        "job", "key_hash", "retries", "size_bytes",
    )  # fmt: skip

    around: Around | None
    attribution: Attribution
    key_hash: str | None

    @property
    def place(self) -> bytes:
        """As in `Lean`. Raises `TypeError` if JSON cannot hold it."""
        raise NotImplementedError

    def request(self) -> Request:
        """All that is known of the call before it is made."""
        raise NotImplementedError

    def describe(self, made: Any) -> None:
        """Put what `request` says of the call into a draft of its record, or of something with the same fields."""
        raise NotImplementedError

    def is_answered(
        self, format: WireFormat, body: bytes, *, sent: bytes | None, retries: int | None, cost: Cost | None
    ) -> None:
        """
        The call ends now, and this is a record of it from here on.

        Args:
            format: The answer's.
            body: The answer.
            sent: The request, as it went over the wire: nobody can change it any more; `None` if it is not kept.
            retries: As in `Recording`.
            cost: Likewise, of the gateway.
        """
        self._ended = self.now()
        self._format, self._body, self._sent = format, body, sent
        self.retries, self.gateway_cost = retries, cost
        self._ids: list[GenerationId] = []  # the first counts, should two threads look at the same time
        self._in_force: InForce | None = None
        self._whole: Generation | None = None
        self.job = False  # the answers of those are read at once
        self.size_bytes = len(body) if sent is None else len(body) + len(sent)

    def written(self) -> Generation | Lean:
        """What can be said without reading the answer; all of it, if something about the answer is unusual."""
        try:
            answer = self._format.lean(self._body)
            if answer is not None:
                return self._lean(*answer)
        except BaseException:
            with guarded("looking at an answer"):
                raise
        return self.whole()

    def _lean(self, response_id: str | None, answer: bytes) -> Lean:
        lean = Lean()
        lean.place, lean.api_key_hash = self.place, self.key_hash
        lean.id, lean.answer, lean.format = self._identified(response_id), answer, self._format.name
        lean.retries, lean.cost = self.retries, self.gateway_cost
        lean.started, lean.ended = self.instant, self._ended
        lean.attribution, lean.span_parent, in_tree = self._known_in_force()
        lean.role = "leaf" if in_tree else "call"
        return lean

    def whole(self) -> Generation:
        """The record, read."""
        read = self._whole
        if read is None:
            outcome: Outcome = NOTHING_READ
            try:
                outcome = self._format.read(parse(self._body))
            except BaseException:
                with guarded("reading an answer"):
                    raise
            made = GENERATIONS.begin()
            self.describe(made)
            timing = timed(self.instant, self._ended)
            surround(made, self._known_in_force(), timing, retries=self.retries, cost=self.gateway_cost)
            answer(made, outcome)
            made.id = self._identified(outcome.response_id)
            sent = None if self._sent is None else Sent(self._sent, self._format)
            made.content = content_of(sent, outcome.output, self.size_bytes)
            read = self._whole = GENERATIONS.end(made)
        return read

    def _known_in_force(self) -> InForce:
        """Who and what the call is for; what was written down of it is what is sent."""
        in_force = self._in_force
        if in_force is None:
            in_force = self._in_force = self.in_force(self.attribution, self.around)
        return in_force

    def _identified(self, response_id: str | None) -> GenerationId:
        """The id of the record, which is fixed from here on."""
        if not self._ids:
            self._ids.append(generation_id(response_id, state.seen))
        return self._ids[0]


def content_of(sent: Sent | None, output: object, size_bytes: int) -> Content | None:
    """What was asked and answered; `None` if that is nothing."""
    asked = None if sent is None else sent.read()
    if asked is None and output is None:
        return None
    made = CONTENTS.begin()
    made.input, made.output, made.size_bytes = asked, output, size_bytes
    return CONTENTS.end(made)
