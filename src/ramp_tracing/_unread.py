"""
A call that is recorded before its answer has been read.

The application gets its answer back while we hold the bytes of request and answer, and nothing else. What has to be on
disk by then, the usage and the ids, is taken out of them (`WireFormat.lean`); the thread that sends reads the rest.
"""

from collections.abc import Callable, Mapping

from ._guard import guarded
from ._identity import generation_id
from ._normalizers import WireFormat, as_fields, as_name, parse
from ._record import NOTHING_READ, Content, Generation, GenerationId, Lean, Outcome, answered_by, changed
from ._state import state


class Sent:
    """
    What was asked, as it went over the wire: nobody can change it any more.

    Args:
        body: JSON.
        content: A request's body → the part of it that is content.
    """

    __slots__ = ("_body", "_content", "size_bytes")

    def __init__(self, body: bytes, content: Callable[[Mapping[str, object]], object]) -> None:
        self._body = body
        self._content = content
        self.size_bytes = len(body)

    def read(self) -> object:
        """The part of it that is content, JSON-like; `None` if it cannot be read."""
        content = None
        with guarded("reading what was asked"):
            content = self._content(as_fields(parse(self._body)))
        return content


class Answered:
    """
    A record whose answer has been read, and its request has not.

    Args:
        known: The record without content.
        sent: The request.
        output: What was answered, which nobody changes any more.
        output_bytes: Roughly its size.
    """

    __slots__ = ("_output", "_sent", "_whole", "known", "size_bytes")

    def __init__(self, known: Generation, sent: Sent, *, output: object, output_bytes: int) -> None:
        self.known = known
        self._sent = sent
        self._output = output
        self.size_bytes = sent.size_bytes + output_bytes
        self._whole: Generation | None = None

    def written(self) -> tuple[Generation, Lean | None]:
        """Everything but the content."""
        return self.known, None

    def whole(self) -> Generation:
        """The record, read."""
        read = self._whole
        if read is None:
            read = self._whole = changed(self.known, content=content_of(self._sent, self._output, self.size_bytes))
        return read


class Unanswered:
    """
    A record of which the answer has not been read.

    Args:
        known: What is known of it beside the answer; its id comes with that.
        format: The answer's.
        body: The answer.
        sent: The request; `None` if it is not kept.
    """

    __slots__ = ("_body", "_format", "_ids", "_sent", "_whole", "known", "size_bytes")

    def __init__(self, known: Generation, format: WireFormat, body: bytes, sent: Sent | None) -> None:
        self.known = known
        self._ids: list[GenerationId] = []  # the first counts, should two threads look at the same time
        self._format = format
        self._body = body
        self._sent = sent
        self.size_bytes = len(body) + (0 if sent is None else sent.size_bytes)
        self._whole: Generation | None = None

    def written(self) -> tuple[Generation, Lean | None]:
        """The lean part of the answer; all that it says, read now, if something about it is unusual."""
        answer = lean = None
        try:
            answer = parse(self._body)
            lean = self._format.lean(answer)
        except BaseException:
            with guarded("looking at an answer"):
                raise
        if lean is None:
            return self._read(answer), None
        self._identify(lean.get("id"))
        return self.known, Lean(self._format.name, lean)

    def whole(self) -> Generation:
        """The record, read."""
        return self._read(parse(self._body)) if self._whole is None else self._whole

    def _identify(self, response_id: object) -> None:
        """Fix the id of the record."""
        if not self._ids:
            self._ids.append(generation_id(as_name(response_id), state.seen))
            object.__setattr__(self.known, "id", self._ids[0])

    def _read(self, answer: object) -> Generation:
        outcome: Outcome = NOTHING_READ
        with guarded("reading an answer"):
            outcome = self._format.read(answer)
        self._identify(outcome.response_id)
        content = content_of(self._sent, outcome.output, self.size_bytes)
        read = self._whole = changed(answered_by(self.known, outcome), content=content)
        return read


def content_of(sent: Sent | None, output: object, size_bytes: int) -> Content | None:
    """What was asked and answered; `None` if that is nothing."""
    asked = None if sent is None else sent.read()
    return None if asked is None and output is None else Content(input=asked, output=output, size_bytes=size_bytes)
