"""One call of a generated client, from its request to its answer. No colour, and nothing here may raise."""

from collections.abc import Mapping
from typing import Any, Final

from .._capture import snapshot
from .._context import as_text, attribution_of
from .._guard import guarded
from .._layers import around_here, claim_models
from .._normalizers import Accumulator, as_count, as_fields, as_name, cost_in_headers, failure_of, numbers_in, parse
from .._providers import address_in, provider_of
from .._record import NOBODY, NOTHING_READ, Attribution, Drafts, Outcome
from .._recorder import Recording, Request
from .._state import Sink, state
from ._bodies import is_event_stream, read_events
from ._endings import Creating, Ending, Settling
from ._files import Fetching, file_in
from ._key_hashes import hash_of_client
from ._routes import Route, operation_in

NOBODYS: Final[Mapping[str, str]] = {}

NO_ANSWERS: Final = frozenset({"batch", "embeddings", "moderation", "transcription", "translation"})
"""What a chat model, or its cache, may ask for on its way, and what cannot be its answer."""

MAX_PARSED_BYTES: Final = 64 * 1024
"""Beyond this an answer is vectors or pictures, and what we need of it is cheaper to read from the parsed object."""


class Call:
    """
    One request and its answer.

    Args:
        sink: Where its record goes.
        client: The client object, to tell a nested wrapper of the same call from another call.
        options: The client library's request options.
        route: What kind of request it is.
        library: ``openai``…
        origin: Where it goes.

    Attributes:
        ending: How it ends.
        recording: The call as it will be recorded.
        hides_usage: The usage was asked for by us, not by the application.
        noted: Whether its answer was seen before the client library read it.
        route: What kind of request it is.
    """

    __slots__ = (
        "_body", "_client", "_is_anybodys", "_is_event_stream", "_options", "_response_body", "_sent",
        "ending", "hides_usage", "noted", "recording", "route",
    )  # fmt: skip

    def __init__(
        self, sink: Sink, client: object, options: Any, *, route: Route, library: str, origin: "Origin"
    ) -> None:
        self.route = route
        self.hides_usage = self.noted = False
        self._client, self._options = client, options
        self._sent: tuple[Any, ...] = (options,)
        self._response_body: bytes | None = None
        self._is_event_stream = False
        self._is_anybodys = origin.is_anybodys
        self._body = body_of(options)
        self.recording = Recording(sink, self._request(sink, library, origin))
        self.ending = self._ending()

    def is_same(self, client: object, options: Any) -> bool:
        """
        Whether a wrapper further in sees this call again: a subclass that calls ``super().request``.

        A copy of the options has the same body object; another call that is made meanwhile has a body of its own.
        """
        if self._client is not client or self.recording.finished:
            return False
        return any(options is sent or (options.json_data is sent.json_data is not None) for sent in self._sent)

    def sent_as(self, options: Any) -> None:
        """Note the options that are handed on in place of the application's."""
        self._sent = (self._options, options)

    def accumulator(self) -> Accumulator:
        """What folds the answer, if it comes as a stream."""
        choices = as_count(self._body.get("n")) or 1
        return self.route.format.accumulator(choices, self.recording.keeps_content)

    def note_response(self, client: object, response: Any, retries: object) -> None:
        """Keep the raw answer: its body is read already, unless it is a stream. Another client's is another call's."""
        if client is not self._client:
            return
        self.noted = True
        before, body = self._response_body, getattr(response, "_content", None)
        if before is not None and body is not before:  # the same one comes twice where we are wrapped twice
            self._answered_before(before)
        self.recording.retries = as_count(retries)
        self._response_body = body if isinstance(body, bytes) else None
        self._is_event_stream = is_event_stream(response, self._response_body)
        if self._is_anybodys and not self._is_event_stream:
            self.recording.gateway_cost = cost_in_headers(getattr(response, "headers", None))

    def _answered_before(self, body: bytes) -> None:
        """A middleware of the client's asks again within the call: what was answered first was billed as well."""
        with guarded("recording an earlier answer"):
            outcome = self._read(body, None)
            if self.ending is self.recording and outcome.usage.known:  # else it was an error, and this is a retry
                self.recording.another().succeed(outcome)

    def failed(self, error: BaseException) -> None:
        """The request raised; what had been answered before was billed."""
        outcome = NOTHING_READ
        with guarded("reading a failed call"):
            if self.recording.retries is None:
                self.recording.retries = _retries_before(error)
            if self._response_body is not None:
                outcome = self._read(self._response_body, None)
        with guarded("recording a failed call"):
            self.ending.fail(failure_of(error), outcome)

    def answered(self, result: object) -> None:
        """The whole answer is there; a call whose answer could not be read has been made all the same."""
        outcome = NOTHING_READ
        if isinstance(self.ending, Fetching):
            self.ending.read(self._response_body or b"")
            return
        try:
            outcome = self._read(self._response_body or _read_meanwhile(result), result)
            if self.route.unknown and outcome.usage.known:
                claim_models()  # it was a call after all
        except BaseException:
            with guarded("reading an answer"):
                raise
        try:
            self.ending.succeed(outcome)
        except BaseException:
            with guarded("recording a call"):
                raise

    def _ending(self) -> Ending:
        if self.route.fetches:
            return Fetching(self.recording, file_in(self._options.url))
        if self.route.settles:
            return Settling(self.recording, only_known=self.route.lists)
        if self.route.creates_jobs:
            return Creating(self.recording, background=self._body.get("background") is True)
        return self.recording

    def _read(self, body: bytes | None, result: object) -> Outcome:
        """The bytes where they are few, because they hold every digit; else what the library made of them."""
        if body is None:
            return self.route.format.read(result)
        if self._is_event_stream:
            return read_events(body, self.accumulator())
        is_raw = result is None or hasattr(result, "http_response")
        answer = parse(body) if is_raw or len(body) <= MAX_PARSED_BYTES else None
        return self.route.format.read(result if answer is None else answer)

    def _asked(self, sink: Sink) -> "Asked":
        """What the body says for itself; each part is worth having without the others."""
        content, attribution, key_hash = NO_CONTENT, NOBODY, None
        try:
            if sink.keeps_content and not self.route.unknown:
                content = snapshot(self.route.format.content(self._body))
        except BaseException:
            with guarded("keeping what is asked"):
                raise
        try:
            attribution = attribution_in(self._body, self.route.format.user(self._body))
        except BaseException:
            with guarded("reading who a call is for"):
                raise
        if state.hashes_keys:
            with guarded("hashing a key"):
                key_hash = hash_of_client(self._client, self._options)
        return content, attribution, key_hash

    def _request(self, sink: Sink, library: str, origin: "Origin") -> Request:
        body = self._body
        (content, content_bytes), attribution, key_hash = self._asked(sink)
        spoken = body.get("input") if self.route.operation == "speech" else None
        made = REQUESTS.begin()
        made.operation = _operation(self.route, self._options.url)
        made.library = library
        made.provider, made.server_address, made.server_port = origin.provider, origin.host, origin.port
        made.model = as_name(body.get("model"))
        made.streamed = body.get("stream") is True
        made.parameters = numbers_in(body)
        made.attribution = attribution
        made.content, made.content_bytes = content, content_bytes
        made.input_characters = len(spoken) if isinstance(spoken, str) else None
        made.only_if_used = self.route.unknown
        made.api_key_hash = key_hash
        made.around = around_here(answers=self.route.is_a_call and self.route.operation not in NO_ANSWERS)
        return REQUESTS.end(made)


