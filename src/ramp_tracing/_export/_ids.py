"""Where a generation stands in a trace: ids follow from the record alone, so that a retry carries the same ones."""

import re
from typing import Final, NamedTuple

from .._identity import derived_id
from .._record import NOBODY, Attribution, Generation, SpanParent

TRACE_ID: Final = re.compile(r"[0-9a-f]{32}")
SPAN_ID: Final = re.compile(r"[0-9a-f]{16}")


class Place(NamedTuple):
    """The ids of a span."""

    trace_id: str
    span_id: str
    parent_span_id: str | None


def place_of(generation: Generation) -> Place:
    """Trace, own id and what stands above, before any level that has a name of its own is put in between."""
    own = derived_id(
        generation.id, digits=32
    )  # whose first half is the span's, and which is the trace's if it has none
    if generation.attribution is NOBODY and generation.span_parent is None:  # what follows would find the same
        return Place(own, own[:16], None)
    trace_id = _trace_id(generation, own)
    return Place(trace_id, own[:16], _parent_id(generation, trace_id))


def trace_id_of(generation: Generation) -> str:
    """The trace that it is sent in; one of its own, which follows from its id, where it is in no other."""
    return _trace_id(generation, derived_id(generation.id, digits=32))


def unusable_parent(attribution: Attribution) -> str | None:
    """A ``parent_span_id`` that is no span id; it is kept as metadata."""
    given = attribution.parent_span_id
    if not given or _is_zero(given) or _span_id(given) is not None:
        return None
    return given


def _trace_id(generation: Generation, own: str) -> str:
    given, parent = generation.attribution.trace_id, _span_parent(generation)
    if given and not _is_zero(given):
        return given.lower() if TRACE_ID.fullmatch(given.lower()) else derived_id(given, digits=32)
    return own if parent is None else parent.trace_id


def _parent_id(generation: Generation, trace_id: str) -> str | None:
    """The application's span is a parent only within its own trace: ids do not point across traces."""
    given, parent = generation.attribution.parent_span_id, _span_parent(generation)
    above = _span_id(given) if given else None
    if above is None and parent is not None and parent.trace_id == trace_id:
        return parent.span_id
    return above


def _span_parent(generation: Generation) -> SpanParent | None:
    parent = generation.span_parent
    if parent is None or _is_zero(parent.trace_id) or not TRACE_ID.fullmatch(parent.trace_id):
        return None
    return parent if _span_id(parent.span_id) is not None else None


def _span_id(text: str) -> str | None:
    lower = text.lower()
    return lower if SPAN_ID.fullmatch(lower) and not _is_zero(lower) else None


def _is_zero(text: str) -> bool:
    """OpenTelemetry's way of saying that there is no trace or no span; OTLP does not take such an id."""
    return len(text) in (16, 32) and not text.strip("0")
