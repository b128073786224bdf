"""Where a generation stands in a trace, and the levels above it."""

from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from export_samples import DOCUMENTED, ENDED, PLAIN, SPAN_PARENT, STARTED, TRACE_ID, export, export_one, read_body

from ramp_tracing._export import Encoder, ExportSettings
from ramp_tracing._record import Attribution, Failure, Generation, GenerationId, SpanParent, Timing, UnixNanos


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def placed(span_parent: SpanParent | None = None, **attribution: Any) -> dict[str, Any]:
    """The span of a call with such an attribution."""
    return dict(export_one(replace(PLAIN, attribution=Attribution(**attribution), span_parent=span_parent)).span)


class TestIds:
    def test_follow_from_the_generation(self) -> None:
        """Without anything else both ids follow from the generation id, and nothing stands above."""
        span = placed()
        assert (digest(PLAIN.id)[:32], digest(PLAIN.id)[:16]) == (span["traceId"], span["spanId"])
        assert "parentSpanId" not in span

    def test_trace_id_of_32_digits(self) -> None:
        """A trace id of 32 hexadecimal digits is used as it is, in lower case."""
        assert TRACE_ID == placed(trace_id=TRACE_ID.upper())["traceId"]

    @pytest.mark.parametrize("text", ["workflow_12345", "0af76519-16cd-43dd-8448-eb211c80319c", "abc", "ü" * 32])
    def test_trace_id_of_any_other_text(self, text: str) -> None:
        """Any other text is hashed, so that equal texts are one trace."""
        assert digest(text)[:32] == placed(trace_id=text)["traceId"]

    @pytest.mark.parametrize("nothing", ["", "0" * 32])
    def test_trace_id_that_says_nothing(self, nothing: str) -> None:
        """An empty trace id, or OpenTelemetry's id of no trace, is none."""
        assert digest(PLAIN.id)[:32] == placed(trace_id=nothing)["traceId"]

    def test_active_span(self) -> None:
        """The application's active span gives the trace and stands above."""
        span = placed(span_parent=SPAN_PARENT)
        assert SPAN_PARENT == (span["traceId"], span["parentSpanId"])

    def test_trace_id_beside_an_active_span(self) -> None:
        """A trace that the user names is another one: the active span is not above it, unless it is the same trace."""
        assert "parentSpanId" not in placed(SPAN_PARENT, trace_id="mine")
        assert SPAN_PARENT == (
            (same := placed(SPAN_PARENT, trace_id=SPAN_PARENT.trace_id))["traceId"],
            same["parentSpanId"],
        )

    @pytest.mark.parametrize("parent", [SpanParent("0" * 32, "1" * 16), SpanParent("1" * 32, "0" * 16)])
    def test_invalid_active_span(self, parent: SpanParent) -> None:
        """An active span with an id of zeros is none."""
        span = placed(parent)
        assert digest(PLAIN.id)[:32] == span["traceId"]
        assert "parentSpanId" not in span

    def test_parent_span_id(self) -> None:
        """A parent of 16 hexadecimal digits stands above, also instead of the active span."""
        assert "00f067aa0ba902b7" == placed(SPAN_PARENT, parent_span_id="00F067AA0BA902B7")["parentSpanId"]

    def test_parent_that_is_no_span_id(self) -> None:
        """Any other parent is kept as metadata and is above nothing."""
        sent = export_one(replace(PLAIN, attribution=Attribution(parent_span_id="step-7")))
        assert "parentSpanId" not in sent.span
        assert "step-7" == sent.values["trace.metadata.parent_span_id"]

    def test_parent_of_zeros(self) -> None:
        """OpenTelemetry's id of no span is no parent and no metadata."""
        sent = export_one(replace(PLAIN, attribution=Attribution(parent_span_id="0" * 16)))
        assert "parentSpanId" not in sent.span
        assert "trace.metadata.parent_span_id" not in sent.values


class TestNames:
    def test_default(self) -> None:
        """A generation without a name has OpenRouter's."""
        assert "LLM Generation" == placed()["name"]

    def test_generation_name(self) -> None:
        """The user's name for a generation is the span's."""
        assert "Analyze Report" == placed(generation_name="Analyze Report")["name"]

    def test_conventions(self) -> None:
        """In the conventions' dialect the span is called by operation and model; the user's name is an attribute."""
        sent = export_one(replace(DOCUMENTED, request_model="gpt-4o"), dialect="semconv")
        assert ("chat gpt-4o", "Analyze Report") == (sent.span["name"], sent.values["ramp.generation_name"])
        assert "chat" == export_one(PLAIN, dialect="semconv").span["name"]


