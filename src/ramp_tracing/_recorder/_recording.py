"""
One call in flight.

An integration makes a `Recording` when the call starts and ends it in one of three ways; whatever happens
afterwards, the first ending counts and there is exactly one `Generation`.
"""

import os
import time
from collections.abc import Callable
from dataclasses import replace
from threading import Lock
from typing import Any, Final

from .._capture import snapshot
from .._context import InForce
from .._guard import guarded
from .._identity import generation_id
from .._record import (
    GENERATIONS,
    NOTHING_READ,
    Content,
    Cost,
    Failure,
    Generation,
    GenerationId,
    JobNote,
    Outcome,
    Recorded,
    UnixNanos,
    answer,
    changed,
)
from .._state import Job, Sink, state
from ._draft import CONTENTS, drafted, timed
from ._job_records import as_asked, timing_of_job
from ._request import Request
from ._start import Start
from ._unread import Answered, Sent, Unanswered

ABANDONED: Final = Failure(type="abandoned", message="The stream was not read to its end")
"""OpenRouter reports a client that went away as an error too ("The client has disconnected")."""


class Recording:
    """
    A call between its start and its end. No method raises; the first ending counts, later ones do nothing.

    Args:
        sink: Where its record goes.
        request: What is known of it before it is made, or what finds that out: asked when it is needed, perhaps by
            another thread.
        in_force: What was in force where it began, if that was somewhere else; then nothing is looked up here.
        start: When and where it started, if that is not now and here.

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
        "_request",
        "_sink",
        "_start",
        "_started",
        "_started_monotonic",
        "gateway_cost",
        "keeps_content",
        "retries",
        "sent",
    )  # fmt: skip

    def __init__(
        self, sink: Sink, request: Request | Unanswered, in_force: InForce | None = None, start: Start | None = None
    ) -> None:
        self._start = Start() if start is None else start
        self._started = self._start.instant
        self._started_monotonic = self._start.monotonic
        self._sink = sink
        self._request = request
        self._in_force = in_force
        self._first_chunk: UnixNanos | None = None
        self._ended: UnixNanos | None = None
        self._open = Lock()
        self.keeps_content = sink.keeps_content
        self.retries: int | None = None
        self.gateway_cost: Cost | None = None
        self.sent: Sent | None = None

    def another(self) -> "Recording":
        """A second recording of the same request, which was sent twice; it starts where this one did."""
        other = Recording(self._sink, self.request, self.in_force, self._start)
        other._started, other._started_monotonic, other.sent = self._started, self._started_monotonic, self.sent
        return other

    @property
    def request(self) -> Request:
        """What is known of the call before it is made."""
        request = self._request
        if not isinstance(request, Request):
            request = self._request = request.request()
        return request

    @property
    def in_force(self) -> InForce:
        """Who and what the call is for, as it was where it began."""
        if self._in_force is None:
            request = self.request
            self._in_force = self._start.in_force(request.attribution, request.around, request.surroundings)
        return self._in_force

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
        return self.request.content_bytes if self.sent is None else self.sent.size_bytes

    def keep(self, content: object, size_bytes: int) -> None:
        """Keep what is asked, where it is not seen how it is sent."""
        self._request = changed(self.request, content=content, content_bytes=size_bytes)

    def forget_what_was_asked(self) -> None:
        """Keep it no longer: the call has been recorded with it, and its job may end in another process."""
        self.sent = None
        self._request = changed(self.request, content=None, content_bytes=0)

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
        return self._open.acquire(blocking=False) and self._start.process == os.getpid()

    def _finish(self, outcome: Outcome, failure: Failure | None, job: GenerationId | None = None) -> None:
        if not self._is_first_end() or (self.request.only_if_used and not outcome.usage.known):
            return
        try:
            hand_over(self._sink, self._recorded(outcome, sayable(failure, keeps_content=self.keeps_content), job))
        except BaseException:
            with guarded("recording a call"):
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
        request, timing = self.request, timed(self._started, self._ended or self._now(), self._first_chunk)
        made = drafted(request, self.in_force, timing, retries=self.retries, cost=self.gateway_cost)
        made.id = job or generation_id(outcome.response_id, state.seen)
        made.job = job is not None
        answer(made, outcome)
        made.failure = failure
        if request.input_characters is not None:
            made.usage = replace(outcome.usage, input_characters=request.input_characters)
        return made

    def _content(self, outcome: Outcome, *, asked: bool = True) -> Content | None:
        asked_for, asked_bytes = self.request.content, self.request.content_bytes
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


def hand_over(sink: Sink, recorded: Recorded) -> None:
    """An interrupt in the middle of this is the application's; written twice, the same id still counts once."""
    try:
        sink.record(recorded)
    except BaseException as error:
        if not isinstance(error, Exception):
            sink.record(recorded)
        raise


def sayable(failure: Failure | None, *, keeps_content: bool) -> Failure | None:
    """A provider's message can quote the prompt: where content is not kept, type, status and code are kept alone."""
    return failure if failure is None or keeps_content else replace(failure, message=None)
