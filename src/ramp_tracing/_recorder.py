"""
One call in flight.

An integration makes a `Recording` when the call starts and ends it in one of three ways; whatever happens
afterwards, the first ending counts and there is exactly one `Generation`.
"""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import field, replace
from threading import Lock
from types import MappingProxyType
from typing import Any, Final

from ._capture import snapshot
from ._context import Around, InForce, in_force
from ._dataclass import dataclass
from ._guard import guarded
from ._identity import generation_id
from ._normalizers import WireFormat
from ._record import (
    GENERATIONS,
    NOBODY,
    NOTHING_READ,
    Attribution,
    Content,
    Cost,
    Drafts,
    Failure,
    Generation,
    GenerationId,
    JobNote,
    Outcome,
    Recorded,
    Timing,
    UnixNanos,
    answer,
    changed,
)
from ._state import Job, Sink, state
from ._unread import Answered, Sent, Unanswered

ABANDONED: Final = Failure(type="abandoned", message="The stream was not read to its end")
"""OpenRouter reports a client that went away as an error too ("The client has disconnected")."""


TIMINGS: Final = Drafts(Timing)
CONTENTS: Final = Drafts(Content)


UNIDENTIFIED: Final = GenerationId("")
"""Of a record whose answer nobody has looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """
    What is known of a call before it is made; see `Generation` for the fields of the same name.

    Attributes:
        attribution: What the request itself says of who it is for.
        content: What is asked, JSON-like; not kept in privacy mode.
        content_bytes: Roughly what *content* occupies.
        input_characters: Length of a text to be spoken.
        only_if_used: The call is billable only if its answer reports usage.
        around: The run of a library further up that the call is part of.
        api_key_hash: Of the key that it is made with.
        surroundings: What was in force where the connection was opened that the call is made on; blocks and the
            request go before it.
    """

    operation: str
    library: str
    provider: str | None = None
    server_address: str | None = None
    server_port: int | None = None
    model: str | None = None
    streamed: bool = False
    parameters: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    attribution: Attribution = NOBODY
    content: object = None
    content_bytes: int = 0
    input_characters: int | None = None
    only_if_used: bool = False
    around: Around | None = None
    surroundings: Attribution = NOBODY
    api_key_hash: str | None = None


class Recording:
    """
    A call between its start and its end. No method raises; the first ending counts, later ones do nothing.

    Args:
        sink: Where its record goes.
        request: What is known of it before it is made.
        in_force: What was in force where it began, if that was somewhere else; then nothing is looked up here.

    Attributes:
        keeps_content: False in privacy mode: then what is asked and answered is not kept even in memory.
        retries: How often the client library tried again, as far as it said so.
        gateway_cost: What the headers of the answer say that it cost; the answer's own word goes before it. Of a job
            that goes on they cannot say it.
        sent: The request as it was sent, where that was seen; then its content is not read before the record is.
    """

    __slots__ = (
        "__weakref__",
        "_ended",
        "_first_chunk",
        "_in_force",
        "_open",
        "_process",
        "_request",
        "_sink",
        "_started",
        "_started_monotonic",
        "gateway_cost",
        "keeps_content",
        "retries",
        "sent",
    )  # fmt: skip

    def __init__(self, sink: Sink, request: Request, in_force: InForce | None = None) -> None:
        self._started = UnixNanos(time.time_ns())
        self._started_monotonic = time.perf_counter_ns()
        self._sink = sink
        self._request = request
        self._in_force = _in_force_here(request) if in_force is None else in_force
        self._first_chunk: UnixNanos | None = None
        self._ended: UnixNanos | None = None
        self._open = Lock()
        self._process = os.getpid()
        self.keeps_content = sink.keeps_content
        self.retries: int | None = None
        self.gateway_cost: Cost | None = None
        self.sent: Sent | None = None

    def another(self) -> "Recording":
        """A second recording of the same request, which was sent twice; it starts where this one did."""
        other = Recording(self._sink, self._request)
        other._started, other._started_monotonic = self._started, self._started_monotonic
        other._in_force, other.sent = self._in_force, self.sent
        return other

    def between(self, started: UnixNanos, ended: UnixNanos, first_chunk: UnixNanos | None = None) -> None:
        """Say when the call happened, where that is known better than by looking at the clock."""
        self._started, self._ended, self._first_chunk = started, ended, first_chunk

    def began_earlier(self, nanoseconds: int) -> None:
        """The call began so long before anybody saw it."""
        self._started = UnixNanos(self._started - nanoseconds)
        self._started_monotonic -= nanoseconds

    def first_chunk(self) -> None:
        """Note the moment at which the first piece of an answer came; later calls do nothing."""
        if self._first_chunk is None:
            self._first_chunk = self._now()

    def succeed(self, outcome: Outcome, job: GenerationId | None = None) -> None:
        """
        End with an answer.

        Args:
            outcome: What the answer says; its own failure, if it holds one, is kept.
            job: The id of a job that this answer creates or settles, which is then the id of the generation.
        """
        self._finish(outcome, outcome.failure, job)

    def succeed_unread(self, format: WireFormat, body: bytes) -> None:
        """End with an answer that is read later, if content may be kept that long; else now."""
        if not self._is_first_end():
            return
        try:
            made = GENERATIONS.begin()
            self._describe(made)
            made.id, made.cost = UNIDENTIFIED, self.gateway_cost
            self._hand_over(Unanswered(GENERATIONS.end(made), format, body, self.sent))
        except BaseException:
            with guarded("recording a call"):
                raise

    def fail(self, failure: Failure, outcome: Outcome = NOTHING_READ) -> None:
        """End with a failure; *outcome* is what had been answered, and billed, before it."""
        self._finish(outcome, failure)

    def abandon(self, outcome: Outcome) -> None:
        """End a stream that is not read any further. One whose finish and usage are known lacks nothing."""
        lacks_nothing = bool(outcome.finish_reasons) and outcome.usage.known
        self._finish(outcome, outcome.failure if lacks_nothing else outcome.failure or ABANDONED)

    def discard(self) -> None:
        """End without a record: it turned out not to be a billable call."""
        self._open.acquire(blocking=False)

    def note_of(self, job: GenerationId) -> JobNote:
        """What is noted of a job where this call is recorded."""
        return self._sink.job(job)

    def settle(self, outcome: Outcome, job: GenerationId) -> None:
        """End a second time: the job that this call created has ended. The caller sees to it that it happens once."""
        with guarded("settling a job"):
            self._settle(
                self._generation(outcome, sayable(outcome.failure, keeps_content=self.keeps_content), job), outcome
            )

    def settle_for(
        self, created: Generation | None, outcome: Outcome, *, job: GenerationId, creator: Job | None = None
    ) -> None:
        """
        Report the end of a job that another call created. The caller sees to it that it happens once.

        Args:
            created: The record of its creation; `None` if nobody here knows who created it.
            outcome: How it ended.
            job: Its id, which is the id of the generation.
            creator: The call that created it, if this process made it: it knows what was asked.
        """
        with guarded("settling a job"):
            if created is None:
                self._begin_with(outcome)
            seen = self._generation(outcome, sayable(outcome.failure, keeps_content=self.keeps_content), job)
            asked = self._content(outcome, asked=False) if creator is None else creator.answered_with(outcome)
            seen = replace(seen, content=asked)
            self._settle(seen if created is None else as_asked(created, seen), outcome)

    def answered_with(self, outcome: Outcome) -> Content | None:
        """What was asked, and what was answered to it later; `None` in privacy mode."""
        return self._content(outcome)

    @property
    def asked_bytes(self) -> int:
        """Roughly what is kept of what was asked."""
        return self._request.content_bytes if self.sent is None else self.sent.size_bytes

    def keep(self, content: object, size_bytes: int) -> None:
        """Keep what is asked, where it is not seen how it is sent."""
        self._request = changed(self._request, content=content, content_bytes=size_bytes)

    def forget_what_was_asked(self) -> None:
        """Keep it no longer: the call has been recorded with it, and its job may end in another process."""
        self.sent = None
        self._request = replace(self._request, content=None, content_bytes=0)

    def _begin_with(self, outcome: Outcome) -> None:
        """Begin when the job began, by the provider's word."""
        if outcome.created is not None and outcome.created < self._started:
            self._started_monotonic -= self._started - outcome.created
            self._started = outcome.created

    def _settle(self, generation: Generation, outcome: Outcome) -> None:
        timing = timing_of_job(generation.timing, outcome, now=UnixNanos(time.time_ns()))
        self._sink.record(replace(generation, timing=timing))

    @property
    def waits(self) -> bool:
        """Whether its record waits for a library above, which may know more."""
        return self._sink is not state.sink

    def may_be_dropped(self) -> None:
        """Its end may come from a finalizer: the application reads a stream, or does not."""
        self._sink.stand_by()

    def later(self, finish: Callable[[], None]) -> None:
        """End on a thread that holds no lock of ours; for finalizers."""
        self._sink.defer(finish)

    @property
    def finished(self) -> bool:
        """Whether it has ended."""
        return self._open.locked()

    def _now(self) -> UnixNanos:
        """By the monotonic clock, so that a call never ends before it started."""
        return UnixNanos(self._started + time.perf_counter_ns() - self._started_monotonic)

    def _is_first_end(self) -> bool:
        """Taken once, released never: one of all racing endings gets it. A forked child has only a copy of the call."""
        return self._open.acquire(blocking=False) and self._process == os.getpid()

    def _finish(self, outcome: Outcome, failure: Failure | None, job: GenerationId | None = None) -> None:
        if not self._is_first_end() or (self._request.only_if_used and not outcome.usage.known):
            return
        try:
            self._hand_over(self._recorded(outcome, sayable(failure, keeps_content=self.keeps_content), job))
        except BaseException:
            with guarded("recording a call"):
                raise

    def _hand_over(self, recorded: Recorded) -> None:
        """An interrupt in the middle of this is the application's; written twice, the same id still counts once."""
        try:
            self._sink.record(recorded)
        except BaseException as error:
            if not isinstance(error, Exception):
                self._sink.record(recorded)
            raise

    def _recorded(self, outcome: Outcome, failure: Failure | None, job: GenerationId | None) -> Recorded:
        """The record; what was asked is read later, where it is kept as it was sent."""
        if self.sent is None or not self.keeps_content:
            return self._generation(outcome, failure, job)
        output, output_bytes = snapshot(outcome.output)
        known = GENERATIONS.end(self._made(outcome, failure, job))
        return Answered(known, self.sent, output=output, output_bytes=output_bytes)

    def _generation(self, outcome: Outcome, failure: Failure | None, job: GenerationId | None) -> Generation:
        made = self._made(outcome, failure, job)
        made.content = self._content(outcome)
        return GENERATIONS.end(made)

    def _made(self, outcome: Outcome, failure: Failure | None, job: GenerationId | None) -> Any:
        """A draft of the record, without content."""
        made = GENERATIONS.begin()
        self._describe(made)
        made.id, made.job, made.cost = (
            job or generation_id(outcome.response_id, state.seen),
            job is not None,
            self.gateway_cost,
        )
        answer(made, outcome)
        made.failure = failure
        if self._request.input_characters is not None:
            made.usage = replace(outcome.usage, input_characters=self._request.input_characters)
        return made

    def _describe(self, made: Any) -> None:
        """Put into a draft what is known without an answer."""
        request, in_force = self._request, self._in_force
        made.operation = request.operation
        made.library = request.library
        made.timing = self._timing()
        made.provider = request.provider
        made.server_address = request.server_address
        made.server_port = request.server_port
        made.request_model = request.model
        made.streamed = request.streamed
        made.parameters = request.parameters
        made.retries = self.retries
        made.role = "leaf" if in_force.in_tree else "call"
        made.attribution = in_force.attribution
        made.span_parent = in_force.span_parent
        made.api_key_hash = request.api_key_hash

    def _timing(self) -> Timing:
        made = TIMINGS.begin()
        made.started = self._started
        made.ended = self._now() if self._ended is None else self._ended
        made.first_chunk = self._first_chunk
        return TIMINGS.end(made)

    def _content(self, outcome: Outcome, *, asked: bool = True) -> Content | None:
        asked_for, asked_bytes = self._request.content, self._request.content_bytes
        if self.sent is not None and self.keeps_content:
            asked_for, asked_bytes = self.sent.read() if asked else None, self.sent.size_bytes
        if not self.keeps_content or (asked_for is None and outcome.output is None):
            return None
        output, output_bytes = snapshot(outcome.output)
        made = CONTENTS.begin()
        made.output, made.size_bytes = output, output_bytes
        if asked:
            made.input, made.size_bytes = asked_for, asked_bytes + output_bytes
        return CONTENTS.end(made)


