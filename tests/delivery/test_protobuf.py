"""`protocol="http/protobuf"`: the same promises in another encoding; only the thread that sends loads protobuf."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from ramp_tracing._delivery import Pipeline
from ramp_tracing._delivery._answers import Answer
from ramp_tracing._journal import Stats, dead_letters, open_journal
from ramp_tracing._loopback import Answer as Served
from ramp_tracing._loopback import LoopbackServer, Request

from .conftest import PipelineMaker
from .receiver import Behaviour, Exchange, Received, Receiver, answer, raw, wait_until
from .records import config_for, generation, span_id, span_ids
from .test_drainer import Make, delivery, some, too_long

__all__ = ["delivery"]  # a fixture

ELSEWHERE: Final = {"protocol": "http/protobuf", "dialect": "semconv"}


def in_protobuf(status: int, body: bytes = b"", **headers: str) -> Behaviour:
    """An answer as OTLP has it."""
    return answer(status, body, Content_Type="application/x-protobuf", **headers)


OK: Final = in_protobuf(200)

PARTIAL: Final = b"\x0a\x06\x12\x02no\x08\x02"
"""An ``ExportTraceServiceResponse`` that refuses two spans."""

REFUSAL: Final = b"\x08\x03\x12\x0cinvalid span"
"""A ``google.rpc.Status`` with code 3 and a message."""


def ids_in(request: Received) -> list[str]:
    """The spans of a request."""
    assert request.headers["content-type"] == "application/x-protobuf"
    spans = ExportTraceServiceRequest.FromString(request.body).resource_spans[0].scope_spans[0].spans
    return [each.span_id.hex() for each in spans]


def all_ids(requests: list[Received]) -> list[str]:
    return [each for request in requests for each in ids_in(request)]


def refuse(bad: str) -> Behaviour:
    """400 for a request with a bad span, and 200 for the others."""

    def behave(exchange: Exchange) -> None:
        (in_protobuf(400, REFUSAL) if bad in ids_in(exchange.request) else OK)(exchange)

    return behave


@pytest.mark.parametrize("trouble", [in_protobuf(503), in_protobuf(429, REFUSAL), raw()])
def test_a_failure_that_passes_is_tried_again_with_the_same_bytes_and_key(delivery: Make, trouble: Behaviour) -> None:
    """Also when more has been recorded meanwhile."""
    with Receiver.which(trouble, OK) as receiver:
        one = delivery(receiver, *some(2), **ELSEWHERE)
        assert one.send() == Stats(recorded=2, waiting=2)
        one.journal.append(generation(9))
        one.send_all()
    first, second, third = receiver.requests
    assert (first.head, first.body) == (second.head, second.body)
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"] != third.headers["idempotency-key"]
    assert [span_ids(0, 1), span_ids(9)] == [ids_in(second), ids_in(third)]


def test_a_partial_success_is_counted_and_not_sent_again(delivery: Make, caplog: pytest.LogCaptureFixture) -> None:
    """The answer is protobuf, too."""
    with Receiver.which(in_protobuf(200, PARTIAL)) as receiver:
        counts = delivery(receiver, *some(5), **ELSEWHERE).send_all()
    assert (counts, len(receiver.requests)) == (Stats(recorded=5, acknowledged=3, dead=2), 1)
    assert "refused 2 of 5 records without saying which" in caplog.text


def test_a_batch_that_is_too_large_goes_in_halves(delivery: Make) -> None:
    """As often as it takes, in order, none twice; a record that is too large by itself goes without its content."""
    records = [*some(40), generation(40, text="x" * 9000)]
    with Receiver.which(too_long(6000)) as receiver:
        counts = delivery(receiver, *records, **ELSEWHERE).send_all()
    assert counts == Stats(recorded=41, acknowledged=41)
    assert all_ids([each for each in receiver.requests if len(each.body) <= 6000]) == span_ids(*range(41))


def test_a_bad_record_takes_no_other_with_it(delivery: Make, caplog: pytest.LogCaptureFixture) -> None:
    """They are sent one by one, once; the bad one is dead, and nothing quotes what the receiver said of it."""
    with Receiver.which(refuse(span_id(2))) as receiver:
        one = delivery(receiver, *some(5), **ELSEWHERE)
        counts = one.send_all()
    assert counts == Stats(recorded=5, acknowledged=4, dead=1)
    assert [("gen-2", "Ramp answered 400")] == [
        (letter.generation.id, letter.reason) for letter in one.journal.dead_letters
    ]
    assert "invalid span" not in caplog.text


def test_what_the_receiver_says_is_read(delivery: Make, caplog: pytest.LogCaptureFixture) -> None:
    """A status of OTLP's, without the protobuf package."""
    with Receiver.which(in_protobuf(503, REFUSAL)) as receiver:
        delivery(receiver, *some(1), **ELSEWHERE).send()
    assert "answered 503 (invalid span);" in caplog.text


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (REFUSAL, "invalid span"),
        (b"\x12\x05a\nb\xff", "a\\nb\\ufffd"),
        (b"\x08\x03\x12", ""),
        (b"", ""),
        (b"<html>", ""),
    ],
)
def test_a_refusal_in_protobuf(body: bytes, said: str) -> None:
    """Made harmless; what is no protobuf says nothing."""
    assert said == Answer(status=400, headers={"content-type": "application/x-protobuf"}, body=body).said


