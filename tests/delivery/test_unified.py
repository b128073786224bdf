"""`protocol="ramp/unified"` end to end: the same promises, by another door, with a key or an OAuth client."""

import base64
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import pytest

from ramp_tracing._config import Config, resolve
from ramp_tracing._delivery import Pipeline
from ramp_tracing._delivery import test_connection as try_connection
from ramp_tracing._journal import Stats
from ramp_tracing._loopback import Answer, LoopbackServer, Request, json_answer
from ramp_tracing.testing import FakeRamp

from .records import KEY, generation

SECRET = "client-secret-canary-4471"
CLIENT = "ramp_id_1"
BASIC = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()


class TokenServer:
    """Gives numbered tokens, as an authorization server does, or answers what it is told to."""

    def __init__(self) -> None:
        self.expires_in: object = 3600
        self.told: list[Answer] = []
        self._server = LoopbackServer(self._answer)
        self._given = 0

    def __enter__(self) -> "TokenServer":
        self._server.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()

    @property
    def url(self) -> str:
        return self._server.url + "/developer/v1/token"

    @property
    def requests(self) -> list[Request]:
        return self._server.requests

    def _answer(self, request: Request) -> Answer:
        if self.told:
            return self.told.pop(0)
        if request.headers.get("authorization") != f"Basic {BASIC}":
            return json_answer({"error": "invalid_client", "error_description": SECRET}, status=401)
        if parse_qs(request.body.decode()) != {"grant_type": ["client_credentials"], "scope": ["ai_usage:write"]}:
            return json_answer({"error": "invalid_scope"}, status=400)
        self._given += 1
        token = f"token-canary-{self._given}"
        return json_answer({"access_token": token, "token_type": "Bearer", "expires_in": self.expires_in})


@pytest.fixture
def ramp() -> Iterator[FakeRamp]:
    with FakeRamp() as running:
        yield running


@pytest.fixture
def tokens() -> Iterator[TokenServer]:
    with TokenServer() as running:
        yield running


@pytest.fixture
def started() -> Iterator[Callable[[Config], Pipeline]]:
    made: list[Pipeline] = []

    def start(config: Config) -> Pipeline:
        made.append(Pipeline(config, linger_seconds=0.05))
        return made[-1]

    yield start
    for each in made:
        each.shutdown(0)


def with_key(ramp: FakeRamp, **options: object) -> Config:
    return resolve({"api_key": KEY, "base_url": ramp.unified_url, "protocol": "ramp/unified", **options}, {})


def with_client(ramp: FakeRamp, tokens: TokenServer, **options: object) -> Config:
    given = {"client_id": CLIENT, "client_secret": SECRET, "token_url": tokens.url, **options}
    return resolve({"base_url": ramp.unified_url, "protocol": "ramp/unified", **given}, {})


def ids(ramp: FakeRamp) -> list[object]:
    return [each["event_id"] for each in ramp.events]


def authorizations(ramp: FakeRamp) -> list[str]:
    return [each.headers["authorization"] for each in ramp.requests]


def test_records_arrive_as_events(ramp: FakeRamp, started: Callable[[Config], Pipeline]) -> None:
    """Fifty in a request at most, each once, without any content."""
    pipeline = started(with_key(ramp))
    for number in range(120):
        pipeline.record(generation(number, text="canary-prompt"))
    assert pipeline.flush(30)
    assert ids(ramp) == [f"gen-{number}" for number in range(120)]
    assert {request.headers["content-type"] for request in ramp.requests} == {"application/json"}
    assert all(b"canary" not in request.body for request in ramp.requests)
    assert pipeline.stats() == Stats(recorded=120, acknowledged=120)


def test_a_retry_is_the_same_request(ramp: FakeRamp, started: Callable[[Config], Pipeline]) -> None:
    """The answer was lost, though the events were taken: same bytes, same key, counted once."""
    ramp.answer_with(Answer(status=204, cut=True), times=1)
    ramp.answer_with(503, times=1)
    pipeline = started(with_key(ramp))
    pipeline.record(generation(1))
    assert _flushed(pipeline)
    sent = {(request.body, request.headers["idempotency-key"]) for request in ramp.requests}
    assert (len(ramp.requests), len(sent), ids(ramp)) == (3, 1, ["gen-1"])


