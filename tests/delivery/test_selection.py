"""Filters and sampling: what is not sent is counted, and nothing is left out by mistake."""

import json
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from ramp_tracing._delivery import Pipeline
from ramp_tracing._delivery._batching import Batcher
from ramp_tracing._delivery._drainer import Drainer
from ramp_tracing._delivery._selection import Selection, is_drawn
from ramp_tracing._delivery._stages import load_stages
from ramp_tracing._journal import Journal, MemoryJournal, Stats, open_journal
from ramp_tracing._record import Attribution, Failure, Generation, SpanParent
from ramp_tracing._state import state
from ramp_tracing.testing import FakeRamp

from .records import KEY, config_for, generation, span_ids

URL = "http://127.0.0.1:9/"

ALLOWED = sha256(b"sk-allowed").hexdigest()
OTHER = sha256(b"sk-other").hexdigest()


def of_session(number: int, session: str) -> Generation:
    return replace(generation(number), attribution=Attribution(session_id=session))


def nothing(_: Generation) -> bool:
    return False


def by_threes(call: Generation) -> bool:
    return int(call.id.removeprefix("gen-")) % 3 == 0


def wanted(generations: Sequence[Generation], **options: object) -> list[str]:
    selection = Selection(config_for(URL, **options), lambda each: each)
    return [each.id for each in generations if selection.wants(each)]


def test_all_is_sent_unless_told_otherwise() -> None:
    """No filter, nothing to ask."""
    assert not Selection(config_for(URL), lambda each: each).leaves_out


def test_providers_are_left_out_by_name() -> None:
    """In any case; a call of an unknown provider is sent."""
    calls = [replace(generation(number), provider=name) for number, name in enumerate(["openai", "openrouter", None])]
    assert wanted(calls, exclude_providers=["OpenRouter"]) == ["gen-0", "gen-2"]


def test_keys_are_allowed_by_hash(caplog: pytest.LogCaptureFixture) -> None:
    """A call whose key nobody has seen is sent, and that is said."""
    calls = [replace(generation(number), api_key_hash=each) for number, each in enumerate([ALLOWED, OTHER, None])]
    assert wanted(calls, allow_api_keys=(ALLOWED.upper(),)) == ["gen-0", "gen-2"]
    assert "its key cannot be seen" in caplog.text


