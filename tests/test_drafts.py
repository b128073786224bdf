"""Frozen records that are made cheaply."""

from dataclasses import FrozenInstanceError, dataclass, fields, replace

import pytest

from ramp_tracing._normalizers._openai_usage import USUAL, read_usage
from ramp_tracing._record import (
    Content,
    Drafts,
    Generation,
    GenerationId,
    Outcome,
    Timing,
    UnixNanos,
    Usage,
    changed,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A record."""

    x: int
    y: int = 2


def test_a_draft_becomes_the_record() -> None:
    """The same class, equal to one that its constructor makes, and frozen."""
    drafts = Drafts(Point)
    draft = drafts.begin()
    draft.x = 1
    made = drafts.end(draft)
    assert made is draft
    assert type(made) is Point
    assert Point(x=1) == made
    assert hash(Point(x=1)) == hash(made)
    assert Point(x=3, y=2) == replace(made, x=3)
    with pytest.raises(FrozenInstanceError):
        made.x = 5  # type: ignore[misc]


@pytest.mark.parametrize("kind", [Content, Outcome, Usage])
def test_a_draft_begins_with_the_defaults(kind: type[Content | Outcome | Usage]) -> None:
    """Whatever is not written to it has the value that the constructor gives."""
    drafts = Drafts(kind)
    assert kind() == drafts.end(drafts.begin())


@pytest.mark.parametrize("kind", [Generation, Timing])
def test_what_has_no_default_is_missing_until_it_is_written(kind: type[Generation | Timing]) -> None:
    """Nothing is invented."""
    draft = Drafts(kind).begin()
    missing = {each.name for each in fields(kind) if not hasattr(draft, each.name)}
    assert missing == {each.name for each in fields(kind) if each.kw_only and each.name in REQUIRED}


REQUIRED = {"id", "operation", "library", "timing", "started", "ended"}

USAGES = {
    "chat": {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8},
    "responses": {"input_tokens": 3, "output_tokens": 5, "input_tokens_details": {"cached_tokens": 1}},
    "parts": {
        "prompt_tokens": 9, "completion_tokens": 7, "total_tokens": 16,
        "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 0, "image_tokens": 2, "cache_write_tokens": 1},
        "completion_tokens_details": {
            "reasoning_tokens": 3, "audio_tokens": 0, "accepted_prediction_tokens": 1, "rejected_prediction_tokens": 2,
        },
    },
    "only a total": {"total_tokens": 8},
    "names that mean nothing": {"prompt_tokens": 3, "queue_time": 0.5},
}  # fmt: skip
UNUSUAL = {
    "reasoning on top": {
        "prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 10,
        "completion_tokens_details": {"reasoning_tokens": 2},
    },
    "a flag": {"prompt_tokens": True, "completion_tokens": 5},
    "less than nothing": {"prompt_tokens": -1, "completion_tokens": 5},
    "digits": {"prompt_tokens": "3"},
    "both names": {"prompt_tokens": 3, "input_tokens": 4},
    "another name for a part": {"prompt_tokens": 3, "cached_tokens": 1},
    "another API": {"inputTokens": 3},
    "a list": {"prompt_tokens": 3, "prompt_tokens_details": [1]},
}  # fmt: skip


@pytest.mark.parametrize("usage", USAGES.values(), ids=USAGES)
def test_usual_usage_is_what_a_look_everywhere_finds(usage: dict[str, object]) -> None:
    """An empty list of iterations is a name that makes a usage unusual, and means nothing."""
    assert USUAL.read(usage, {}, None) == read_usage({**usage, "iterations": []})


@pytest.mark.parametrize("usage", UNUSUAL.values(), ids=UNUSUAL)
def test_whatever_is_unusual_is_left_to_a_look_everywhere(usage: dict[str, object]) -> None:
    """A count is read or not read there, by the rules that hold for everybody's."""
    assert USUAL.read(usage, {}, None) is None


def test_a_changed_record_is_what_the_standard_library_makes_of_it() -> None:
    """A copy, equal and frozen; the record itself stays as it is."""
    record = Generation(id=GenerationId("gen-1"), operation="chat", library="openai", timing=TIMING, retries=1)
    copy = changed(record, provider="openai", retries=None)
    assert type(copy) is Generation
    assert copy == replace(record, provider="openai", retries=None)
    assert (record.provider, record.retries) == (None, 1)
    with pytest.raises(FrozenInstanceError):
        copy.provider = "groq"  # type: ignore[misc]


def test_nothing_is_invented_for_a_change() -> None:
    """A field that does not exist is an error."""
    with pytest.raises(AttributeError):
        changed(Usage(), tokens=3)  # type: ignore[call-arg]


TIMING = Timing(started=UnixNanos(1), ended=UnixNanos(2))