def test_a_batch_that_is_too_large_is_halved(ramp: FakeRamp, started: Callable[[Config], Pipeline]) -> None:
    """Until it fits; each event arrives once."""
    ramp.answer_with(lambda request: Answer(status=413) if request.body.count(b"event_id") > 2 else None)
    pipeline = started(with_key(ramp))
    for number in range(7):
        pipeline.record(generation(number))
    assert _flushed(pipeline)
    assert sorted(map(str, ids(ramp))) == [f"gen-{number}" for number in range(7)]


def test_one_bad_event_takes_no_other_with_it(ramp: FakeRamp, started: Callable[[Config], Pipeline]) -> None:
    """It becomes a dead letter, and the others arrive."""
    ramp.answer_with(lambda request: Answer(status=400) if b'"gen-3"' in request.body else None)
    pipeline = started(with_key(ramp))
    for number in range(6):
        pipeline.record(generation(number))
    deadline = time.monotonic() + 60
    while pipeline.stats().waiting and time.monotonic() < deadline:
        pipeline.flush(1)
    assert sorted(map(str, ids(ramp))) == [f"gen-{number}" for number in (0, 1, 2, 4, 5)]
    assert pipeline.stats() == Stats(recorded=6, acknowledged=5, dead=1)


def test_runs_around_calls_are_filtered(ramp: FakeRamp, started: Callable[[Config], Pipeline]) -> None:
    """There are events of calls only, and the counts add up."""
    pipeline = started(with_key(ramp))
    pipeline.record(replace(generation(1), role="step"))
    pipeline.record(generation(2))
    assert pipeline.flush(30)
    assert (ids(ramp), pipeline.stats()) == (["gen-2"], Stats(recorded=2, acknowledged=1, filtered=1))


def test_a_token_is_asked_for_once(
    ramp: FakeRamp, tokens: TokenServer, started: Callable[[Config], Pipeline], caplog: pytest.LogCaptureFixture
) -> None:
    """With its scope, and used until it ends; nothing of it is in the log."""
    with caplog.at_level(logging.DEBUG):
        pipeline = started(with_client(ramp, tokens))
        for number in range(3):
            pipeline.record(generation(number))
            assert pipeline.flush(30)
    assert len(tokens.requests) == 1
    assert authorizations(ramp) == ["Bearer token-canary-1"] * 3
    assert "canary" not in caplog.text


def test_a_token_is_renewed_before_it_ends(
    ramp: FakeRamp, tokens: TokenServer, started: Callable[[Config], Pipeline]
) -> None:
    """Nobody waits for the 401."""
    tokens.expires_in = 0.001
    pipeline = started(with_client(ramp, tokens))
    for number in range(2):
        pipeline.record(generation(number))
        assert pipeline.flush(30)
        time.sleep(0.002)
    assert authorizations(ramp) == ["Bearer token-canary-1", "Bearer token-canary-2"]


def test_a_token_that_is_not_taken_is_renewed_once(
    ramp: FakeRamp, tokens: TokenServer, started: Callable[[Config], Pipeline], caplog: pytest.LogCaptureFixture
) -> None:
    """Within the same request for the application; if the next is not taken either, everything is kept."""
    pipeline = started(with_client(ramp, tokens))
    ramp.answer_with(401, times=1)
    pipeline.record(generation(1))
    assert pipeline.flush(30)
    assert authorizations(ramp) == ["Bearer token-canary-1", "Bearer token-canary-2"]
    assert len({(each.body, each.headers["idempotency-key"]) for each in ramp.requests}) == 1
    ramp.answer_with(lambda request: json_answer({"message": request.headers["authorization"]}, status=401))
    pipeline.record(generation(2))
    assert not pipeline.flush(30)
    assert authorizations(ramp)[2:] == ["Bearer token-canary-2", "Bearer token-canary-3"]
    assert pipeline.stats() == Stats(recorded=2, acknowledged=1, waiting=1)
    assert "canary" not in caplog.text


