"""A stand-in for Ramp's receiver."""

import math
import secrets
import ssl
import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from http.client import responses
from types import TracebackType
from typing import Final, Self

from ._loopback import Answer, LoopbackServer, Request, json_answer
from ._received import ReceivedSpan, read_events, read_spans

PATH: Final = "/developer/v1/ai-usage/openrouter"
"""Where Ramp listens."""

UNIFIED_PATH: Final = "/developer/v1/ai-usage/unified"
"""Where it takes unified events."""

CONNECTION_TEST: Final = "openrouter-connection-test"
"""The name of a span that asks whether the way is clear, and that Ramp does not count."""

NO_HEADERS: Final[Mapping[str, str]] = {}

AnswerGiven = int | Answer | Callable[[Request], Answer | None]
"""A status, a whole answer, or a function that makes one, or leaves it to the usual one with `None`."""


class FakeRamp:
    """
    A receiver that behaves like Ramp's, on 127.0.0.1, as long as its ``with`` block.

    It reads OTLP as JSON or protobuf, packed with gzip or not, checks the key, keeps connection tests apart and counts
    a span once, however often it is sent: a later one with the same id replaces the earlier. At `unified_url` it takes
    unified events in the same way.

    Example:
        >>> with FakeRamp() as ramp:
        ...     ramp_tracing.instrument(api_key="test", base_url=ramp.url)
        ...     client.chat.completions.create(model="gpt-4o", messages=messages)
        ...     [generation] = ramp.wait_for(1)
        ...     assert generation.attributes["gen_ai.usage.input_tokens"] == 42

    Args:
        api_key: The only key that it accepts; any key if left out.
        port: The port; 0 takes a free one.
        tls: Serve https with this context.
    """

    def __init__(self, *, api_key: str | None = None, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self._server = LoopbackServer(self._answer, port=port, tls=tls)
        self._api_key = api_key
        self._spans: dict[str, ReceivedSpan] = {}
        self._events: dict[str, dict[str, object]] = {}
        self._connection_tests: list[Request] = []
        self._next: deque[_Script] = deque()
        self._standing: _Script | None = None
        self._changed = threading.Condition()

    def __enter__(self) -> Self:
        """
        Start to listen.

        Raises:
            OSError: The port is taken.
        """
        self._server.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()

    @property
    def url(self) -> str:
        """What to give to `ramp_tracing.instrument` as ``base_url``."""
        return self._server.url + PATH

    @property
    def unified_url(self) -> str:
        """The same for ``protocol="ramp/unified"``."""
        return self._server.url + UNIFIED_PATH

    @property
    def requests(self) -> list[Request]:
        """Every request that arrived, those that were refused among them, oldest first."""
        return self._server.requests

    @property
    def spans(self) -> list[ReceivedSpan]:
        """The spans that were accepted, in the order in which their ids were first seen."""
        with self._changed:
            return list(self._spans.values())

    @property
    def generations(self) -> list[ReceivedSpan]:
        """The spans that are billable model calls."""
        return [each for each in self.spans if each.is_generation]

    @property
    def events(self) -> list[dict[str, object]]:
        """The unified events that were accepted, as JSON objects, in the order in which their ids were first seen."""
        with self._changed:
            return list(self._events.values())

    @property
    def connection_tests(self) -> list[Request]:
        """The accepted requests that only asked whether the way is clear."""
        with self._changed:
            return list(self._connection_tests)

    def wait_for(self, count: int, timeout_seconds: float = 5.0) -> list[ReceivedSpan]:
        """
        Wait until at least *count* generations were accepted.

        Args:
            count: How many.
            timeout_seconds: How long to wait at most.

        Returns:
            All generations that were accepted until then.

        Raises:
            TimeoutError: There were fewer; the text says how many, and how many requests arrived.
        """
        with self._changed:
            if self._changed.wait_for(lambda: len(self.generations) >= count, timeout_seconds):
                return self.generations
        arrived = f"{len(self.generations)} of {count} generations arrived, in {len(self.requests)} requests"
        raise TimeoutError(f"{arrived}, within {timeout_seconds} s")

    def answer_with(
        self,
        answer: AnswerGiven,
        *,
        headers: Mapping[str, str] = NO_HEADERS,
        times: int | None = None,
    ) -> None:
        """
        Answer the next requests in another way than Ramp would.

        The spans of a request count if the status is 2xx, also if the answer is then ``cut``: so a receiver is played
        that took the spans, but whose answer was lost. What is told with ``times`` comes first, in the order told.

        Example:
            >>> ramp.answer_with(429, headers={"Retry-After": "1"}, times=2)
            >>> ramp.answer_with(Answer(status=200, cut=True), times=1)
            >>> ramp.answer_with(lambda request: Answer(status=413) if len(request.body) > 5_000 else None)

        Args:
            answer: A status, a whole answer, or a function that makes one; where it returns `None`, Ramp's is given.
            headers: Sent with the answer.
            times: For how many requests; if left out, until `answer_normally` is called.
        """
        script = _Script(_answering(answer, headers), math.inf if times is None else times)
        with self._changed:
            if times is None:
                self._standing = script
            else:
                self._next.append(script)

    def answer_normally(self) -> None:
        """Forget what `answer_with` was told."""
        with self._changed:
            self._next.clear()
            self._standing = None

    def clear(self) -> None:
        """Forget the spans, events and connection tests that were received."""
        with self._changed:
            self._spans.clear()
            self._events.clear()
            self._connection_tests.clear()

    def _answer(self, request: Request) -> Answer:
        answer = self._told(request)
        if answer is None:
            answer = self._refusal(request) or self._accept(request)
        elif 200 <= answer.status < 300:
            with suppress(ValueError):
                self._keep(request)
        return replace(answer, headers={"x-trace-id": secrets.token_hex(16), **answer.headers})

    def _told(self, request: Request) -> Answer | None:
        with self._changed:
            script = self._next[0] if self._next else self._standing
            if script is None:
                return None
            script.remaining -= 1
            if script.remaining <= 0:
                self._next.popleft()
        return script.answer(request)

    def _refusal(self, request: Request) -> Answer | None:
        if request.path not in (PATH, UNIFIED_PATH):
            return _error(404, f"there is nothing at {request.path}")
        if request.method != "POST":
            return _error(405, "spans are sent with POST")
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not key or key != (self._api_key or key):
            return _error(401, "the key is missing or not known")
        return None

    def _accept(self, request: Request) -> Answer:
        try:
            self._keep(request)
        except ValueError as error:
            return _error(400, str(error))
        if request.path == UNIFIED_PATH:
            return Answer(status=204)
        if "protobuf" in request.headers.get("content-type", ""):
            return Answer(headers={"Content-Type": "application/x-protobuf"})
        return json_answer({})

    def _keep(self, request: Request) -> None:
        if request.path == UNIFIED_PATH:
            with self._changed:
                self._events.update({str(each["event_id"]): each for each in read_events(request.body)})
                self._changed.notify_all()
            return
        spans = read_spans(request.body, request.headers.get("content-type", ""))
        asks_only = "x-test-connection" in request.headers
        counted = [each for each in spans if each.name != CONNECTION_TEST and not asks_only]
        with self._changed:
            if asks_only or len(counted) < len(spans):
                self._connection_tests.append(request)
            self._spans.update({each.span_id: each for each in counted})
            self._changed.notify_all()


@dataclass(slots=True)
class _Script:
    answer: Callable[[Request], Answer | None]
    remaining: float


def _answering(given: AnswerGiven, headers: Mapping[str, str]) -> Callable[[Request], Answer | None]:
    def answer(request: Request) -> Answer | None:
        made = given(request) if callable(given) else _error(given) if isinstance(given, int) else given
        return made and replace(made, headers={**made.headers, **headers})

    return answer


def _error(status: int, message: str | None = None) -> Answer:
    """An answer in the shape of Ramp's; an empty object where the status is no error."""
    if status < 400:
        return json_answer({}, status=status)
    text = message or responses.get(status, "an error")
    return json_answer(error_body(f"FAKE_{status}", text), status=status)


def error_body(code: str, message: str) -> dict[str, object]:
    """What Ramp answers where it refuses something."""
    return {"error_v2": {"error_code": code, "message": message, "additional_info": {}}}
