"""
What the events of a websocket tell of paid work. No colour, and the events are the application's: nothing here changes
one or keeps one.

A response begins with ``response.created`` and ends with an event that carries its usage. Several may be under way on
one connection: an event that says neither its response nor its lane (``stream_id``) belongs to the latest one.

Where responses are made only when they are asked for, and those of a lane one after another, each is for whom its
``response.create`` was sent.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from .._dataclass import dataclass
from .._identity import fresh_hex, is_unique
from .._normalizers import (
    as_name,
    dig,
    error_in,
    model_of_session,
    read_decision,
    read_transcript,
    transcriber_of_session,
)
from .._record import Attribution, Failure, Outcome
from .._recorder import Recording, Request
from .._state import Sink, state
from ._endings import Creating, Ending
from ._routes import Channel
from ._socket_requests import NOTHING_ASKED, Asked, asked_in

MAX_OPEN: Final = 64
"""Responses under way on one connection; one that a lost connection has left without an end makes room for others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """
    Where a connection leads.

    Attributes:
        library: ``openai``…
        provider: Who is called; `None` for a host that nobody knows.
        host: Host name.
        port: Its port.
        model: The model that the address names.
        attribution: What was in force where the connection was opened.
    """

    library: str
    provider: str | None
    host: str | None
    port: int | None
    model: str | None
    attribution: Attribution


@dataclass(slots=True, kw_only=True)
class UnderWay:
    """A response that has begun: how it ends, what it said at its beginning, and what went wrong since."""

    ending: Ending
    begun: Outcome
    lane: object
    error: Failure | None = None