def test_only_a_clear_no_of_a_filter_counts(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """One that raises, or returns nothing, loses no record; the log has neither content nor the error's text."""
    monkeypatch.setattr(state, "strict", False)
    answers: dict[str, Callable[[], object]] = {
        "gen-0": lambda: True,
        "gen-1": lambda: False,
        "gen-2": lambda: None,
        "gen-3": lambda: 1 / 0,
        "gen-4": lambda: 0,
    }

    def answer(call: Generation) -> object:
        return answers[call.id]()

    assert wanted(list(map(generation, range(5))), filter=answer) == ["gen-0", "gen-2", "gen-3", "gen-4"]
    assert "asking the application's filter failed with ZeroDivisionError" in caplog.text
    assert "division" not in caplog.text


def test_runs_around_calls_are_not_asked_about() -> None:
    """They have no provider and no usage."""
    step = replace(generation(0), role="step", provider="openrouter")
    assert wanted([step], exclude_providers=["openrouter"], filter=nothing) == ["gen-0"]


def test_sampling_keeps_sessions_whole() -> None:
    """All calls of a session share its fate, and the share is about what was asked for."""
    calls = [of_session(number, f"session-{number % 1000}") for number in range(2000)]
    kept = {int(each.removeprefix("gen-")) for each in wanted(calls, sampling_rate=0.3)}
    assert {number % 1000 for number in kept} == {number for number in range(1000) if number in kept}
    assert 500 < len(kept) < 700


def test_sampling_draws_by_session_then_trace_then_call() -> None:
    """Of the application's own trace too; two draws do not pick the same sessions."""
    of_trace = [replace(generation(n), span_parent=SpanParent("ab" * 16, f"{n + 1:016x}")) for n in range(50)]
    named = [replace(generation(n), attribution=Attribution(trace_id="checkout-7")) for n in range(50)]
    alone = [generation(number) for number in range(50)]
    assert [len(wanted(each, sampling_rate=0.5)) in (0, 50) for each in (of_trace, named, alone)] == [True, True, False]
    draws = [(is_drawn(each, 0.5, salt="call"), is_drawn(each, 0.5, salt="content")) for each in alone]
    assert len(set(draws)) == 4
    assert draws == [(is_drawn(each, 0.5, salt="call"), is_drawn(each, 0.5, salt="content")) for each in alone]


def test_content_of_a_share_leaves_all_spend() -> None:
    """Nothing says that content was lost, because it was not; a message, which can quote it, stays behind too."""
    call = replace(generation(1, text="secret"), failure=Failure(type="BadRequest", message="secret", status_code=400))
    selection = Selection(config_for(URL, content_sampling_rate=0), lambda each: each)
    trimmed = replace(call, content=None, failure=Failure(type="BadRequest", status_code=400))
    assert (selection.leaves_out, selection.trimmed(call)) == (False, trimmed)
    assert selection.trimmed(replace(call, content=None, content_lost=True)) == trimmed


@pytest.mark.parametrize("kind", ["memory", "file"])
def test_what_is_left_out_is_counted_and_gone(kind: str, tmp_path: Path) -> None:
    """The counts add up at every moment, and the batch holds the others."""
    journal: Journal = MemoryJournal()
    if kind == "file":
        journal = open_journal(state_dir=str(tmp_path), base_url=URL, key=KEY)
    for each in map(generation, range(7)):
        journal.append(each)
    config = config_for(URL, filter=by_threes, max_batch_spans=4)
    settled = journal.watch()
    batcher = Batcher(journal, load_stages(config), config)
    batch = batcher.next()
    assert batch is not None
    assert [item.prepared.spans[0].span_id for item in batch.items] == span_ids(0, 3, 6)
    assert journal.counts() == Stats(recorded=7, waiting=3, filtered=4)
    assert (batcher.has_left_out(), batcher.has_left_out(), settled()) == (True, False, False)
    journal.acknowledge(batch.entries)
    assert (journal.counts(), settled()) == (Stats(recorded=7, acknowledged=3, filtered=4), True)
    journal.close()
    assert list(tmp_path.rglob("*.seg*")) == []


def test_flush_is_true_if_nothing_was_to_be_sent(pipeline_for: Callable[..., Pipeline]) -> None:
    """Each batch of them is settled, and what comes after them is sent."""
    with FakeRamp() as ramp:
        pipeline = pipeline_for(ramp.url, exclude_providers=["openai"])
        for number in range(120):
            pipeline.record(generation(number))
        assert pipeline.flush(30)
        pipeline.record(replace(generation(120), provider="anthropic"))
        assert pipeline.flush(30)
        assert pipeline.stats() == Stats(recorded=121, acknowledged=1, filtered=120)
        assert [each.span_id for each in ramp.generations] == span_ids(120)


def test_leaving_out_is_work_done() -> None:
    """So the thread goes on at once, and does not rest as it does after a fault; also if it happens on the way in."""
    journal = MemoryJournal()
    config = config_for(URL, filter=nothing)
    drainer = Drainer(config, journal, stages=load_stages(config))
    journal.append(generation(1))
    assert [drainer.send(1), drainer.send(1)] == [True, False]
    journal.append(generation(2))
    drainer.warm_up()
    assert [drainer.send(1), drainer.send(1)] == [True, False]
    assert journal.counts() == Stats(recorded=2, filtered=2)


def test_a_fault_in_choosing_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A record that is not what its type says is sent, and its neighbours are."""
    monkeypatch.setattr(state, "strict", False)
    odd = replace(generation(2), provider=7)  # type: ignore[arg-type]
    journal = MemoryJournal()
    for each in (generation(1), odd, generation(3)):
        journal.append(each)
    config = config_for(URL, exclude_providers=["openrouter"])
    batch = Batcher(journal, load_stages(config), config).next()
    assert batch is not None
    assert [item.entry.generation.id for item in batch.items] == ["gen-1", "gen-2", "gen-3"]


def test_many_that_are_left_out_are_gone_through_in_parts() -> None:
    """A deadline is looked at in between."""
    journal = MemoryJournal()
    for number in range(30):
        journal.append(generation(number))
    config = config_for(URL, filter=nothing, max_batch_spans=1)
    batcher = Batcher(journal, load_stages(config), config)
    assert (batcher.next(), journal.counts().filtered) == (None, 20)
    assert (batcher.next(), journal.counts().filtered) == (None, 30)


def test_the_filter_sees_the_cost_and_runs_elsewhere(pipeline_for: Callable[..., Pipeline]) -> None:
    """On the thread that sends, with what the call cost, and with its content."""
    seen: list[tuple[str, bool, bool]] = []

    def note(call: Generation) -> bool:
        seen.append((threading.current_thread().name, call.cost is not None, call.content is not None))
        return True

    with FakeRamp() as ramp:
        pipeline = pipeline_for(ramp.url, filter=note, content_sampling_rate=0)
        pipeline.record(replace(generation(1, text="hello"), server_address="api.openai.com"))
        assert pipeline.flush(30)
        [request] = ramp.requests
    assert seen == [("ramp-tracing", True, True)]
    assert b"hello" not in request.body
    assert "ramp.content.lost" not in json.dumps(json.loads(request.body))


def test_no_warning_where_all_is_well(caplog: pytest.LogCaptureFixture) -> None:
    """A known key says nothing."""
    with caplog.at_level(logging.WARNING):
        assert wanted([replace(generation(0), api_key_hash=ALLOWED)], allow_api_keys=[ALLOWED]) == ["gen-0"]
    assert caplog.records == []