def _in_force_here(request: Request) -> InForce:
    return in_force(request.attribution, request.surroundings.over(state.defaults), request.around)


def sayable(failure: Failure | None, *, keeps_content: bool) -> Failure | None:
    """A provider's message can quote the prompt: where content is not kept, type, status and code are kept alone."""
    return failure if failure is None or keeps_content else replace(failure, message=None)


def as_asked(created: Generation, seen: Generation) -> Generation:
    """
    The record of a job's end, for the one who created it.

    Args:
        created: The record of its beginning.
        seen: That of its end, for the one who asked how it is.
    """
    return replace(
        seen,
        **{name: getattr(created, name) for name in ASKED},
        timing=replace(seen.timing, started=created.timing.started),
        response_model=seen.response_model or created.response_model,
    )


ASKED: Final = (
    "operation", "library", "provider", "server_address", "server_port", "request_model", "streamed", "parameters",
    "retries", "attribution", "span_parent", "api_key_hash",
)  # fmt: skip
"""What of a record does not come from the answer."""

ANSWERED: Final = (
    "upstream_provider", "response_model", "response_id", "finish_reasons", "native_finish_reason", "service_tier",
    "inference_geo",
)  # fmt: skip
"""What of a record is taken from the answer as it is."""


def answered_first(seen: Generation, outcome: Outcome) -> Generation:
    """*seen*, and where its answer said nothing of something, what *outcome* says of it."""
    return replace(seen, **{name: getattr(seen, name) or getattr(outcome, name) for name in ANSWERED})


def timing_of_job(timing: Timing, outcome: Outcome, *, now: UnixNanos) -> Timing:
    """When a job ran: until it ended by the provider's word, in whole seconds, else until it was seen to have ended."""
    said = outcome.ended
    ended = said if said is not None and timing.started < said <= now else max(now, timing.started)
    return replace(timing, ended=ended)
