"""
What is in force where a call is made: the attribution of the enclosing blocks, and the application's active span.

Everything lives in one context variable, so it follows asyncio tasks by itself and threads by
`contextvars.copy_context`.
"""

import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from types import TracebackType
from typing import Final, NamedTuple, Self

from ._guard import WARNING, guarded, log
from ._identity import fresh_hex
from ._record import NAMES, NO_METADATA, NOBODY, Attribution, SpanParent


class Frame(NamedTuple):
    """One entered block."""

    block: "Block"
    """Who entered: a block leaves only what it has entered itself."""
    attribution: Attribution
    """Its own words over those of the blocks around it."""
    trace_id: str | None
    """A trace of its own, for a block that names a trace and gives no id."""
    outer: "Frame | None"


innermost: Final[ContextVar[Frame | None]] = ContextVar("ramp_tracing_innermost", default=None)
"""The block that is in force here."""


class Block:
    """
    Attribution for every call made inside; the context manager under `ramp_tracing.trace`.

    Leaving never raises, also not from another task than the one that entered (an abandoned async generator).
    One block may be entered several times, by several threads and tasks at once: it keeps no state of its own.

    Attributes:
        given: Its own words.
    """

    __slots__ = ("given",)

    def __init__(self, given: Attribution) -> None:
        self.given: Attribution = given

    def __enter__(self) -> Self:
        with guarded("entering a trace block"):
            outer = innermost.get()
            innermost.set(self.over(outer, self._own_trace_id(outer)))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with guarded("leaving a trace block"):
            innermost.set(_without(innermost.get(), self))

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def over(self, outer: Frame | None, trace_id: str | None) -> Frame:
        """What is in force inside this block where *outer* is around it."""
        attribution = self.given if outer is None else self.given.over(outer.attribution)
        return Frame(self, attribution, trace_id, outer)

    def _own_trace_id(self, outer: Frame | None) -> str | None:
        """The calls of a block that names a trace belong together, also when nobody gave the trace an id."""
        inherited = outer.trace_id if outer is not None else None
        opens_a_trace = self.given.trace_name is not None and self.given.trace_id is None
        return fresh_hex() if opens_a_trace and inherited is None else inherited


def _without(frame: Frame | None, block: Block) -> Frame | None:
    """The blocks in force without *block*, which two generators in turns may leave before one entered later."""
    if frame is None or frame.block is block:
        return None if frame is None else frame.outer
    outer = _without(frame.outer, block)
    return frame if outer is frame.outer else frame.block.over(outer, frame.trace_id)


class Around(NamedTuple):
    """What a library further up says of the call that starts here: the run that the call is part of."""

    given: Attribution
    """Said of the run by the application; blocks around the run are further away, blocks inside are nearer."""
    implied: Attribution
    """Names that nobody gave, and the trace that all calls of the run share: weaker than everything else."""
    since: Frame | None
    """The blocks that were in force when the run began."""
    in_tree: bool = False
    """The runs above are records of their own."""


class InForce(NamedTuple):
    """What a call starts with."""

    attribution: Attribution
    span_parent: SpanParent | None
    in_tree: bool = False
    """As in `Around`."""


NOTHING_IN_FORCE: Final = InForce(NOBODY, None)

Here = tuple[Frame | None, SpanParent | None]
"""The blocks in force, and the application's span."""


def in_force(request: Attribution, defaults: Attribution, around: Around | None = None) -> InForce:
    """
    Who the call that starts here is for.

    Args:
        request: What the request itself says; it goes before every block.
        defaults: What was said to `instrument()`; it goes behind every block.
        around: The run that the call is part of, where a library further up has one.
    """
    return in_force_at(here(), request, defaults, around)


def here() -> Here:
    """Where a call starts: what is in force there follows from it, and can be found out later."""
    return innermost.get(), active_span()


def in_force_at(place: Here, request: Attribution, defaults: Attribution, around: Around | None = None) -> InForce:
    """
    `in_force` for a call that started at *place*.

    Args:
        place: From `here`.
        request: What the request itself says.
        defaults: What was said to `instrument()`.
        around: The run that the call is part of.
    """
    frame, parent = place
    if around is not None:
        return in_force_then(request.over(_inside(around, frame)), defaults, around, parent)
    if frame is None and parent is None and request is NOBODY is defaults:  # so it is for most calls
        return NOTHING_IN_FORCE
    blocks = NOBODY if frame is None else frame.attribution
    attribution = request.over(blocks).over(defaults)
    return InForce(_with_own_trace(attribution, frame, parent), parent)