class SocketWatch:
    """
    One connection; ends each of its responses once, whichever way it ends.

    Args:
        channel: What kind it is.
        line: Where it leads.
    """

    __slots__ = ("__weakref__", "_asked", "_channel", "_line", "_model", "_own", "_transcriber", "_under_way")

    def __init__(self, channel: Channel, line: Line) -> None:
        self._channel = channel
        self._line = line
        self._asked: deque[Asked] = deque(maxlen=MAX_OPEN)
        self._own = fresh_hex()
        self._model: str | None = None
        self._transcriber: str | None = None
        self._under_way: dict[str, UnderWay] = {}

    def told(self, kind: str, event: object) -> None:
        """An event of this kind has come; most say nothing of paid work."""
        step = STEPS.get(kind)
        if step is not None:
            step(self, event)

    def told_within(self, event: object) -> None:
        """A session that has others answer hands on what they say, event by event."""
        inner = dig(event, "event")
        kind = as_name(dig(inner, "type")) or ""
        if STEPS.get(kind) in RESPONSES_ALONE:
            self.told(kind, inner)

    def decided(self, event: object) -> None:
        """Another model has answered questions for a session."""
        self._record_alone(read_decision(dig(event, "event", "decision")), "decisions", None)

    def told_of_session(self, event: object) -> None:
        """Which models answer and transcribe; they may change on the way."""
        if self._channel.delegates:
            return
        session = dig(event, "session")
        self._model = model_of_session(session) or self._model
        self._transcriber = transcriber_of_session(session) or self._transcriber

    def asked(self, event: object, *, lane: object = None) -> None:
        """The application sends an event, on a channel where responses come in turn; on *lane*, if it does not say."""
        if state.sink is None or dig(event, "type") != "response.create":
            return
        asked = asked_in(event, self._channel.format, keeps_content=state.sink.keeps_content)
        self._asked.append(asked if asked.lane is not None else replace(asked, lane=lane))

    def begun(self, event: object) -> None:
        """A response has begun."""
        outcome = self._read(event)
        key = outcome.response_id
        if state.sink is None or key is None or key in self._under_way or self._end_of(key) in state.seen:
            return
        if len(self._under_way) >= MAX_OPEN:
            self._abandon(self._under_way.pop(next(iter(self._under_way))))
        lane = dig(event, "stream_id")
        recording = self._recording(state.sink, self._channel.operation, self._line.model, asked=self._next_on(lane))
        ending: Ending = Creating(recording, background=True) if outcome.job else recording
        self._under_way[key] = UnderWay(ending=ending, begun=outcome, lane=lane)
        state.open_streams[id(self)] = self
        recording.may_be_dropped()

    def went_on(self, event: object) -> None:
        """A piece of a response has come."""
        found = self._response_of(event)
        if found is not None:
            found.ending.first_chunk()

    def ended(self, event: object) -> None:
        """A response has ended, one way or another, and says what it used."""
        outcome = self._read(event)
        found = self._under_way.pop(outcome.response_id or "", None)
        if not self._under_way:
            state.open_streams.pop(id(self), None)
        if found is None:
            self._record_alone(outcome, self._channel.operation, self._line.model)
        elif state.seen.take(self._end_of(outcome.response_id or "")):
            found.ending.succeed(outcome)

    def transcribed(self, event: object) -> None:
        """What was heard has been transcribed, or could not be."""
        self._record_alone(read_transcript(event), "transcription", self._transcriber)

    def went_wrong(self, event: object) -> None:
        """An error; the response that it is about, if it is about one, may still end by itself."""
        found = self._response_of(event)
        if found is None:
            self._next_on(dig(event, "stream_id"))  # it was refused
        else:
            found.error = error_in(event)

    def give_up(self) -> None:
        """Record what is under way as it is now: the connection is closed, or the process ends."""
        state.open_streams.pop(id(self), None)
        under_way, self._under_way = self._under_way, {}
        for each in under_way.values():
            self._abandon(each)

    def lost(self) -> None:
        """The connection is lost, and what was asked over it; another one may be made in its place."""
        self._asked.clear()
        self.give_up()

    def collected(self) -> None:
        """The garbage collector found the connection; it may run in the middle of anything: the end comes elsewhere."""
        for each in list(self._under_way.values())[:1]:
            each.ending.later(self.give_up)

    def _abandon(self, response: UnderWay) -> None:
        begun = response.begun
        response.ending.abandon(replace(begun, failure=response.error, pending=begun.job, complete=False))

    def _record_alone(self, outcome: Outcome, operation: str, model: str | None) -> None:
        """Something of which we have not seen the beginning."""
        key = outcome.response_id
        if state.sink is not None and key is not None and state.seen.take(self._end_of(key)):
            self._recording(state.sink, operation, model).succeed(outcome)

    def _end_of(self, response_id: str) -> str:
        """
        What is taken when a response has ended, so that it counts once: two connections may follow one call, and an
        application may parse an event twice. An id that another server may use as well is only known here.
        """
        return f"end of {response_id}" if is_unique(response_id) else f"end of {response_id} on {self._own}"

    def _next_on(self, lane: object) -> Asked:
        """Take out the oldest request on a lane."""
        for each in list(self._asked):
            if each.lane == lane:
                self._asked.remove(each)
                return each
        return NOTHING_ASKED

    def _recording(self, sink: Sink, operation: str, model: str | None, *, asked: Asked = NOTHING_ASKED) -> Recording:
        line = self._line
        request = Request(
            operation=operation,
            library=line.library,
            provider=line.provider,
            server_address=line.host,
            server_port=line.port,
            request_model=asked.model or model,
            streamed=True,
            parameters=asked.parameters,
            attribution=asked.attribution,
            content=asked.content,
            content_bytes=asked.content_bytes,
            surroundings=line.attribution,
        )
        return Recording(sink, request)

    def _read(self, event: object) -> Outcome:
        outcome = self._channel.format.read(dig(event, "response"))
        return outcome if outcome.response_model else replace(outcome, response_model=self._model)

    def _response_of(self, event: object) -> UnderWay | None:
        """The one that an event names, else the latest on its lane."""
        found = self._under_way.get(as_name(dig(event, "response_id")) or "")
        if found is None:
            lane = dig(event, "stream_id")
            found = next((each for each in reversed(self._under_way.values()) if each.lane == lane), None)
        return found


Step = Callable[[SocketWatch, object], None]

STEPS: Final[Mapping[str, Step]] = {
    "session.created": SocketWatch.told_of_session,
    "session.updated": SocketWatch.told_of_session,
    "response.created": SocketWatch.begun,
    "response.done": SocketWatch.ended,
    "response.completed": SocketWatch.ended,
    "response.incomplete": SocketWatch.ended,
    "response.failed": SocketWatch.ended,
    "conversation.item.input_audio_transcription.completed": SocketWatch.transcribed,
    "conversation.item.input_audio_transcription.failed": SocketWatch.transcribed,
    "error": SocketWatch.went_wrong,
    "response.event": SocketWatch.told_within,
    "decision.event": SocketWatch.decided,
    **dict.fromkeys(
        (
            "response.audio.delta",
            "response.audio_transcript.delta",
            "response.function_call_arguments.delta",
            "response.output_audio.delta",
            "response.output_audio_transcript.delta",
            "response.output_text.delta",
            "response.reasoning_summary_text.delta",
            "response.reasoning_text.delta",
            "response.refusal.delta",
            "response.text.delta",
        ),
        SocketWatch.went_on,
    ),
}
"""Type of an event → what it means; all others are none of our business."""

RESPONSES_ALONE: Final = frozenset({SocketWatch.begun, SocketWatch.went_on, SocketWatch.ended})
"""What an event within an event may mean."""