class TestLevels:
    both = replace(
        DOCUMENTED, attribution=replace(DOCUMENTED.attribution, span_name="Read", parent_span_id="00f067aa0ba902b7")
    )

    def test_chain(self) -> None:
        """Generation, intermediate, root and the given parent stand above each other in one trace."""
        own, middle, root = export(self.both)
        assert ["Analyze Report", "Read", "Expense Processing Pipeline"] == [
            sent.span["name"] for sent in (own, middle, root)
        ]
        assert [middle.span["spanId"], root.span["spanId"], "00f067aa0ba902b7"] == [
            sent.span["parentSpanId"] for sent in (own, middle, root)
        ]
        assert {TRACE_ID} == {sent.span["traceId"] for sent in (own, middle, root)}
        assert [3, 2, 2] == [sent.span["kind"] for sent in (own, middle, root)]

    def test_of_one_name(self) -> None:
        """Either name alone makes one level."""
        for name in ("trace_name", "span_name"):
            own, level = export(replace(PLAIN, attribution=Attribution(**{name: "x"}), span_parent=SPAN_PARENT))
            assert (level.span["spanId"], SPAN_PARENT.span_id) == (own.span["parentSpanId"], level.span["parentSpanId"])

    def test_attributes(self) -> None:
        """Levels say who and what for; never usage, money, content or anything of a model."""
        for level in export(self.both)[1:]:
            assert {
                "trace.name": "Expense Processing Pipeline",
                "user.id": "user_12345",
                "session.id": "session_abc",
                "trace.metadata.department": "finance",
                "trace.metadata.cost_center": "CC-1234",
                "span.type": "span",
                "span.level": "DEFAULT",
            } == level.values

    def test_of_a_failed_call(self) -> None:
        """A failed call does not fail what stands above it."""
        failed = replace(self.both, failure=Failure(type="Error"))
        assert [{"code": 1}] * 2 == [level.span["status"] for level in export(failed)[1:]]

    def test_ids_tell_levels_apart(self) -> None:
        """A root and an intermediate of the same name are two levels, and so are two in different traces."""
        names = Attribution(trace_id="t", trace_name="x", span_name="x")
        ids = [
            sent.span["spanId"]
            for attribution in (names, replace(names, trace_id="u"))
            for sent in export(replace(PLAIN, attribution=attribution))[1:]
        ]
        assert 4 == len(set(ids))


def call(number: int, start: int, end: int, **metadata: object) -> Generation:
    """One of several calls of a trace."""
    return replace(
        PLAIN,
        id=GenerationId(f"chatcmpl-{number}"),
        timing=Timing(started=UnixNanos(STARTED + start), ended=UnixNanos(STARTED + end)),
        attribution=Attribution(trace_id="t", trace_name="root", span_name="step", metadata=metadata),
    )


class TestOneBody:
    encoder = Encoder(ExportSettings())

    def body(self, *generations: Generation) -> bytes:
        return self.encoder.body([self.encoder.prepare(each) for each in generations])

    def test_shared_levels(self) -> None:
        """Levels that several calls share are sent once: from the first start to the last end."""
        spans = read_body(self.body(call(1, 10, 20), call(2, 5, 15), call(3, 12, 30)))
        assert ["LLM Generation"] * 3 + ["step", "root"] == [sent.span["name"] for sent in spans]
        for level in spans[3:]:
            assert (str(STARTED + 5), str(STARTED + 30)) == (
                level.span["startTimeUnixNano"],
                level.span["endTimeUnixNano"],
            )

    def test_shared_attributes(self) -> None:
        """A shared level keeps the metadata on which its calls agree; each call keeps its own."""
        one, other, *levels = read_body(self.body(call(1, 0, 1, team="a", run=1), call(2, 1, 2, team="a", run=2)))
        assert (1, 2) == (one.values["trace.metadata.run"], other.values["trace.metadata.run"])
        for level in levels:
            assert "a" == level.values["trace.metadata.team"]
            assert "trace.metadata.run" not in level.values

    def test_settled_job(self) -> None:
        """Of a job that is settled in the same request only the last word is sent."""
        pending = replace(PLAIN, pending=True)
        [sent] = read_body(self.body(pending, replace(DOCUMENTED, attribution=Attribution())))
        assert 42 == sent.values["gen_ai.usage.input_tokens"]
        assert str(ENDED) == sent.span["endTimeUnixNano"]
