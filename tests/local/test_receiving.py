"""What the local receiver takes, and how it answers."""

import gzip
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

import ramp_tracing
from ramp_tracing._fake_ramp import CONNECTION_TEST, PATH
from ramp_tracing.local._doors import Doors

from .receivers import UNIFIED, Reply, Running, event, events_of, request_of, running, span


def error_code(reply: Reply) -> tuple[int, str]:
    return reply.status, reply.json["error_v2"]["error_code"]


def test_takes_spans_as_json(receiver: Running) -> None:
    """A call that comes as Ramp gets it is counted, with its exact cost."""
    reply = receiver.spans(span(1), span(2, gen_ai__usage__total_cost=Decimal("12.3456789012")))
    assert (200, b"{}") == (reply.status, reply.body)
    assert len(reply.headers["x-trace-id"]) == 32
    totals = receiver.ask("overview")["totals"]
    assert (2, "12.3456789013", 240) == (totals["calls"], totals["cost"], totals["tokens"])


@pytest.mark.parametrize("path", [PATH, "/v1/traces"])
def test_takes_spans_as_protobuf_and_gzip(receiver: Running, path: str) -> None:
    """The same call as protobuf, packed or not, at both addresses."""
    message = ParseDict(_with_base64_ids(request_of(span(1))), ExportTraceServiceRequest())
    body = message.SerializeToString()
    for sent, encoding in ((body, "identity"), (gzip.compress(body), "gzip")):
        reply = receiver.send(path, sent, Content_Type="application/x-protobuf", Content_Encoding=encoding)
        assert (200, b"") == (reply.status, reply.body)
    assert 1 == receiver.ask("overview")["totals"]["calls"]


def _with_base64_ids(value: Any) -> Any:
    from base64 import b64encode

    if isinstance(value, list):
        return [_with_base64_ids(each) for each in value]
    if not isinstance(value, dict):
        return value
    ids = {"traceId", "spanId"}
    return {
        name: b64encode(bytes.fromhex(each)).decode() if name in ids else _with_base64_ids(each)
        for name, each in value.items()
    }


def test_takes_unified_events(receiver: Running) -> None:
    """A unified event is a call, and a later one with the same id and source replaces it."""
    assert (204, b"") == (lambda reply: (reply.status, reply.body))(receiver.send(UNIFIED, events_of(event(1))))
    changed = event(1, reported_cost={"amount": "2.5", "currency": "USD", "provenance": "provider"})
    receiver.send(UNIFIED, events_of(changed, event(2, reported_cost=None)))
    assert (2, "2.5000000000", 1) == tuple(
        receiver.ask("overview")["totals"][name] for name in ("calls", "cost", "unpriced")
    )
    [first] = receiver.ask("report", by="meta.department")["rows"]
    assert ("finance", 2) == (first["value"], first["calls"])


def test_replaces_a_call_with_the_same_id(receiver: Running) -> None:
    """Sent again with the same id a call counts once, as it was sent last; what it said before is gone."""
    receiver.spans(span(1, trace__metadata__team="search", gen_ai__usage__total_cost=None))
    assert 1 == receiver.ask("overview")["totals"]["unpriced"]
    receiver.spans(span(1, trace__metadata__stage="live"), span(1, trace__metadata__stage="live", user__id="ana"))
    assert (1, "0.0000000001", 0) == tuple(
        receiver.ask("overview")["totals"][name] for name in ("calls", "cost", "unpriced")
    )
    assert ["ana"] == [row["value"] for row in receiver.ask("report", by="user")["rows"]]
    assert [None] == [row["value"] for row in receiver.ask("report", by="meta.team")["rows"]]
    assert {"stage": "live"} == receiver.ask("calls/1")["metadata"]


def test_does_not_count_connection_tests(receiver: Running) -> None:
    """A connection test is answered and not counted, whether its name or its header says what it is."""
    assert 200 == receiver.spans(span(1, name=CONNECTION_TEST)).status
    assert 200 == receiver.spans(span(2), X_Test_Connection="true").status
    assert 0 == receiver.ledger.change


def test_levels_are_no_calls(receiver: Running) -> None:
    """What stands above a call in its trace is shown there and never counted."""
    root = span(7, spanId="f" * 16, span__type="span", name="Invoice run")
    receiver.spans(root, span(7, parentSpanId="f" * 16))
    assert 1 == receiver.ask("overview")["totals"]["calls"]
    trace = receiver.ask("calls/1")["trace"]
    assert [("Invoice run", None), ("LLM Generation", "f" * 16)] == [
        (each["name"], each["parent_span_id"]) for each in trace
    ]


def test_takes_other_peoples_conventions(receiver: Running) -> None:
    """A span of OpenTelemetry's conventions is a call where it names a model, and nothing otherwise."""
    receiver.spans(
        span(1, span__type=None, gen_ai__request__model="gpt-4o"),
        span(2, span__type=None, http__request__method="GET"),
    )
    assert 1 == receiver.ask("overview")["totals"]["calls"]


