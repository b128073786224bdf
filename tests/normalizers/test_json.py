"""Answers as bytes."""

import json
from decimal import Decimal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ramp_tracing._normalizers import parse, parse_event, parse_plain

from .cases import PAYLOADS


def test_digits() -> None:
    """No digit of a price is rounded on the way."""
    assert {"cost": Decimal("0.0000001234567890123456789")} == parse(b'{"cost": 0.0000001234567890123456789}')


@pytest.mark.parametrize(
    "name", ["cost", "cost_in_usd_ticks", "total_cost", "upstream_inference_cost", "input_cost_usd"]
)
def test_digits_of_every_name(name: str) -> None:
    """Whatever is called a cost keeps its digits, wherever it stands, and however the rest is written."""
    amount = "0.10000000000000000001"
    for body in (f'{{"{name}":{amount}}}', f'{{"text": "at no cost", "usage": {{"n": 1, "{name}" : {amount}}}}}'):
        answer = parse(body.encode())
        assert isinstance(answer, dict)
        assert Decimal(amount) == answer.get("usage", answer)[name]


@given(st.text(max_size=40), st.text(max_size=40), st.floats(allow_nan=False, allow_infinity=False))
def test_a_text_that_speaks_of_cost(before: str, behind: str, number: float) -> None:
    """It is read as any other: what the two parsers say of it is the same."""
    body = orjson.dumps({"content": f"{before}cost{behind}", "number": number})
    quickly, exactly = parse(body), json.loads(body, parse_float=Decimal)
    assert isinstance(quickly, dict)
    assert quickly["content"] == exactly["content"]
    assert float(quickly["number"]) == float(exactly["number"])
    assert parse_plain(body) == {"content": f"{before}cost{behind}", "number": number}


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
    assert parse_plain(body) is None


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