REQUESTS: Final = Drafts(Request)

NO_CONTENT: Final[tuple[object, int]] = (None, 0)

Asked = tuple[tuple[object, int], Attribution, str | None]
"""What is asked, and roughly its size in bytes; who it is for; the hash of the key."""


class Origin:
    """Where a request goes."""

    __slots__ = ("host", "is_anybodys", "port", "provider")

    def __init__(self, host: str | None, port: int | None, provider: str | None) -> None:
        self.host = host
        self.port = port
        self.provider = provider
        self.is_anybodys = provider_of(host, port, NOBODYS) is None  # then it may be a gateway


def nanoseconds_taken(response: Any) -> int:
    """How long a response took that has been read; 0 if it has not."""
    return 0 if not hasattr(response, "_elapsed") else round(response.elapsed.total_seconds() * 1e9)


def _read_meanwhile(result: object) -> bytes | None:
    """The body of a response that comes unread, if another instrumentation has read it before the application does."""
    body = getattr(getattr(result, "http_response", None), "_content", None)
    return body if isinstance(body, bytes) else None


def address_of(client: Any, url: str) -> tuple[str | None, int | None]:
    """Host and port of a request; `client.post` takes absolute URLs too."""
    if "//" in url and (address := address_in(url))[0] is not None:
        return address
    base = client.base_url
    return base.host, base.port or (443 if base.scheme == "https" else 80)


def body_of(options: Any) -> Mapping[str, object]:
    """The JSON body as it will be sent: ``extra_body`` goes over the rest."""
    body = as_fields(options.json_data)
    extra = as_fields(options.extra_json)
    return {**body, **extra} if extra else body


def attribution_in(body: Mapping[str, object], user: object) -> Attribution:
    """
    ``session_id`` and ``trace`` of a request body, the way OpenRouter takes them, and *user*, whom the body names:
    https://openrouter.ai/docs/guides/features/broadcast
    """
    trace, session = as_fields(body.get("trace")), body.get("session_id")
    if not trace and user is None and session is None:
        return NOBODY
    given = attribution_of({key: value for key, value in trace.items() if key not in ("user", "session_id")})
    return Attribution(user=as_text(user), session_id=as_text(session)).over(given)


def _operation(route: Route, url: str) -> str:
    return operation_in(url) if route.unknown else route.operation


def _retries_before(error: BaseException) -> int | None:
    """Generated clients number their attempts in a header; a connection error has no response but its request."""
    request = getattr(getattr(error, "response", None), "request", None) or getattr(error, "request", None)
    headers = as_fields(getattr(request, "headers", None))
    return as_count(headers.get("x-stainless-retry-count"))
