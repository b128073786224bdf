"""Records that are too long for a line."""

from dataclasses import fields, is_dataclass, replace
from decimal import Decimal
from typing import Any

import pytest

from ramp_tracing._journal._line import encode
from ramp_tracing._record import (
    Attribution,
    Content,
    Cost,
    Failure,
    Generation,
    GenerationId,
)

from .samples import full_generation, generation, roundtrip, with_metadata

PAGE = 4096


def test_metadata_that_does_not_fit_stays_in_memory() -> None:
    """What fits is on disk, in its order; the rest is joined again while the process lives."""
    metadata: dict[str, object] = {"team": "search", "long": "x" * 3900, "cost_center": "cc-1"}
    record = with_metadata(metadata)
    encoded = encode(record)
    assert len(encoded.line) < PAGE
    assert b'"in_memory":["metadata"]' in encoded.line
    there = dict(roundtrip(record).attribution.metadata)
    assert there == {"team": "search", "cost_center": "cc-1"}
    assert encoded.kept is not None
    assert list(encoded.kept.joined(roundtrip(record)).attribution.metadata.items()) == list(metadata.items())


def test_ten_thousand_keys_cost_nothing_else() -> None:
    """The first are written, as many as there is room for."""
    record = with_metadata({f"key {number}": number for number in range(10_000)}, user="user-1")
    encoded = encode(record)
    assert len(encoded.line) < PAGE
    there = roundtrip(record).attribution
    assert (there.user, list(there.metadata)[:2]) == ("user-1", ["key 0", "key 1"])
    assert encoded.kept is None or len(encoded.kept.metadata or {}) == 100


def test_metadata_goes_before_texts_that_nobody_groups_by() -> None:
    """A thousand bytes are kept for it."""
    record = replace(
        with_metadata({"team": "search"}, trace_name="n" * 5000),
        response_model="m" * 5000,
        native_finish_reason="f" * 5000,
    )
    there = roundtrip(record)
    assert there.attribution.metadata == {"team": "search"}
    assert "m" * 100 in (there.response_model or "")


def test_long_texts_are_cut() -> None:
    """By the same measure; short ones stay."""
    there = roundtrip(replace(generation(), response_model="m" * 9000, service_tier="priority", response_id="é" * 9000))
    assert (there.response_model, there.service_tier) == ("m" * 1000, "priority")
    assert there.response_id == "é" * 500


def test_a_long_trace_id_is_hashed_as_it_would_be_when_sent() -> None:
    """So the call stays in its trace."""
    from ramp_tracing._export._ids import place_of

    record = with_metadata({"long": "x" * 5000}, trace_id="a trace of my own, with a very long name indeed")
    assert place_of(roundtrip(record)).trace_id == place_of(record).trace_id


def test_long_ids_still_tell_calls_apart() -> None:
    """An id is shortened so that no two become one, and the same one stays the same."""
    one, other = (replace(generation(), id=GenerationId("x" * 5000 + end)) for end in "ab")
    assert len(roundtrip(one).id) < 200
    assert roundtrip(one).id != roundtrip(other).id
    assert roundtrip(one) == roundtrip(replace(one, pending=False))
    assert roundtrip(roundtrip(one)).id == roundtrip(one).id


WORST = '\0\x1f"\\é\U0001f600' * 3000


def worst_case(text: str) -> Generation:
    """A record in which every text is as bad as it can be."""
    full = full_generation()
    texts: dict[str, Any] = {f.name: text for f in fields(Attribution) if f.name != "metadata"}
    return replace(
        full,
        **{name: text for name, value in vars_of(full).items() if isinstance(value, str)},
        finish_reasons=(text,) * 500,
        parameters={f"{number}{text}": 0.1 + number for number in range(500)},
        usage=replace(
            full.usage,
            **{name: 2**63 - 1 for name, value in vars_of(full.usage).items() if type(value) is int},
            hosted_tool_calls={f"{number}{text}": 2**63 - 1 for number in range(500)},
            audio_seconds=Decimal("1." + "3" * 5000),
        ),
        cost=Cost(total=Decimal("1." + "7" * 5000), input=Decimal(1) / 3, output=Decimal(1) / 7, source="provider"),
        failure=Failure(type=text, message=text, status_code=2**63 - 1, code=text),
        attribution=Attribution(**texts, metadata={f"{number}{text}": text for number in range(500)}),
        content=Content(input=text, output=text, size_bytes=1),
    )


def test_a_text_of_twenty_megabytes_is_cut() -> None:
    """In metadata as well as in a name."""
    huge = "x" * 20_000_000
    record = replace(with_metadata({"blob": huge, "team": "search"}, user=huge), response_model=huge)
    encoded = encode(record)
    assert len(encoded.line) < PAGE
    assert (encoded.kept is None, roundtrip(record).attribution.metadata) == (False, {"team": "search"})


def vars_of(record: object) -> dict[str, Any]:
    assert is_dataclass(record)
    return {field.name: getattr(record, field.name) for field in fields(record)}


@pytest.mark.parametrize(
    "text",
    [WORST, "\0" * 10_000, '"' * 10_000, "\ud800" * 5_000, "a" * 5_000],
    ids=["all", "control", "quotes", "surrogates", "long"],
)
def test_no_line_reaches_a_page(text: str) -> None:
    """Whatever there is to write; and the numbers are in it."""
    record = worst_case(text)
    line = encode(record).line
    assert len(line) < PAGE
    there = roundtrip(record)
    assert replace(there.usage, hosted_tool_calls={}, audio_seconds=None) == replace(
        record.usage, hosted_tool_calls={}, audio_seconds=None
    )
    assert there.cost is not None
    assert (str(there.cost.total), there.timing) == ("1." + "7" * 26 + "8", record.timing)