@pytest.mark.parametrize(
    "answer",
    [
        json_answer({"error": "invalid_scope"}, status=400),
        json_answer({"error": "invalid_client", "error_description": f"{SECRET} {BASIC}"}, status=401),
        json_answer({"error": "too large"}, status=413),
        json_answer({"token": "of another kind"}),
        json_answer({"access_token": "two words"}),
        Answer(body=b"access_token=token-canary-0&expires_in=3600"),
    ],
)
def test_without_a_token_no_record_is_touched(
    answer: Answer,
    ramp: FakeRamp,
    tokens: TokenServer,
    started: Callable[[Config], Pipeline],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whatever the token server answers, it says nothing about the batch: nothing is halved, buried or sent."""
    tokens.told.append(answer)
    pipeline = started(with_client(ramp, tokens))
    pipeline.record(generation(1))
    pipeline.record(generation(2))
    assert not pipeline.flush(30)
    assert (pipeline.stats(), ramp.requests) == (Stats(recorded=2, waiting=2), [])
    assert "check RAMP_CLIENT_ID" in caplog.text
    assert "canary" not in caplog.text
    assert BASIC not in caplog.text


def test_a_token_server_in_trouble_is_asked_again(
    ramp: FakeRamp, tokens: TokenServer, started: Callable[[Config], Pipeline]
) -> None:
    """As Ramp itself would be."""
    tokens.told += [Answer(status=503), Answer(cut=True)]
    pipeline = started(with_client(ramp, tokens))
    pipeline.record(generation(1))
    assert _flushed(pipeline)
    assert (ids(ramp), len(tokens.requests)) == (["gen-1"], 3)


def test_the_connection_test_counts_as_nothing(ramp: FakeRamp, tokens: TokenServer) -> None:
    """A request without events, which is refused after the key was looked at."""
    for config in (with_key(ramp), with_client(ramp, tokens)):
        report = try_connection(config)
        assert (report.ok, report.status) == (True, 400)
        assert "takes the key" in report.message
    assert (ramp.events, ramp.requests[0].headers["x-test-connection"]) == ([], "true")


def test_no_report_quotes_a_token(ramp: FakeRamp, tokens: TokenServer) -> None:
    """Whatever form it comes in."""
    tokens.told.append(Answer(body=b"access_token=token-canary-0&expires_in=3600"))
    report = try_connection(with_client(ramp, tokens))
    assert (report.ok, "canary" in report.message) == (False, False)


def test_the_connection_test_says_what_is_wrong(tokens: TokenServer) -> None:
    """A wrong key, and a wrong client."""
    with FakeRamp(api_key="another") as ramp:
        report = try_connection(with_key(ramp))
        assert (report.ok, report.status) == (False, 401)
        refused = try_connection(with_client(ramp, tokens, client_secret="wrong-secret-canary"))
    assert (refused.ok, refused.status) == (False, 401)
    assert "no token: check RAMP_CLIENT_ID" in refused.message
    assert "invalid_client" in refused.message


def _flushed(pipeline: Pipeline) -> bool:
    """Pauses after failures are at random; a flush ends early where it cannot be in time."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if pipeline.flush(10):
            return True
    return False


def test_options_that_do_not_go_together_are_refused() -> None:
    """At set-up, with what to change."""
    from ramp_tracing.exceptions import ConfigurationError

    client: dict[str, Any] = {"client_id": CLIENT, "client_secret": SECRET, "protocol": "ramp/unified"}
    wrong: list[tuple[dict[str, Any], str]] = [
        (client | {"api_key": KEY}, "not both"),
        (client | {"client_secret": None}, "there is no client_secret"),
        (client | {"client_id": None}, "there is no client_id"),
        (client | {"protocol": "http/json"}, "for protocol"),
        (client | {"client_id": "a:b"}, "colon"),
        (client | {"token_url": "http://tokens.example.com/"}, "token_url cannot be used: plain http"),
        (client | {"max_batch_spans": 51}, "at most 50 events"),
        ({"protocol": "ramp/unified"}, "there is no API key"),
    ]
    for options, text in wrong:
        with pytest.raises(ConfigurationError, match=text) as caught:
            resolve(options, {})
        assert SECRET not in str(caught.value)


def test_addresses_that_follow_from_others() -> None:
    """Ramp's own unless given; the token is asked for where the records go."""
    client = {"client_id": CLIENT, "client_secret": SECRET, "protocol": "ramp/unified"}
    ours = resolve(client, {})
    assert ours.base_url == "https://api.ramp.com/developer/v1/ai-usage/unified"
    assert ours.token_url == "https://api.ramp.com/developer/v1/token"
    demo = resolve(client, {"RAMP_BASE_URL": "https://demo-api.ramp.com/developer/v1/ai-usage/unified"})
    assert demo.token_url == "https://demo-api.ramp.com/developer/v1/token"
    assert (ours.account, resolve({"api_key": KEY}, {}).account) == (CLIENT, KEY)
    assert SECRET not in repr(ours)
