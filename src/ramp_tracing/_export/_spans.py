"""From a generation to the spans that are sent: its own, and the levels above it that the user has named."""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from .._identity import derived_id
from .._record import NOBODY, Attribution, Drafts, Generation, Timing, UnixNanos, changed
from ._attributes import level_attributes_of, step_attributes_of
from ._ids import Place, place_of
from ._readers import failure_message, failure_type
from ._settings import Dialect, ExportSettings
from ._span import Kind, Span, SpanEvent, StatusCode
from ._unread import Unread
from ._values import MAX_INSTANT, instant, sound_text

DEFAULT_NAME: Final = "LLM Generation"
"""OpenRouter's name for a generation that nobody has named."""


DEFAULT_STEP_NAME: Final = "run"

SPANS: Final = Drafts(Span)


class Level(NamedTuple):
    """A level above the generation that the user has named."""

    place: Place
    name: str


def spans_of(generation: Generation, settings: ExportSettings) -> tuple[Span, ...]:
    """
    The spans of one call.

    Args:
        generation: The call.
        settings: In privacy mode content and the text of failures stay behind, even where the record has them.

    Returns:
        The generation's span first, then the levels above it from the innermost to the root, as far as they are named.
    """
    sayable = _without_content(generation) if settings.privacy_mode else generation
    own = place_of(sayable)
    if sayable.role == "step":
        return (_step_span(sayable, own, dialect=settings.dialect),)
    if sayable.role != "call" or sayable.attribution is NOBODY:
        return (_generation_span(sayable, own, dialect=settings.dialect),)
    levels = _levels(sayable.attribution, own)
    if levels:
        own = own._replace(parent_span_id=levels[0].place.span_id)
    return (
        _generation_span(sayable, own, dialect=settings.dialect),
        *(_level_span(sayable, level, dialect=settings.dialect) for level in levels),
    )


def merge(spans: Iterable[Span]) -> tuple[Span, ...]:
    """
    *spans* with every id once.

    A level that several generations share begins with the first of them, ends with the last, and keeps the attributes
    that all agree on. Of a generation the last span stands: it settles what an earlier one, of a job, left open.
    """
    merged: dict[tuple[str, str], Span] = {}
    for span in spans:
        key = (span.trace_id, span.span_id)
        known = merged.get(key)
        merged[key] = span if known is None or span.kind is Kind.CLIENT else _union(known, span)
    return tuple(merged.values())


def _union(one: Span, other: Span) -> Span:
    return changed(
        one,
        start=min(one.start, other.start),
        end=max(one.end, other.end),
        attributes={key: value for key, value in one.attributes.items() if other.attributes.get(key) == value},
    )


def _without_content(generation: Generation) -> Generation:
    failure = generation.failure
    return changed(generation, content=None, failure=None if failure is None else changed(failure, message=None))


def _levels(attribution: Attribution, own: Place) -> list[Level]:
    """From the innermost; ids follow from trace and names, so that the calls of one trace meet in the same levels."""
    trace_id, above = own.trace_id, own.parent_span_id
    trace_name, span_name = attribution.trace_name, attribution.span_name
    levels: list[Level] = []
    if trace_name:
        root = Place(trace_id, derived_id(trace_id, "root", trace_name, digits=16), above)
        levels.append(Level(root, trace_name))
        above = root.span_id
    if span_name:
        span_id = derived_id(trace_id, "span", trace_name or "", span_name, digits=16)
        levels.insert(0, Level(Place(trace_id, span_id, above), span_name))
    return levels


def _generation_span(generation: Generation, place: Place, *, dialect: Dialect) -> Span:
    shape = SHAPES[dialect]
    span = SPANS.begin()
    span.name = sound_text(shape.name(generation))
    span.kind = Kind.CLIENT
    span.trace_id, span.span_id, span.parent_span_id = place
    span.start, span.end = _interval(generation.timing)
    span.status = shape.done
    span.attributes = Unread(generation, dialect)
    if generation.failure is not None:
        span.status = StatusCode.ERROR
        message = failure_message(generation)
        span.status_message = None if message is None else sound_text(message)
        span.events = _events(generation, span.end)
    return SPANS.end(span)


def _events(generation: Generation, end: UnixNanos) -> tuple[SpanEvent, ...]:
    kind, message = failure_type(generation), failure_message(generation)
    if kind is None or message is None:
        return ()
    attributes = {"exception.type": sound_text(kind), "exception.message": sound_text(message)}
    return (SpanEvent(name="exception", time=end, attributes=attributes),)


def _level_span(generation: Generation, level: Level, *, dialect: Dialect) -> Span:
    start, end = _interval(generation.timing)
    return Span(
        name=sound_text(level.name),
        kind=SHAPES[dialect].level_kind,
        trace_id=level.place.trace_id,
        span_id=level.place.span_id,
        parent_span_id=level.place.parent_span_id,
        start=start,
        end=end,
        status=SHAPES[dialect].done,
        attributes=level_attributes_of(generation, dialect),
    )


def _step_span(step: Generation, place: Place, *, dialect: Dialect) -> Span:
    """A run that costs nothing itself: like a level, and with an end of its own."""
    shape, name = SHAPES[dialect], step.attribution.generation_name or DEFAULT_STEP_NAME
    span = _level_span(step, Level(place, f"{shape.step_verbs.get(step.operation, '')}{name}"), dialect=dialect)
    return changed(
        span,
        kind=shape.step_kinds.get(step.operation, span.kind),
        status=_status(step, dialect),
        attributes=step_attributes_of(step, dialect),
    )


def _status(generation: Generation, dialect: Dialect) -> StatusCode:
    return SHAPES[dialect].done if generation.failure is None else StatusCode.ERROR


def _interval(timing: Timing) -> tuple[UnixNanos, UnixNanos]:
    """Start and end; a clock that was set back meanwhile makes no negative durations."""
    if 0 <= timing.started <= timing.ended <= MAX_INSTANT:  # nearly always
        return timing.started, timing.ended
    return instant(timing.started), instant(max(timing.started, timing.ended))


def _openrouter_name(generation: Generation) -> str:
    return generation.attribution.generation_name or DEFAULT_NAME


def _conventional_name(generation: Generation) -> str:
    return f"{generation.operation} {generation.request_model}" if generation.request_model else generation.operation


class Shape(NamedTuple):
    """What the spans of a dialect are like, apart from their attributes."""

    name: Callable[[Generation], str]
    """What a generation's span is called."""
    level_kind: Kind
    """The kind of the spans above generations."""
    done: StatusCode
    """The status of what did not fail."""
    step_kinds: Mapping[str, Kind] = MappingProxyType({})
    """The kind of a run's span by what it runs, where it is not that of a level."""
    step_verbs: Mapping[str, str] = MappingProxyType({})
    """What stands before the name of a run, by what it runs."""


SHAPES: Final[Mapping[Dialect, Shape]] = {
    "openrouter": Shape(_openrouter_name, Kind.SERVER, StatusCode.OK),
    "semconv": Shape(
        _conventional_name,
        Kind.INTERNAL,
        StatusCode.UNSET,
        step_kinds={"retriever": Kind.CLIENT},
        step_verbs={"tool": "execute_tool ", "retriever": "retrieval "},
    ),
}
"""By OpenTelemetry's conventions only the application says OK, and a server's span is one that serves a request."""