@pytest.mark.parametrize(
    "bad",
    [
        {"gen_ai__usage__total_cost": Decimal("NaN")},
        {"gen_ai__usage__total_cost": Decimal("1e10")},
        {"gen_ai__usage__total_cost": Decimal(-1)},
        {"gen_ai__usage__input_tokens": -1},
        {"gen_ai__usage__input_tokens": 2**63},
        {"gen_ai__usage__input_tokens": "many"},
        {"traceId": "xyz"},
        {"gen_ai__response__time_to_first_chunk": Decimal("1e999999999")},
        {"start": 2**63},
    ],
)
def test_refuses_what_cannot_be(receiver: Running, bad: dict[str, Any]) -> None:
    """A request with a number that cannot be is refused as a whole, and nothing of it is kept."""
    assert (400, "LOCAL_400") == error_code(receiver.spans(span(1), span(2, **bad)))
    assert 0 == receiver.ledger.change


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"events": []}',
        events_of(event(1, usage={})),
        events_of(event(1, occurred_at="2026-07-21T10:05:00")),
        events_of(event(1, event_id="")),
        events_of(event(1, occurred_at="9999-12-31T00:00:00Z")),
        events_of(event(1, reported_cost={"amount": 1.5, "currency": "USD"})),
        events_of(event(1, reported_cost={"amount": "1", "currency": "EUR"})),
        events_of(*[event(number) for number in range(51)]),
        b"[" * 100_000,
    ],
)
def test_refuses_what_is_no_event(receiver: Running, body: bytes) -> None:
    """Broken unified events are refused with the error of Ramp's shape."""
    assert (400, "LOCAL_400") == error_code(receiver.send(UNIFIED, body))
    assert 0 == receiver.ledger.change


def test_keeps_texts_that_no_database_takes(receiver: Running) -> None:
    """Half a surrogate pair and the end of C's texts lose no call: they are replaced."""
    body = json.dumps(request_of(span(1, user__id="a\ud800b\0c", trace__metadata__team="\udfff")))
    assert 200 == receiver.send(PATH, body.encode()).status
    assert ["a\ufffdb\ufffdc"] == [row["value"] for row in receiver.ask("report", by="user")["rows"]]
    assert "a\ud800b\0c" == receiver.ask("calls/1")["attributes"]["user.id"]


def test_numbers_among_the_users_keys_read_as_they_were_given(receiver: Running) -> None:
    """In either protocol: a share that calls are grouped by is the same text everywhere, and no quotation."""
    given = {"share": Decimal("0.1"), "small": Decimal("1E-7"), "level": 3, "live": True, "far": Decimal("1E+999999")}
    receiver.spans(span(1, **{f"trace__metadata__{name}": value for name, value in given.items()}))
    expected = {"share": "0.1", "small": "0.0000001", "level": "3", "live": "true", "far": "1E+999999"}
    assert expected == receiver.ask("calls/1")["metadata"]


def test_answers_elsewhere_as_ramp_does(receiver: Running) -> None:
    """Without a key 401, in Ramp's shape; what is sent in an unknown encoding is refused."""
    reply = receiver.exchange("POST", PATH, b"{}", {"Content-Type": "application/json"})
    assert (401, "LOCAL_401") == error_code(reply)
    assert (415, "LOCAL_415") == error_code(receiver.send(PATH, b"{}", Content_Encoding="br"))
    assert receiver.get(PATH).status in (404, 405)
    assert receiver.send("/developer/v1/nothing", b"{}").status in (404, 405)


def test_bounds_what_it_reads(receiver: Running) -> None:
    """Too long a body is refused, and so is a small one that unpacks to too much."""
    assert (413, "LOCAL_413") == error_code(receiver.send(PATH, b" " * 200_001))
    bomb = gzip.compress(b" " * 50_000_000)
    assert len(bomb) < 200_000
    assert (413, "LOCAL_413") == error_code(receiver.send(PATH, bomb, Content_Encoding="gzip"))
    assert (400, "LOCAL_400") == error_code(receiver.send(PATH, b"no gzip", Content_Encoding="gzip"))


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[tuple[Running, list[float]]]:
    clock = [0.0]
    with running(tmp_path / "ledger.sqlite3", Doors(rate_limit=2, clock=lambda: clock[0])) as receiver:
        yield receiver, clock


def test_limits_the_rate_when_asked_to(limited: tuple[Running, list[float]]) -> None:
    """Over the limit a request is answered 429 with a time to wait, and taken when that has passed."""
    receiver, clock = limited
    assert [200, 200, 429] == [receiver.spans(span(number)).status for number in (1, 2, 3)]
    reply = receiver.spans(span(3))
    assert ("10", (429, "LOCAL_429")) == (reply.headers["retry-after"], error_code(reply))
    clock[0] = 10.0
    assert 200 == receiver.spans(span(3)).status
    assert 3 == receiver.ledger.change


@pytest.mark.parametrize("protocol", ["http/json", "http/protobuf"])
@pytest.mark.parametrize("dialect", ["openrouter", "semconv"])
def test_reads_what_the_package_sends(receiver: Running, tmp_path: Path, protocol: Any, dialect: Any) -> None:
    """In every protocol and dialect of ours the same columns are filled with the same values."""
    ramp_tracing.instrument(
        api_key="any",
        base_url=receiver.url + PATH,
        protocol=protocol,
        dialect=dialect,
        service_name="shop",
        compression="gzip",
        state_dir=str(tmp_path / "state"),
    )
    try:
        with ramp_tracing.trace(user="ana", session_id="s-1", trace_name="Invoice run", team="search"):
            ramp_tracing.record_generation(provider="openai", model="gpt-4o", input_tokens=1_000, output_tokens=10)
        assert ramp_tracing.flush(30)
    finally:
        ramp_tracing.uninstrument()
    [call] = receiver.ask("calls")["calls"]
    known = ("provider", "user", "session", "trace", "status", "input_tokens", "output_tokens", "cost", "cost_source")
    expected = ("openai", "ana", "s-1", "Invoice run", "ok", 1_000, 10, "0.0026000000", "price_table")
    assert expected == tuple(call[name] for name in known)
    assert call["model"].removeprefix("openai/") == "gpt-4o"
    shown = receiver.ask(f"calls/{call['id']}")
    assert ({"team": "search"}, "shop") == (shown["metadata"], shown["service"])
    assert ["Invoice run", call["id"]] == [each["id"] or each["name"] for each in shown["trace"]]
