"""One call of a generated client, from its request to its answer. No colour, and nothing here may raise."""

import os
from typing import Any, Final

from .._capture import snapshot
from .._guard import guarded
from .._layers import claim_models
from .._normalizers import Accumulator, as_count, as_fields, cost_in_headers, failure_of, parse
from .._providers import address_in
from .._record import NOTHING_READ, Cost, Outcome
from .._recorder import Recording, Sent, hand_over
from .._state import Sink
from ._asking import Asking, Origin
from ._bodies import JSON_OBJECT, is_event_stream, read_events
from ._endings import Creating, Ending, Settling
from ._files import Fetching
from ._routes import Route, file_in

MAX_PARSED_BYTES: Final = 64 * 1024
"""Beyond this an answer is vectors or pictures, and what we need of it is cheaper to read from the parsed object."""

MAX_SMALL_BYTES: Final = 8 * 1024
"""Beyond this the application's own messages are not kept beside the bytes; below it, to let them go costs more."""

BEGINNING_BYTES: Final = 400
"""Where a response says how it is with it, before what was answered; one that does not say so there is read at once."""

NOBODYS: Final = object()
"""
Whose client a call's is that is over: what is asked from then on is no part of it.

A task that was begun within the call has it in its context for as long as it lives.
"""


class Call:
    """
    One request and its answer.

    Attributes:
        asking: What is asked.
        hides_usage: The usage was asked for by us, not by the application.
        is_asked: A part of it has been asked by the ``request`` that its own one inherits.
        is_handed_down: Something that has a call of its own, another client as a rule, is asked for the same.
        noted: Whether its answer was seen before the client library read it.
        options: What the client library is to send: the application's, or others in their place.
        owner: The subclass whose ``request`` has been called, if it is not the library's own.
        route: What kind of request it is.
    """

    __slots__ = (
        "__weakref__", "_client", "_ending", "_gateway_cost", "_is_anybodys", "_is_event_stream", "_options",
        "_recording", "_response_body", "_retries", "_sent_body", "_sink",
        "asking", "hides_usage", "is_asked", "is_handed_down", "noted", "options", "owner", "route",
    )  # fmt: skip

    def begin(self, client: object, options: Any, *, sink: Sink, route: Route, origin: Origin) -> None:
        """
        The call starts now. (A constructor with so many parameters takes twice as long.)

        Args:
            client: The client object, to tell a nested wrapper of the same call from another call.
            options: The client library's request options.
            sink: Where its record goes.
            route: What kind of request it is.
            origin: Where it goes.
        """
        self.asking = Asking()
        self.asking.note(client, options, route=route, origin=origin)
        self.route = route
        self.hides_usage = self.noted = self._is_event_stream = self.is_asked = self.is_handed_down = False
        self.owner: type[Any] | None = None
        self._sink, self._client = sink, client
        self.options = self._options = options
        self._is_anybodys = origin.is_anybodys
        self._response_body: bytes | None = None
        self._sent_body: bytes | None = None
        self._recording: Recording | None = None
        self._ending: Ending | None = None
        self._retries: int | None = None
        self._gateway_cost: Cost | None = None

    @property
    def recording(self) -> Recording:
        """The call as it will be recorded. Made when it is needed: where an answer may be read later, it never is."""
        recording = self._recording
        if recording is None:
            recording = self._recording = Recording(self._sink, self.asking, start=self.asking)
            self._tell(recording)
        return recording

    @property
    def ending(self) -> Ending:
        """How it ends."""
        if self._ending is None:
            self._ending = self._new_ending(self.recording)
        return self._ending

    def _tell(self, recording: Recording) -> None:
        """Say what has been seen so far of how it went over the wire."""
        recording.retries, recording.gateway_cost, recording.sent = self._retries, self._gateway_cost, self._sent_as()

    def _sent_as(self) -> Sent | None:
        """What is asked as it went over the wire: nobody can change that any more, and it need not be copied."""
        body = self._sent_body
        return None if body is None or not self._keeps_asked else Sent(body, self.route.format)

    def is_same(self, client: object, options: Any) -> bool:
        """
        Whether a wrapper further in sees this call again: a subclass that calls ``super().request``.

        A copy of the options has the same body object; another call that is made meanwhile has a body of its own.
        """
        return self._client is client and any(
            options is sent or (options.json_data is sent.json_data is not None) for sent in self.sent_options
        )

    @property
    def sent_options(self) -> tuple[Any, Any]:
        """The application's, and what we have made of them, the same as a rule."""
        return self._options, self.options

    def is_asked_by(self, client: object, options: Any, route: Route, owner: type[Any] | None) -> bool:
        """
        Whether what is asked within this call by the ``request`` of *owner* is a part of it.

        What a subclass asks by ``super().request`` is, though it has changed the body. What goes by its own ``request``
        again, or to another endpoint, is another call.
        """
        above = self.owner
        is_part = self.is_same(client, options) or (
            above is not None
            and above is not owner
            and self._client is client
            and route is self.route
            and (owner is None or issubclass(above, owner))
        )
        self.is_asked = self.is_asked or is_part
        return is_part

    def begins_below(self, above: "Call") -> None:
        """Note that it begins where *above* is known by its options alone, as on a thread: it is for whom that is."""
        self._sink = above._sink
        self.asking.begins_below(above.asking)

    def hands_to(self, route: Route) -> None:
        """Note that a call of its own has begun for *route* where this one is made."""
        self.is_handed_down = self.is_handed_down or (self.owner is not None and route is self.route)

    def accumulator(self) -> Accumulator:
        """What folds the answer, if it comes as a stream."""
        self._keep_asked()
        choices = as_count(self.asking.body.get("n")) or 1
        return self.route.format.accumulator(choices, self.recording.keeps_content)

    def note_response(self, client: object, options: Any, response: Any, retries: object) -> None:
        """
        Keep the raw answer: its body is read already, unless it is a stream.

        Another client's is another call's; and what is got within a call is an old answer, usage and all.
        """
        method = self._options.method
        if client is not self._client or getattr(options, "method", method) != method:
            return
        self.noted = True
        try:
            body = getattr(response, "_content", None)
            # In one step: another thread may have an answer too.
            before, self._response_body = self._response_body, body if isinstance(body, bytes) else None
            if before is not None and body is not before:  # the same one comes twice where we are wrapped twice
                self._answered_before(before)
            self._retries = retries if type(retries) is int else as_count(retries)
            sent = getattr(getattr(response, "_request", None), "_content", None)
            self._sent_body = sent if type(sent) is bytes and sent[:1] == JSON_OBJECT else None
            # Of an ordinary stream nobody asks, and to look is 10,000 instructions.
            is_unclear = not self.is_read and (self._is_anybodys or self._response_body is not None)
            self._is_event_stream = is_unclear and is_event_stream(response)
            if self._is_anybodys and not self._is_event_stream:
                self._gateway_cost = cost_in_headers(getattr(response, "headers", None))
            if self._recording is not None:
                self._tell(self._recording)
        except BaseException:
            with guarded("noting a response"):
                raise

    @property
    def goes_on(self) -> bool:
        """Whether it is not over."""
        return self._client is not NOBODYS

    def is_answered_elsewhere(self, options: Any, response: Any) -> bool:
        """Note an answer that comes where nobody knows of this call; False if the call is over."""
        client = self._client
        if client is NOBODYS:
            return False
        self.note_response(client, options, response, _retries_before(response))
        return True

    @property
    def is_read(self) -> bool:
        """Whether the whole answer was there, one JSON value, before the application was handed anything."""
        # A body that another instrumentation has read may be one of events, whatever its header says.
        body = self._response_body
        return body is not None and body[:1] == JSON_OBJECT  # `startswith` takes five times as long

    @property
    def may_be_no_stream(self) -> bool:
        """Whether the answer of a server that nobody knows does not say that it is a stream of events."""
        return self._is_anybodys and not self._is_event_stream

    def _keep_asked(self) -> None:
        """Of a form with files, or what was never sent, keep what the application's body says now."""
        if self._sent_body is None and self._keeps_asked:
            with guarded("keeping what is asked"):
                self.recording.keep(*snapshot(self.route.format.content(self.asking.body)))

    @property
    def _keeps_asked(self) -> bool:
        return self._sink.keeps_content and not self.route.unknown

    def _answered_before(self, body: bytes) -> None:
        """A middleware of the client's asks again within the call: what was answered first was billed as well."""
        with guarded("recording an earlier answer"):
            outcome = self._read(body, None)
            is_paid_for = outcome.usage.known or outcome.pending  # else it was an error, and this is a retry
            if is_paid_for and not (self.route.settles or self.route.fetches):
                self._new_ending(self.recording.another()).succeed(outcome)

    def is_over(self) -> None:
        """Note that nothing that is asked from now on is a part of it, wherever its context goes on."""
        self._client = NOBODYS

    def failed(self, error: BaseException) -> None:
        """The request raised; what had been answered before was billed."""
        self.is_over()
        if self.is_handed_down and not (self.noted or self.is_asked):
            return
        outcome = NOTHING_READ
        self._keep_asked()
        with guarded("reading a failed call"):
            if self._retries is None:
                self.recording.retries = _retries_before(error)
            if self._response_body is not None:
                outcome = self._read(self._response_body, None)
        with guarded("recording a failed call"):
            self.ending.fail(failure_of(error), outcome)

    def is_left_unread(self) -> bool:
        """Whether the call, which has been answered, is recorded now, with its answer as it came, to be read later."""
        self.is_over()
        kept = None
        try:
            kept = self._kept()
            if kept is not None:
                self._record_unread(kept)
        except BaseException:
            with guarded("recording an answer unread"):
                raise
        return kept is not None

    def answered(self, result: object) -> None:
        """The whole answer is there; a call whose answer could not be read has been made all the same."""
        body = self._response_body or self._read_meanwhile(result)
        try:
            if isinstance(self.ending, Fetching):
                self.ending.read(body or b"")
            else:
                self._keep_asked()
                self.ending.succeed(self._outcome(body, result))
        except BaseException:
            with guarded("recording a call"):
                raise

    def _read_meanwhile(self, result: object) -> bytes | None:
        """The body of a response that came unread, if another instrumentation has read it before the application."""
        response = getattr(result, "http_response", None)
        body = getattr(response, "_content", None)
        if not isinstance(body, bytes):
            return None
        self._is_event_stream = is_event_stream(response)
        return body

    def _outcome(self, body: bytes | None, result: object) -> Outcome:
        outcome = NOTHING_READ
        try:
            outcome = self._read(body, result)
            if self.route.unknown and outcome.usage.known:
                claim_models()  # it was a call after all
        except BaseException:
            with guarded("reading an answer"):
                raise
        return outcome

    def _kept(self) -> bytes | None:
        """What is kept of the answer, to be read later; `None` where it has to be read now."""
        route, body = self.route, self._response_body
        format = route.format
        if body is None or body[:1] != JSON_OBJECT or self._sent_body is None or self._recording is not None:
            return None
        if not route.is_a_call or not format.name or not self._sink.keeps_content:
            return None
        if route.creates_jobs and self._may_be_a_job(body):
            return None
        kept = format.kept(body)
        return None if kept is None or len(kept) > MAX_PARSED_BYTES else kept

    def _may_be_a_job(self, body: bytes) -> bool:
        status = body.find(b'"status"', 0, BEGINNING_BYTES)
        is_over = status > 0 and b'"completed"' in body[status : status + 24] and body.find(b'"output"', 0, status) < 0
        return self._is_job or not is_over

    def _record_unread(self, body: bytes) -> None:
        asking = self.asking
        asking.is_answered(
            self.route.format, body, sent=self._sent_body, retries=self._retries, cost=self._gateway_cost
        )
        if asking.size_bytes > MAX_SMALL_BYTES:
            asking.let_go()
        if asking.process == os.getpid():
            hand_over(self._sink, asking)

    def _new_ending(self, recording: Recording) -> Ending:
        if self.route.fetches:
            return Fetching(recording, file_in(self._options.url))
        if self.route.settles:
            return Settling(recording, only_known=self.route.lists)
        if self.route.creates_jobs:
            return Creating(recording, background=self._is_job)
        return recording

    @property
    def _is_job(self) -> bool:
        """Whether the application asks for work that goes on after its call."""
        return self.asking.body.get("background") is True

    def _read(self, body: bytes | None, result: object) -> Outcome:
        """The bytes where they are few, because they hold every digit; else what the library made of them."""
        if body is None:
            return self.route.format.read(result)
        if self._is_event_stream:
            return read_events(body, self.accumulator())
        is_raw = result is None or hasattr(result, "http_response")
        answer = parse(body) if is_raw or len(body) <= MAX_PARSED_BYTES else None
        return self.route.format.read(result if answer is None else answer)


def nanoseconds_taken(response: Any) -> int:
    """How long a response took that has been read; 0 if it has not."""
    return 0 if not hasattr(response, "_elapsed") else round(response.elapsed.total_seconds() * 1e9)


def address_of(client: Any, url: str) -> tuple[str | None, int | None]:
    """Host and port of a request; `client.post` takes absolute URLs too."""
    if "//" in url and (address := address_in(url))[0] is not None:
        return address
    base = client.base_url
    return base.host, base.port or (443 if base.scheme == "https" else 80)


def _retries_before(error: object) -> int | None:
    """Generated clients number their attempts in a header; a connection error has no response but its request."""
    request = getattr(getattr(error, "response", None), "request", None) or getattr(error, "request", None)
    headers = as_fields(getattr(request, "headers", None))
    return as_count(headers.get("x-stainless-retry-count"))
