"""`ramp_tracing.record_generation`: a call of a library that no integration knows."""

import logging
import os
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from operator import index
from threading import Lock
from types import TracebackType
from typing import Any, Final, Self, SupportsIndex, TypedDict, TypeVar, Unpack, cast
from weakref import ref

from ._capture import snapshot
from ._context import Around, attribution_of
from ._guard import guarded, log
from ._layers import around_here, sink_under
from ._normalizers import as_amount, as_count, as_fields, as_items, as_name, failure_of
from ._normalizers._chat import completion, message_of
from ._record import Cost, Failure, Outcome, UnixNanos, Usage
from ._recorder import Recording, Request
from ._state import Holder, Sink, state

Read = TypeVar("Read")


class Facts(TypedDict, total=False):
    """
    What can be said of a call by hand. What is not known is left out, and is never reported as 0.

    Counts are inclusive: ``input_tokens`` contains cached tokens, ``output_tokens`` contains reasoning.
    """

    provider: str
    model: str
    response_model: str
    operation: str
    input_tokens: int
    output_tokens: int
    total_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int
    cache_write_12h_tokens: int
    reasoning_tokens: int
    input_audio_tokens: int
    output_audio_tokens: int
    input_image_tokens: int
    output_image_tokens: int
    input_messages: Any
    output_messages: Any
    cost: Decimal | int | str | float
    started: datetime | int
    ended: datetime | int
    response_id: str
    finish_reason: str
    service_tier: str
    error: BaseException | str
    streamed: bool
    server_address: str
    generation_name: str
    user: str
    session_id: str
    metadata: Any


