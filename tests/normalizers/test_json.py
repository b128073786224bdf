"""Answers as bytes."""

from decimal import Decimal

import pytest

from ramp_tracing._normalizers import parse, parse_event

from .cases import PAYLOADS


def test_digits() -> None:
    """No digit of a price is rounded on the way."""
    assert {"cost": Decimal("0.0000001234567890123456789")} == parse(b'{"cost": 0.0000001234567890123456789}')


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"RIFF\xff\xfe\x00WAVE",
        b"\xff\xfe{}",
        b"[" * 100_000,
        b'{"cost": ' + b"[" * 100_000,
        (PAYLOADS / "reading/not-json.html").read_bytes(),
    ],
    ids=["empty", "cut", "sound", "no UTF-8", "bomb", "bomb with a cost", "page"],
)
def test_no_json(body: bytes) -> None:
    """What is no JSON says nothing; it is left to the client library."""
    assert parse(body) is None


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_not_a_number(number: str) -> None:
    """Python servers write numbers that are no JSON: the rest of such an answer counts."""
    answer = parse(b'{"model": "in-house-1", "logprob": %s}' % number.encode())
    assert isinstance(answer, dict)
    assert "in-house-1" == answer["model"]


@pytest.mark.parametrize(
    ("line", "event"),
    [
        (b'data: {"id": 1}', {"id": 1}),
        (b'data:{"id": 1}', {"id": 1}),
        (b"data: [DONE]", None),
        (b": OPENROUTER PROCESSING", None),
        (b"event: response.created", None),
        (b"", None),
    ],
)
def test_event(line: bytes, event: object) -> None:
    """Of an event stream the data lines that hold JSON are events."""
    assert event == parse_event(line)
