import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from ramp_tracing._delivery._advice import advice_on
from ramp_tracing._delivery._answers import Answer, Kind, Verdict, judge

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


def verdict_on(status: int, body: bytes = b"", **headers: str) -> Verdict:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return judge(Answer(status=status, headers=named, body=body), now=NOW)


@pytest.mark.parametrize(
    ("kind", "statuses"),
    [
        ("acknowledge", [200, 201, 202, 204, 299]),
        ("retry", [408, 425, 429, 500, 501, 502, 503, 504, 507, 599, 100, 199, 600, 999]),
        ("hold", [300, 301, 302, 303, 304, 307, 308, 401, 402, 403, 404, 405, 406, 407, 409, 410, 415, 431, 451]),
        ("split", [413]),
        ("bisect", [400, 422]),
    ],
)
def test_each_status_has_its_verdict(kind: Kind, statuses: list[int]) -> None:
    """What nobody named keeps every record."""
    assert [verdict_on(status).kind for status in statuses] == [kind] * len(statuses)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("20", 20.0),
        (" 20 ", 20.0),
        ("86400", 600.0),
        ("999999999", 600.0),
        ("-5", 0.0),
        ("1.5", 0.0),
        ("9" * 5000, 0.0),
        ("soon", 0.0),
        ("", 0.0),
        (format_datetime(NOW + timedelta(seconds=30), usegmt=True), 30.0),
        (format_datetime(NOW + timedelta(days=30), usegmt=True), 600.0),
        (format_datetime(NOW - timedelta(hours=1), usegmt=True), 0.0),
        ("Sun, 01 Mar 2026 12:00:45 -0000", 45.0),
        ("Sun, 99 Mar 2026 12:00:45 GMT", 0.0),
    ],
)
def test_what_the_receiver_asks_to_wait(text: str, seconds: float) -> None:
    """In seconds or as a date, never more than ten minutes; nonsense is nothing."""
    assert verdict_on(503, retry_after=text) == Verdict(kind="retry", floor_seconds=seconds)


def test_a_date_to_wait_for_is_read_by_the_receivers_own_clock() -> None:
    """Ours may be an hour wrong."""
    theirs = NOW + timedelta(hours=1)
    until = format_datetime(theirs + timedelta(seconds=20), usegmt=True)
    date = format_datetime(theirs, usegmt=True)
    assert verdict_on(429, retry_after=until, date=date).floor_seconds == 20.0


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        (b"", 0),
        (b"{}", 0),
        (b'{"partialSuccess":{}}', 0),
        (b'{"partialSuccess":{"rejectedSpans":"5","errorMessage":"no"}}', 5),
        (b'{"partialSuccess":{"rejectedSpans":5}}', 5),
        (b'{"partial_success":{"rejected_spans":5}}', 5),
        (b'{"partialSuccess":{"rejectedSpans":"-5"}}', 0),
        (b'{"partialSuccess":{"rejectedSpans":true}}', 0),
        (b'{"partialSuccess":{"rejectedSpans":"many"}}', 0),
        (b'{"partialSuccess":{"rejectedSpans":99999999999}}', 0),
        (b'{"partialSuccess":[5]}', 0),
        (b"[]", 0),
        (b"OK", 0),
        (b"\xff\xfe", 0),
        (b"[" * 50_000, 0),
        (b'{"partialSuccess":{"rejectedSpans":"' + b"9" * 10_000 + b'"}}', 0),
    ],
)
def test_refused_spans_in_json(body: bytes, refused: int) -> None:
    """As OTLP writes it and as others do; what cannot be understood is nothing."""
    assert verdict_on(200, body, content_type="application/json").refused == refused


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        (b"", 0),
        (b"\x0a\x02\x08\x05", 5),
        (b"\x0a\x03\x08\xac\x02", 300),
        (b"\x0a\x06\x12\x02no\x08\x05", 5),
        (b"\x12\x01x\x19aaaaaaaa\x25aaaa\x0a\x02\x08\x05", 5),
        (b"\x0a\x04\x12\x02no", 0),
        (b"\x08\x05", 0),
        (b"\x0a\x02\x08", 0),
        (b"\x0a\xff\xff\xff", 0),
        (b"\x0a\x0b\x08" + b"\xff" * 9 + b"\x01", 0),
        (b"\x80" * 40, 0),
        (b"\x0b", 0),
        (b"<html>", 0),
    ],
)
def test_refused_spans_in_protobuf(body: bytes, refused: int) -> None:
    """Other fields are passed over; what is cut short or no protobuf is nothing."""
    assert verdict_on(200, body, content_type="application/x-protobuf").refused == refused


def said(body: object) -> str:
    return Answer(status=400, headers={}, body=body if isinstance(body, bytes) else json.dumps(body).encode()).said


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"error_v2": {"error_code": "AUTH", "message": "No scope", "additional_info": {}}}, "AUTH: No scope"),
        ({"error_v2": {"message": "No scope"}}, "No scope"),
        ({"code": 3, "message": "invalid span"}, "invalid span"),
        ({"error_v2": {"error_code": 7, "message": None}}, ""),
        ({"anything": "else"}, ""),
        ([1], ""),
        (b" Bad Gateway\n", "Bad Gateway"),
        (b"\x1b[31mred\r\nline\x00\xff", "\\x1b[31mred\\r\\nline\\x00\\ufffd"),
        (b"", ""),
    ],
)
def test_what_the_receiver_says_is_made_harmless(body: object, expected: str) -> None:
    """Ramp's error code and message first; nothing that a terminal or a log would act upon."""
    assert said(body) == expected


def test_what_the_receiver_says_is_cut() -> None:
    """At 200 characters, escapes included."""
    assert said(b"x" + b"\n" * 5000 + b"y") == "x" + "\\n" * 99 + "\\"


def test_the_trace_id_is_shown_and_harmless() -> None:
    """It is what Ramp's support asks for."""
    answer = Answer(status=500, headers={"x-trace-id": "abc\r\n" + "x" * 500})
    assert answer.trace_id == ("abc\\r\\n" + "x" * 500)[:64]
    assert Answer(status=500, headers={}).trace_id is None


def test_there_is_advice_on_every_status() -> None:
    """Also on those that nobody thought of."""
    assert all(advice_on(status) for status in range(100, 1000))
    assert "ai_usage:write" in advice_on(401)
    assert "ai_usage:write" in advice_on(403)
    assert "used exactly as given" in advice_on(404)
    assert "never followed" in advice_on(307)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"error_v2": {"error_code": "DEVELOPER_7001", "message": "you sent: secret"}}', "DEVELOPER_7001"),
        (b'{"error_v2": {"error_code": "you sent: secret"}}', ""),
        (b'{"error_v2": {"error_code": 7}}', ""),
        (b"<html>secret</html>", ""),
        (b"", ""),
    ],
)
def test_an_error_code_is_a_word(body: bytes, code: str) -> None:
    """So that it can be written down without quoting what was sent."""
    assert Answer(status=422, headers={}, body=body).code == code