def blocks_in_force() -> Frame | None:
    """The blocks in force here, to be compared later with those that are in force then."""
    return innermost.get()


def in_force_then(request: Attribution, defaults: Attribution, around: Around, parent: SpanParent | None) -> InForce:
    """
    `in_force` where a run began, which may end somewhere else.

    From the nearest: the request, the run, the blocks around it, the defaults, the names that the run implies.

    Args:
        request: What the request itself says.
        defaults: What was said to `instrument()`.
        around: The run.
        parent: The application's span that was active.
    """
    attribution = request.over(around.given)
    if around.since is not None:
        attribution = attribution.over(around.since.attribution)
    attribution = _with_own_trace(attribution.over(defaults), around.since, parent)
    if attribution.trace_id is not None or parent is None or parent.trace_id == around.implied.trace_id:
        attribution = attribution.over(around.implied)
        if around.in_tree and around.implied.parent_span_id is not None:
            attribution = replace(attribution, parent_span_id=around.implied.parent_span_id)
        return InForce(attribution, parent, around.in_tree)
    return InForce(replace(attribution.over(around.implied), trace_id=None, parent_span_id=None), parent)


def _inside(around: Around, frame: Frame | None) -> Attribution:
    """What the blocks say that were entered since the run began."""
    attribution = NOBODY
    while frame is not None and frame is not around.since:
        attribution = attribution.over(frame.block.given)
        frame = frame.outer
    return attribution


def _with_own_trace(attribution: Attribution, frame: Frame | None, parent: SpanParent | None) -> Attribution:
    if frame is not None and frame.trace_id and attribution.trace_id is None and parent is None:
        return Attribution(trace_id=frame.trace_id).over(attribution)
    return attribution


def active_span() -> SpanParent | None:
    """
    The application's active OpenTelemetry span.

    OpenTelemetry is not imported for this: a process that has not imported it has no active span.
    """
    api = sys.modules.get("opentelemetry.trace")
    current_span = getattr(api, "get_current_span", None)
    if current_span is None:  # not imported, or being imported by another thread just now
        return None
    try:
        span = current_span()
        if span is getattr(api, "INVALID_SPAN", None):  # none: to ask it takes three times as long
            return None
        context = span.get_span_context()
        if context.is_valid:
            return SpanParent(f"{context.trace_id:032x}", f"{context.span_id:016x}")
    except BaseException:
        with guarded("reading the active OpenTelemetry span"):  # entered only now: it takes a part of each call
            raise
    return None


SUPPRESSED: Final = ("suppress_instrumentation", "suppress_http_instrumentation")
"""What instrumentations look for in OpenTelemetry's context: of everything, and of HTTP clients."""


@contextmanager
def untraced() -> Generator[None, None, None]:
    """
    Keep the application's OpenTelemetry instrumentations from tracing what is done inside: our own requests.

    Nothing is imported for this, as in `active_span`.
    """
    context, token = sys.modules.get("opentelemetry.context"), None
    with guarded("suppressing instrumentations"):
        if context is not None:
            suppressed = context.get_current()
            for key in SUPPRESSED:
                suppressed = context.set_value(key, True, suppressed)
            token = context.attach(suppressed)
    try:
        yield
    finally:
        with guarded("ending the suppression of instrumentations"):
            if context is not None and token is not None:
                context.detach(token)


def attribution_of(given: Mapping[str, object]) -> Attribution:
    """
    Attribution from keys and values as users write them: the seven known names, everything else is metadata.

    Args:
        given: ``{"user": …, "session_id": …, "trace_id": …, …, "cost_center": …}``. `None` means not given.
    """
    if not given:
        return NOBODY
    texts = {name: as_text(given.get(name)) for name in NAMES if given.get(name) is not None}
    metadata = {key: value for key, value in given.items() if key not in NAME_SET and value is not None}
    return Attribution(**texts, metadata=metadata or NO_METADATA)


def as_text(value: object) -> str | None:
    """A name or an id as text. Numbers and UUIDs are common here; of anything else no method is called."""
    if isinstance(value, str):
        return value or None
    if (isinstance(value, int) and not isinstance(value, bool)) or _is_uuid(value):
        return str(value)
    if value is not None:
        message = "a user, session or trace name that is no text was left out"
        log.once_a_minute(WARNING, "attribution type", message)
    return None


def _is_uuid(value: object) -> bool:
    """Nothing is imported for this, as in `active_span`: `uuid` starts with what the system is called and has."""
    kind = getattr(sys.modules.get("uuid"), "UUID", None)
    return kind is not None and isinstance(value, kind)


NAME_SET: Final = frozenset(NAMES)
