"""Runs that are records of their own, and the calls below them."""

from dataclasses import replace

import pytest
from export_samples import PLAIN, TRACE_ID, export_one

from ramp_tracing._identity import derived_id
from ramp_tracing._record import Attribution, Failure, Generation, GenerationId

STEP_ID = GenerationId("run-0af7651916cd43dd8448eb211c80319c")
PARENT = "00f067aa0ba902b7"


def step(**fields: object) -> Generation:
    """A tool's run."""
    attribution = Attribution(
        user="ada",
        trace_id=TRACE_ID,
        trace_name="Desk",
        span_name="research",
        generation_name="look_up",
        parent_span_id=PARENT,
        metadata={"team": "legal"},
    )
    changes: dict[str, object] = {"id": STEP_ID, "operation": "tool", "role": "step", "attribution": attribution}
    return replace(PLAIN, **{**changes, **fields})  # type: ignore[arg-type]


def test_a_step_is_one_span_without_usage() -> None:
    """Who and what for, its place, and nothing that could be counted: not even where the record has it."""
    sent = export_one(step())
    span = sent.span
    assert ("look_up", 2, 1) == (span["name"], span["kind"], span["status"]["code"])
    assert (TRACE_ID, derived_id(STEP_ID, digits=16), PARENT) == (
        span["traceId"],
        span["spanId"],
        span["parentSpanId"],
    )
    attributes = {each["key"] for each in span["attributes"]}
    assert attributes == {"trace.metadata.team", "trace.name", "user.id", "span.type", "span.level"}


def test_a_step_that_failed_says_so() -> None:
    """By its status."""
    span = export_one(step(failure=Failure(type="ValueError"))).span
    assert (2, "events" in span) == (span["status"]["code"], bool(span.get("events")))


CONVENTIONAL = [
    ("tool", "execute_tool look_up", 1, {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "look_up"}),
    ("retriever", "retrieval look_up", 3, {"gen_ai.operation.name": "retrieval"}),
    ("chain", "look_up", 1, {}),
]


@pytest.mark.parametrize(("run", "name", "kind", "said"), CONVENTIONAL)
def test_a_step_by_the_conventions_says_what_it_is(run: str, name: str, kind: int, said: dict[str, str]) -> None:
    """A tool and a retriever have operations; what LangChain calls a chain may be anything."""
    sent = export_one(step(operation=run), dialect="semconv")
    assert (name, kind, 0) == (sent.span["name"], sent.span["kind"], sent.span["status"]["code"])
    assert {"trace.metadata.team": "legal", "trace.name": "Desk", "user.id": "ada", **said} == sent.values


@pytest.mark.parametrize("run", ["tool", "retriever", "chain"])
def test_a_step_by_the_conventions_says_how_it_failed(run: str) -> None:
    """By status and type."""
    sent = export_one(step(operation=run, failure=Failure(type="ValueError")), dialect="semconv")
    assert (2, "ValueError") == (sent.span["status"]["code"], sent.values["error.type"])


def test_a_leaf_has_no_levels_of_its_own() -> None:
    """The runs above it are there as they are; its names still are attributes."""
    span = export_one(step(role="leaf", operation="chat")).span
    assert (3, PARENT) == (span["kind"], span["parentSpanId"])
    named = {each["key"]: each["value"] for each in span["attributes"]}
    assert {"stringValue": "Desk"} == named["trace.name"]
