import json
import time
from datetime import UTC, datetime

import pytest
import trustme

from ramp_tracing._delivery import ConnectionReport
from ramp_tracing._delivery import test_connection as try_connection

from .receiver import Receiver, answer, hang
from .records import KEY, config_for
from .test_transport import server_side


def report(receiver: Receiver, **options: object) -> ConnectionReport:
    return try_connection(config_for(receiver.url, **options))


def test_the_test_is_what_ramp_keeps_out_of_usage() -> None:
    """One span with the name of OpenRouter's test, and the header that marks it."""
    with Receiver.which(answer(200, X_Trace_Id="t-1")) as receiver:
        assert report(receiver) == ConnectionReport(
            ok=True, status=200, message="The receiver took the test.", trace_id="t-1"
        )
    (request,) = receiver.requests
    (span,) = json.loads(request.body)["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert span["name"] == "openrouter-connection-test"
    assert request.headers["x-test-connection"] == "true"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["content-type"] == "application/json"


def test_the_test_goes_as_records_would() -> None:
    """In the same format, with the same compression."""
    with Receiver.which(answer(200)) as receiver:
        assert report(receiver, protocol="http/protobuf", compression="gzip").ok
    assert receiver.requests[0].headers["content-type"] == "application/x-protobuf"
    assert receiver.requests[0].headers["content-encoding"] == "gzip"
    assert receiver.requests[0].body.startswith(b"\x1f\x8b")


@pytest.mark.parametrize(
    ("said", "is_known"),
    [
        ("Thu, 26 Nov 2026 20:32:57 GMT", True),
        ("Thu, 26 Nov 2026 20:32:57 -0000", True),  # of no zone, which is UTC and not that of this machine
        ("Thu, 26 Nov 2026 20:32:57 +99999999999999999999", False),
        ("yesterday", False),
    ],
)
def test_the_clock_is_held_against_the_receivers(said: str, is_known: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it says the time, whatever it says instead."""
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        with Receiver.which(answer(200, Date=said)) as receiver:
            ahead = report(receiver).clock_ahead_seconds
    finally:
        monkeypatch.undo()
        time.tzset()
    expected = time.time() - datetime(2026, 11, 26, 20, 32, 57, tzinfo=UTC).timestamp()
    assert ahead == (pytest.approx(expected, abs=60) if is_known else None)


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (401, "lacks the scope ai_usage:write"),
        (403, "lacks the scope ai_usage:write"),
        (404, "check RAMP_BASE_URL: it is used exactly as given"),
        (307, "set RAMP_BASE_URL to the final address"),
        (415, "change `protocol`"),
        (429, "wait a little"),
        (503, "try again later"),
    ],
)
def test_an_answer_that_is_no_success_comes_with_advice(status: int, advice: str) -> None:
    """And with what the receiver says, made harmless."""
    error = b'{"error_v2":{"error_code":"DEVELOPER_1","message":"No\\nway","additional_info":{}}}'
    with Receiver.which(answer(status, error, X_Trace_Id="t-2", Location="http://127.0.0.1:9/")) as receiver:
        got = report(receiver)
    assert (got.ok, got.status, got.trace_id) == (False, status, "t-2")
    assert advice in got.message
    assert got.message.endswith("The receiver says: DEVELOPER_1: No\\nway")
    assert len(receiver.requests) == 1


def test_no_answer_comes_with_advice() -> None:
    """Nobody listens, nobody answers, or nobody is to be trusted."""
    with Receiver.which(hang) as receiver:
        late = report(receiver, timeout_seconds=0.2)
    refused = report_on(receiver_url=receiver_gone())
    with Receiver.which(answer(200), tls=server_side(trustme.CA(), "127.0.0.1")) as receiver:
        untrusted = report(receiver)
    assert [each.status for each in (late, refused, untrusted)] == [None, None, None]
    assert "did not answer in time" in late.message
    assert "nothing listens there" in refused.message
    assert "name that CA with ca_file" in untrusted.message


def receiver_gone() -> str:
    with Receiver.which(answer(200)) as receiver:
        return receiver.url


def report_on(receiver_url: str) -> ConnectionReport:
    return try_connection(config_for(receiver_url))