class record_generation:  # noqa: N801 - used as a statement
    """
    Record one model call of a library that no integration knows.

    As a statement it records at once; keep no reference to it then, because it ends with its last one. As a context
    manager it times the block, notes its exception (which goes on), and takes what becomes known inside through
    `update`. The record takes the same road as every other. In a tool, a node or a model of LangChain's it has their
    names, and is the model's call; in a provider of your own that LiteLLM asks it is LiteLLM's. What is
    no answer of such a model is named at once (``operation="embeddings"``): `update` comes too late for that. Nothing
    here raises, and nothing happens while nothing is instrumented.

    Args:
        **facts: See `Facts`. ``cost`` is in US dollars and counts as reported by the provider; without it the price
            lists are asked, also by what people call a provider (``OpenAI``, ``google``, ``bedrock``…). ``started`` and
            ``ended`` are aware datetimes or nanoseconds since 1970. ``metadata`` is a mapping, as for `trace`. What
            cannot be what it is given as (a count that is no number, an instant in 1970) is left out, with a warning.

    Example:
        >>> ramp_tracing.record_generation(provider="acme", model="acme-1", input_tokens=42, output_tokens=7)
        >>> with ramp_tracing.record_generation(provider="acme", model="acme-1") as call:
        ...     answer = acme.ask("…")
        ...     call.update(input_tokens=answer.tokens_in, output_tokens=answer.tokens_out)
    """

    __slots__ = ("__weakref__", "_around", "_facts", "_open", "_process", "_sink", "_started", "_started_monotonic")

    def __init__(self, **facts: Unpack[Facts]) -> None:
        self._started = time.time_ns()
        self._started_monotonic = time.perf_counter_ns()
        self._facts: dict[str, Any] = {}
        self._open = Lock()
        self._process = os.getpid()
        self.update(**facts)
        self._around: Around | None = None
        self._sink: Sink | None = None
        if state.sink is not None:
            if state.runs or state.layers:
                self._look_above(state.sink)
            state.by_hand[id(self)] = ref(self)
        else:
            self._open.acquire()

    def _look_above(self, sink: Holder) -> None:
        """Find out who else may tell of this call: here, and not where it ends, which may be anywhere."""
        with guarded("looking for who stands above a record by hand"):
            answers = self._facts.get("operation", "chat") in ANSWERS
            self._around = around_here(answers=answers)
            promised = sink_under(sink) if answers else sink
            self._sink = None if promised is sink else promised

    def update(self, **facts: Unpack[Facts]) -> None:
        """Add what has become known; see `Facts`."""
        if not FACT_NAMES.issuperset(facts):
            name = min(facts.keys() - FACT_NAMES)[:40]
            log.once_a_minute(logging.WARNING, "unknown fact", f"record_generation knows no {name!r}; it was left out")
        self._facts.update({name: value for name, value in facts.items() if value is not None})

    def give_up(self) -> None:
        """Record what is known so far; later endings do nothing."""
        self._end(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end(error)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end(error)

    def __del__(self) -> None:
        """The statement form: nobody keeps the object, so it ends where the statement does."""
        self._end(None)

    def _end(self, error: BaseException | None) -> None:
        sink = self._sink or state.sink
        # Taken once, released never: one of all racing endings gets it. A forked child has only a copy of the call.
        if not self._open.acquire(blocking=False) or self._process != os.getpid():
            return
        state.by_hand.pop(id(self), None)
        if sink is None:
            return
        with guarded("recording by hand"):
            facts = self._facts
            recording = Recording(sink, _request(facts, self._around, keeps_content=sink.keeps_content))
            recording.between(*self._times())
            failure = _failure(facts.get("error") if error is None else error)
            if failure is None:
                recording.succeed(_outcome(facts))
            else:
                recording.fail(failure, _outcome(facts))

    def _times(self) -> tuple[UnixNanos, UnixNanos]:
        """Where the end alone is said, and is long past, it is the beginning too: prices and reports go by that."""
        began = _instant(self._facts, "started")
        ended = _instant(self._facts, "ended")
        if ended is None:
            ended = UnixNanos(self._started + time.perf_counter_ns() - self._started_monotonic)
        started = UnixNanos(min(self._started, ended)) if began is None else began
        return started, max(started, ended)


FACT_NAMES: Final = frozenset(Facts.__annotations__)

ANSWERS: Final = frozenset(
    {"chat", "completion", "generate_content", "message", "messages", "responses", "text_completion"}
)
"""What the answer of a model of LangChain's can come from, in whose code it is recorded: that is one call then."""

USAGE_FACTS: Final = (
    "input_tokens",
    "output_tokens",
    "total_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "cache_write_12h_tokens",
    "reasoning_tokens",
    "input_audio_tokens",
    "output_audio_tokens",
    "input_image_tokens",
    "output_image_tokens",
)


def _request(facts: Mapping[str, Any], around: Around | None, *, keeps_content: bool) -> Request:
    names = {name: facts[name] for name in ("user", "session_id", "generation_name") if name in facts}
    messages = facts.get("input_messages")
    content, size = (None, 0) if messages is None or not keeps_content else snapshot({"messages": messages})
    return Request(
        operation=as_name(facts.get("operation")) or "chat",
        library="manual",
        provider=as_name(facts.get("provider")),
        server_address=as_name(facts.get("server_address")),
        request_model=as_name(facts.get("model")),
        streamed=facts.get("streamed") is True,
        attribution=attribution_of({**as_fields(facts["metadata"]), **names} if "metadata" in facts else names),
        content=content,
        content_bytes=size,
        around=around,
    )


def _outcome(facts: Mapping[str, Any]) -> Outcome:
    counts: dict[str, Any] = {name: _read(facts, name, _count) for name in USAGE_FACTS if name in facts}
    reason = as_name(facts.get("finish_reason"))
    cost = _read(facts, "cost", as_amount)
    answer = facts.get("output_messages")
    return Outcome(
        response_id=as_name(facts.get("response_id")),
        response_model=as_name(facts.get("response_model")),
        finish_reasons=() if reason is None else (reason,),
        service_tier=as_name(facts.get("service_tier")),
        usage=Usage(**counts),
        cost=None if cost is None else Cost(total=cost, source="provider"),
        output=None if answer is None else _answered(answer),
    )


def _answered(answer: object) -> object:
    """A single message is reported like that of a chat completion, of which receivers read the text."""
    kind: type[object] = type(answer)  # of a subclass of list no method is called
    messages = tuple(as_items(answer)) if kind is list else ()
    if len(messages) == 1 and "content" in as_fields(messages[0]):
        return completion([message_of({"message": messages[0]})])
    return {"completion": answer}


PLAIN: Final = frozenset({bool, int, float, dict, list, tuple})
"""Of whom it is safe to ask whether they are empty: another class may do anything then."""


def _failure(error: object) -> Failure | None:
    """What went wrong; an empty text or collection, 0 and false say that nothing did."""
    if isinstance(error, BaseException):
        return failure_of(error)
    if error is None or ((type(error) in PLAIN or isinstance(error, str)) and not error):
        return None
    return Failure(type="error", message=as_name(error), status_code=as_count(error))


def _read(facts: Mapping[str, Any], name: str, reader: Callable[[object], Read | None]) -> Read | None:
    """A fact, by its reader; with a warning where something was given that it makes nothing of."""
    given = facts.get(name)
    if given is None:
        return None
    read = reader(given)
    if read is None:
        log.once_a_minute(
            logging.WARNING, f"unusable {name}", f"record_generation cannot use the {name} that it was given; left out"
        )
    return read


def _count(value: object) -> int | None:
    """A count; NumPy's and PyTorch's integers are no `int`, but say which one they stand for."""
    if isinstance(value, bool) or not hasattr(type(value), "__index__"):
        return as_count(value)
    try:
        return as_count(index(cast("SupportsIndex", value)))
    except (TypeError, ValueError, RuntimeError):  # an array of several
        return None


def _instant(facts: Mapping[str, Any], name: str) -> UnixNanos | None:
    return _read(facts, name, _as_instant)


EARLIEST: Final = 10**17
"""Nanoseconds until 1973: less was meant as seconds, or as milliseconds."""


def _as_instant(value: object) -> UnixNanos | None:
    """A naive datetime means local time, as everywhere in Python; of the first and the last days there is none."""
    if isinstance(value, datetime):
        try:
            value = round(value.timestamp() * 1_000_000) * 1_000
        except (ValueError, OverflowError, OSError):
            return None
    count = _count(value)
    return None if count is None or count < EARLIEST else UnixNanos(count)
