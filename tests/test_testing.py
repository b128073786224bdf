"""The receiver that users run in their own tests."""

import gzip
import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from decimal import Decimal
from importlib import import_module
from threading import Timer
from typing import Any

import pytest

from ramp_tracing.testing import Answer, FakeRamp, ReceivedEvent, ReceivedSpan, Request

GENERATION: Mapping[str, Mapping[str, object]] = {"span.type": {"stringValue": "generation"}}


def span(span_id: str = "b1", **changes: Any) -> dict[str, Any]:
    """A span as OTLP/JSON has it."""
    attributes = changes.pop("attributes", GENERATION)
    return {
        "traceId": "a1" * 16,
        "spanId": span_id.ljust(16, "0"),
        "name": "LLM Generation",
        "kind": 3,
        "startTimeUnixNano": "1767225600000000000",
        "endTimeUnixNano": "1767225601842000000",
        "attributes": [{"key": key, "value": value} for key, value in attributes.items()],
        **changes,
    }


def request_with(*spans: dict[str, Any]) -> dict[str, Any]:
    """An ``ExportTraceServiceRequest``."""
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": "x"}, "spans": list(spans)}]}]}


def post(ramp: FakeRamp, *spans: dict[str, Any], body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
    """Send spans, or any body; return status and answer."""
    sent = {"Content-Type": "application/json", "Authorization": "Bearer test"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    body = json.dumps(request_with(*spans)).encode() if body is None else body
    request = urllib.request.Request(ramp.url, body, sent)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


@pytest.fixture
def ramp() -> Iterator[FakeRamp]:
    """A receiver."""
    with FakeRamp() as running:
        yield running


class TestReading:
    def test_reads_a_whole_span(self, ramp: FakeRamp) -> None:
        """Every field of a span is there, numbers exact to the last digit."""
        sent = span(
            parentSpanId="c1" * 8,
            status={"code": 2, "message": "overloaded"},
            events=[
                {
                    "name": "exception",
                    "timeUnixNano": "7",
                    "attributes": [{"key": "exception.type", "value": {"stringValue": "APIError"}}],
                }
            ],
            attributes={
                "text": {"stringValue": "a"},
                "whole": {"intValue": 42},
                "whole as text": {"intValue": "9223372036854775807"},
                "money": {"doubleValue": 0.0012850001},
                "whole money": {"doubleValue": 2},
                "truth": {"boolValue": False},
                "list": {"arrayValue": {"values": [{"stringValue": "stop"}, {"intValue": 1}]}},
                "map": {"kvlistValue": {"values": [{"key": "k", "value": {"boolValue": True}}]}},
            },
        )
        assert post(ramp, sent) == (200, b"{}")
        assert ramp.spans == [
            ReceivedSpan(
                name="LLM Generation",
                kind=3,
                trace_id="a1" * 16,
                span_id="b1" + "0" * 14,
                parent_span_id="c1" * 8,
                start=1767225600000000000,
                end=1767225601842000000,
                status=2,
                message="overloaded",
                events=(ReceivedEvent(name="exception", time=7, attributes={"exception.type": "APIError"}),),
                resource={"service.name": "shop"},
                attributes={
                    "text": "a",
                    "whole": 42,
                    "whole as text": 9223372036854775807,
                    "money": Decimal("0.0012850001"),
                    "whole money": Decimal(2),
                    "truth": False,
                    "list": ["stop", 1],
                    "map": {"k": True},
                },
            )
        ]

    def test_reads_protobuf_alike(self, ramp: FakeRamp) -> None:
        """The same spans as protobuf give the same result, and the answer is protobuf too."""
        service = import_module("opentelemetry.proto.collector.trace.v1.trace_service_pb2")
        message = service.ExportTraceServiceRequest()
        resource_spans = message.resource_spans.add()
        resource_spans.resource.attributes.add(key="service.name").value.string_value = "shop"
        sent = resource_spans.scope_spans.add().spans.add(
            trace_id=bytes.fromhex("a1" * 16),
            span_id=bytes.fromhex("b1" + "00" * 7),
            parent_span_id=bytes.fromhex("c1" * 8),
            name="LLM Generation",
            kind=3,
            start_time_unix_nano=1767225600000000000,
            end_time_unix_nano=1767225601842000000,
        )
        sent.status.code = 1
        sent.attributes.add(key="whole").value.int_value = 0
        sent.attributes.add(key="money").value.double_value = 0.0012850001
        sent.attributes.add(key="traceId").value.string_value = "not an id"
        sent.attributes.add(key="list").value.array_value.values.add(string_value="stop")
        packed = gzip.compress(message.SerializeToString())
        answer = post(ramp, body=packed, Content_Type="application/x-protobuf", Content_Encoding="gzip")
        assert answer == (200, b"")
        assert ramp.spans == [
            ReceivedSpan(
                name="LLM Generation",
                kind=3,
                trace_id="a1" * 16,
                span_id="b1" + "0" * 14,
                parent_span_id="c1" * 8,
                start=1767225600000000000,
                end=1767225601842000000,
                status=1,
                resource={"service.name": "shop"},
                attributes={
                    "whole": 0,
                    "money": Decimal("0.0012850001"),
                    "traceId": "not an id",
                    "list": ["stop"],
                },
            )
        ]

    def test_reads_gzip(self, ramp: FakeRamp) -> None:
        """A packed request is unpacked."""
        packed = gzip.compress(json.dumps(request_with(span())).encode())
        assert post(ramp, body=packed, Content_Encoding="gzip")[0] == 200
        assert len(ramp.generations) == 1

    @pytest.mark.parametrize(
        "body",
        [
            b"{",
            b"\xff",
            b"[]",
            b'{"resourceSpans": {}}',
            json.dumps(request_with(span(traceId="A1" * 16))).encode(),
            json.dumps(request_with(span(traceId="0" * 32))).encode(),
            json.dumps(request_with(span(spanId="b1"))).encode(),
            json.dumps(request_with(span(name=None))).encode(),
            json.dumps(request_with(span(startTimeUnixNano=None))).encode(),
            json.dumps(request_with(span(startTimeUnixNano="soon"))).encode(),
            json.dumps(request_with(span(attributes={"a": {"doubleValue": "much"}}))).encode(),
            json.dumps(request_with(span(attributes={"a": {"doubleValue": True}}))).encode(),
            json.dumps(request_with(span(attributes={"a": {"intValue": True}}))).encode(),
            json.dumps(request_with(span(attributes={"a": {"boolValue": 1}}))).encode(),
            json.dumps(request_with(span(attributes={"a": {"strValue": "b"}}))).encode(),
            json.dumps(request_with(span(attributes={"a": {}}))).encode(),
            json.dumps(request_with(span() | {"attributes": [{"key": "a", "value": {"intValue": 1}}] * 2})).encode(),
        ],
    )
    def test_refuses_what_is_no_otlp(self, ramp: FakeRamp, body: bytes) -> None:
        """A request that a strict receiver could not read is refused with 400 and keeps nothing."""
        status, answer = post(ramp, body=body)
        assert status == 400
        assert json.loads(answer)["error_v2"]["message"]
        assert ramp.spans == []

    def test_refuses_broken_protobuf(self, ramp: FakeRamp) -> None:
        """Bytes that are no protobuf are refused."""
        assert post(ramp, body=b"\xff\xff", Content_Type="application/x-protobuf")[0] == 400


class TestCounting:
    def test_counts_a_span_once(self, ramp: FakeRamp) -> None:
        """A span that comes again replaces the earlier one and stays in its place."""
        post(ramp, span("b1"), span("b2"))
        post(ramp, span("b1", name="again"))
        assert [each.name for each in ramp.spans] == ["again", "LLM Generation"]
        assert len(ramp.requests) == 2

    def test_knows_generations(self, ramp: FakeRamp) -> None:
        """Only spans that say so are generations, in Ramp's dialect."""
        post(ramp, span("b1"), span("b2", attributes={"span.type": {"stringValue": "span"}}))
        assert len(ramp.spans) == 2
        assert [each.span_id[:2] for each in ramp.generations] == ["b1"]

    def test_knows_generations_in_the_other_dialect(self, ramp: FakeRamp) -> None:
        """OpenTelemetry's conventions do not say it: there a call names its model, or the library that was called."""
        post(
            ramp,
            span("b1", attributes={"gen_ai.request.model": {"stringValue": "gpt-4o"}}),
            span("b2", attributes={"ramp.library": {"stringValue": "openai"}}),
            span("b3", attributes={"gen_ai.operation.name": {"stringValue": "execute_tool"}}),
            span("b4", attributes={"trace.name": {"stringValue": "Invoice run"}}),
        )
        assert [each.span_id[:2] for each in ramp.wait_for(2)] == ["b1", "b2"]

    @pytest.mark.parametrize(
        ("name", "headers"),
        [("openrouter-connection-test", {}), ("LLM Generation", {"X_Test_Connection": "true"})],
    )
    def test_keeps_connection_tests_apart(self, ramp: FakeRamp, name: str, headers: dict[str, str]) -> None:
        """A connection test, known by its name or its header, is accepted and not counted."""
        assert post(ramp, span(name=name), body=None, **headers)[0] == 200
        assert (ramp.spans, len(ramp.connection_tests)) == ([], 1)

    def test_waits_for_generations(self, ramp: FakeRamp) -> None:
        """Waiting ends as soon as the generations are there."""
        timer = Timer(0.05, post, (ramp, span("b1"), span("b2")))
        timer.start()
        assert len(ramp.wait_for(2, 30)) == 2
        timer.join()

    def test_says_what_it_waited_for(self, ramp: FakeRamp) -> None:
        """Waiting in vain raises and says how far it came."""
        post(ramp, span())
        with pytest.raises(TimeoutError, match="1 of 2 generations arrived, in 1 requests"):
            ramp.wait_for(2, 0.01)

    def test_forgets(self, ramp: FakeRamp) -> None:
        """After `clear` nothing is there."""
        post(ramp, span())
        post(ramp, X_Test_Connection="true")
        ramp.clear()
        assert (ramp.spans, ramp.connection_tests) == ([], [])


class TestKeys:
    @pytest.mark.parametrize("authorization", ["", "Bearer ", "Basic dGVzdA==", "test"])
    def test_needs_a_key(self, ramp: FakeRamp, authorization: str) -> None:
        """Without a bearer key nothing is accepted."""
        status, answer = post(ramp, span(), Authorization=authorization)
        assert (status, ramp.spans) == (401, [])
        assert json.loads(answer)["error_v2"].keys() == {"error_code", "message", "additional_info"}

    def test_knows_its_key(self) -> None:
        """A receiver that was given a key accepts no other."""
        with FakeRamp(api_key="right") as ramp:
            assert post(ramp, span(), Authorization="Bearer wrong")[0] == 401
            assert post(ramp, span(), Authorization="Bearer right")[0] == 200

    def test_is_where_it_says(self, ramp: FakeRamp) -> None:
        """Another path is 404, another method 405, and every answer carries a trace id."""
        ways = {("POST", ramp.url + "/v1/traces"): 404, ("GET", ramp.url): 405}
        for (method, url), status in ways.items():
            with pytest.raises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=30)
            assert caught.value.code == status
            assert len(caught.value.headers["x-trace-id"]) == 32
            caught.value.close()


class TestScripts:
    def test_fails_as_often_as_told(self, ramp: FakeRamp) -> None:
        """Answers told with a number of times come in their order, then the usual one; the refused are not counted."""
        ramp.answer_with(503, times=2)
        ramp.answer_with(429, headers={"Retry-After": "1"}, times=1)
        assert [post(ramp, span())[0] for _ in range(3)] == [503, 503, 429]
        assert ramp.spans == []
        assert post(ramp, span())[0] == 200
        assert len(ramp.spans) == 1

    def test_fails_until_told_otherwise(self, ramp: FakeRamp) -> None:
        """Without a number it goes on, numbered ones come first, and `answer_normally` ends all of it."""
        ramp.answer_with(503)
        ramp.answer_with(500, times=1)
        assert [post(ramp, span())[0] for _ in range(3)] == [500, 503, 503]
        ramp.answer_normally()
        assert post(ramp, span())[0] == 200

    def test_answers_by_a_function(self, ramp: FakeRamp) -> None:
        """A function sees each request and may leave it to the usual answer."""

        def refuse_two(request: Request) -> Answer | None:
            return Answer(status=413) if request.body.count(b"spanId") > 1 else None

        ramp.answer_with(refuse_two)
        assert post(ramp, span("b1"), span("b2"))[0] == 413
        assert post(ramp, span("b1"))[0] == 200
        assert len(ramp.spans) == 1

    def test_takes_spans_whose_answer_is_lost(self, ramp: FakeRamp) -> None:
        """With a status of success that is cut, the spans count and the client hears nothing."""
        ramp.answer_with(Answer(status=200, cut=True), times=1)
        with pytest.raises(OSError, match="closed connection"):
            post(ramp, span())
        assert len(ramp.spans) == 1

    def test_drops_a_request(self, ramp: FakeRamp) -> None:
        """With a status of failure that is cut, neither happens."""
        ramp.answer_with(Answer(status=503, cut=True), times=1)
        with pytest.raises(OSError, match="closed connection"):
            post(ramp, span())
        assert ramp.spans == []

    def test_answers_with_a_partial_success(self, ramp: FakeRamp) -> None:
        """A whole answer is given as it is."""
        body = b'{"partialSuccess": {"rejectedSpans": 1, "errorMessage": "one is too old"}}'
        ramp.answer_with(Answer(body=body), headers={"X-Told": "yes"})
        assert post(ramp, span()) == (200, body)
