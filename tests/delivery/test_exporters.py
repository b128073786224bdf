"""The user's own span exporters, beside Ramp: they get every call once, and nobody else feels anything of them."""

import threading
import time
from collections.abc import Sequence
from typing import Any

import pytest

from ramp_tracing._journal import Stats
from ramp_tracing._state import state

from .conftest import PipelineMaker
from .receiver import Receiver, answer, raw, refuse_spans, wait_until
from .records import generation, span_id, span_ids
from .test_drainer import too_long

OK = answer(200)
RECORDED_SECONDS = 5.0
"""Far above what taking a record in takes on a busy machine, far below what a stuck exporter takes."""


class Kept:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.ended = threading.Event()

    def export(self, spans: Sequence[Any]) -> None:
        self.spans.extend(spans)

    def shutdown(self) -> None:
        self.ended.set()

    @property
    def span_ids(self) -> list[str]:
        return [f"{each.context.span_id:016x}" for each in self.spans]


class Raising:
    """Raises whatever it is asked."""

    def export(self, spans: Sequence[Any]) -> None:
        raise RuntimeError("the backend is down")

    force_flush = shutdown = export


class Stuck:
    """Does not come back until it is let go."""

    def __init__(self) -> None:
        self.let_go = threading.Event()

    def export(self, spans: Sequence[Any]) -> None:
        self.let_go.wait(60)

    def shutdown(self) -> None:
        self.let_go.wait(60)


@pytest.mark.parametrize(
    "behaviours",
    [
        (answer(503), raw(), OK),
        (too_long(3000),),
        (refuse_spans(lambda each: each == span_id(3)),),
    ],
    ids=["tried again", "halved", "one by one"],
)
def test_each_call_is_exported_once_whatever_ramp_answers(pipeline_for: PipelineMaker, behaviours: Any) -> None:
    """What is sent to Ramp again, in parts or without content, is not given to them again."""
    kept = Kept()
    with Receiver.which(*behaviours) as receiver:
        pipeline = pipeline_for(receiver.url, span_exporters=[kept])
        for number in range(6):
            pipeline.record(generation(number))
        wait_until(lambda: len(receiver.requests) >= len(behaviours))
        pipeline.flush(10)
        wait_until(lambda: len(kept.spans) >= 6, seconds=30)
    assert span_ids(*range(6)) == kept.span_ids


def test_neither_the_application_nor_ramp_feels_a_bad_exporter(
    pipeline_for: PipelineMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records are taken in at once, Ramp and the others get all of them, and the end is not put off."""
    monkeypatch.setattr(state, "strict", False)
    stuck, kept = Stuck(), Kept()
    with Receiver.which(OK) as receiver:
        pipeline = pipeline_for(receiver.url, span_exporters=[Raising(), stuck, kept])
        started = time.monotonic()
        for number in range(200):
            pipeline.record(generation(number))
        assert time.monotonic() - started < RECORDED_SECONDS
        wait_until(lambda: pipeline.stats() == Stats(recorded=200, acknowledged=200), seconds=30)
        assert pipeline.flush(2)
        started = time.monotonic()
        assert pipeline.shutdown(1)
        assert time.monotonic() - started < 30
        stuck.let_go.set()
    assert kept.ended.wait(30)
    assert span_ids(*range(200)) == receiver.span_ids == kept.span_ids


def test_their_spans_are_named_by_the_conventions(pipeline_for: PipelineMaker) -> None:
    """Other backends read those; Ramp is sent its own dialect."""
    kept, copies = Kept(), Kept()
    with Receiver.which(OK) as receiver:
        pipeline = pipeline_for(receiver.url, span_exporters=(kept,))
        pipeline.record(generation(1, text="asked"))
        assert pipeline.flush(10)
        mirror = pipeline_for(receiver.url, span_exporters=(copies,), exporter_dialect="openrouter")
        mirror.record(generation(2, text="asked"))
        assert mirror.flush(10)
        wait_until(lambda: bool(kept.spans and copies.spans), seconds=30)
    assert b"gen_ai.prompt" in receiver.requests[0].body
    assert b"gen_ai.input.messages" not in receiver.requests[0].body
    assert ("chat gpt-4o", True) == (kept.spans[0].name, "gen_ai.input.messages" in kept.spans[0].attributes)
    assert ("LLM Generation", True) == (copies.spans[0].name, "gen_ai.prompt" in copies.spans[0].attributes)


def test_they_get_nothing_that_privacy_keeps_back(pipeline_for: PipelineMaker) -> None:
    """In either dialect."""
    kept = Kept()
    with Receiver.which(OK) as receiver:
        pipeline = pipeline_for(receiver.url, span_exporters=(kept,), privacy_mode=True)
        pipeline.record(generation(1, text="a secret question"))
        assert pipeline.flush(10)
        wait_until(lambda: bool(kept.spans), seconds=30)
    assert [False] == ["secret question" in each.to_json() for each in kept.spans]