def test_nothing_is_sent_as_a_key_where_there_is_none(pipeline_for: PipelineMaker) -> None:
    """Neither an empty one nor Ramp's."""
    with Receiver.which(OK) as receiver:
        pipeline = pipeline_for(receiver.url, api_key=None, headers={"X-Experiment": "7"}, **ELSEWHERE)
        pipeline.record(generation(1))
        assert pipeline.flush(10)
    assert "authorization" not in receiver.requests[0].headers
    assert "7" == receiver.requests[0].headers["x-experiment"]


def test_the_journal_outlives_the_process(tmp_path: Path) -> None:
    """What waits, and what was refused for good, is on disk, and is sent in protobuf by the next start."""
    journal = open_journal(state_dir=str(tmp_path), base_url="x", key="")
    for number in range(3):
        journal.append(generation(number))
    journal.close()
    del journal
    with Receiver.which(refuse(span_id(1))) as receiver:
        again = open_journal(state_dir=str(tmp_path), base_url="x", key="")
        pipeline = Pipeline(config_for(receiver.url, **ELSEWHERE), journal=again, linger_seconds=0.05)
        wait_until(lambda: pipeline.stats() == Stats(recorded=3, acknowledged=2, dead=1))
        pipeline.shutdown(5)
    assert set(span_ids(0, 2)) <= set(all_ids(receiver.requests))
    letters = [each for place in tmp_path.iterdir() if place.is_dir() for each in dead_letters(place)]
    assert ["gen-1"] == [each.generation.id for each in letters if each.generation is not None]


WHO_LOADS: Final = """
import json, sys, threading

loads = {}

class Watching:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "google" or name.startswith(("opentelemetry.proto", "opentelemetry.sdk")):
            loads.setdefault(threading.current_thread().name, []).append(name)

sys.meta_path.insert(0, Watching())
import ramp_tracing

class Exporter:
    def export(self, spans): pass
    def shutdown(self): pass

ramp_tracing.instrument(
    base_url=sys.argv[1], dialect="semconv", protocol="http/protobuf", state_dir=sys.argv[2],
    span_exporters=[Exporter()],
)
with ramp_tracing.trace(user="ada", trace_name="Desk"):
    ramp_tracing.record_generation(model="gpt-4o", input_tokens=1, output_tokens=1)
assert ramp_tracing.flush(30)
ramp_tracing.uninstrument()
print(json.dumps({name: any("_pb2" in each for each in names) for name, names in loads.items()}))
"""


def test_only_the_thread_that_sends_loads_protobuf(tmp_path: Path) -> None:
    """Neither the import nor a call nor a flush does; and the exporters' SDK is loaded by it, too."""
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    with LoopbackServer(took) as server:
        arguments = [sys.executable, "-c", WHO_LOADS, server.url + "/v1/traces", str(tmp_path)]
        run = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=True, env=environment)
    assert run.stderr == ""
    assert {"ramp-tracing": True} == json.loads(run.stdout)
    assert ["application/x-protobuf"] == [each.headers["content-type"] for each in server.requests]


def took(_: Request) -> Served:
    return Served(status=200, headers={"Content-Type": "application/x-protobuf"}, body=b"")
