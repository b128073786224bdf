"""
The members of a journal line, one row each: what a field is called there, and how it gets in and out again.

A row may be added at any time. One that is not in a line keeps its default, one that nobody here knows is passed over,
and so is one that cannot be read: the rest of a record is worth sending without it.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from math import isfinite
from typing import Any, Final, NamedTuple, cast, get_args

from .._capture import metadata_value
from .._guard import guarded
from .._normalizers import FORMATS
from .._record import (
    NO_METADATA,
    NOBODY,
    Attribution,
    Cost,
    Failure,
    Generation,
    GenerationId,
    Lean,
    Role,
    SpanParent,
    Timing,
    UnixNanos,
    Usage,
    answered_by,
    changed,
)

MAX_METADATA_KEYS: Final = 100
"""Sixty-four are sent at most, and a handful of names are not sent as metadata; the rest is for that warning."""

MAX_PLAIN_CHARACTERS: Final = 500
"""A text up to here is written as it is; a longer one is looked at first: it may be a file, or without an end."""

ROLES: Final = frozenset(get_args(Role))

Members = Mapping[str, object]
"""A JSON object."""

_items_of_dict: Any = vars(dict)["items"]

Write = Callable[[Any], object]
"""From a field's value to JSON; `None` leaves it out."""

WriteRecord = Callable[[object], dict[str, object] | None]
"""From a record to a JSON object; `None` if that would be empty."""

Read = Callable[[object], Any]
"""The way back. Raises `TypeError`, `ValueError` or `ArithmeticError` for what it cannot read."""


class Row(NamedTuple):
    """One member."""

    key: str
    name: str
    """Of the field."""
    read: Read
    write: Write | None = None
    """`None` where the value is JSON already."""


class Table:
    """
    The members of one kind of record.

    Args:
        rows: In the order in which they stand in a line.
    """

    def __init__(self, *rows: Row) -> None:
        self._rows = rows

    @property
    def counts(self) -> Sequence[str]:
        """The fields that hold whole numbers."""
        return [row.name for row in self._rows if row.read is _integer]

    @cached_property
    def _by_key(self) -> Mapping[str, Row]:
        return {row.key: row for row in self._rows}

    @cached_property
    def write(self) -> WriteRecord:
        """
        Says what a record has to say; `None` if that is nothing.

        A function that is made of the rows, as `dataclasses` makes its methods. It runs on the application's threads,
        for each call, and of fifty values nearly all are None: a loop over them takes four times as many instructions.
        """
        writers = {f"write_{row.name}": row.write for row in self._rows if row.write is not None}
        lines = ["def write(record):", "  members = {}", *map(_writing, self._rows), "  return members or None"]
        exec("\n".join(lines), writers)
        return cast("WriteRecord", writers["write"])

    @cached_property
    def _by_name(self) -> Mapping[str, Row]:
        return {row.name: row for row in self._rows}

    def read(self, members: object) -> dict[str, Any]:
        """Values by field, of what is there and can be read."""
        return self._read(members, self._by_key)

    def read_named(self, members: Members) -> dict[str, Any]:
        """The same of members that have the names of their fields."""
        return self._read(members, self._by_name)

    def _read(self, members: object, rows: Mapping[str, Row]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key, written in _object(members).items():
            row = rows.get(key)
            if row is not None:
                try:
                    values[row.name] = row.read(written)
                except (TypeError, ValueError, ArithmeticError):
                    continue
        return values


def _writing(row: Row) -> str:
    """The lines that put one member in its place."""
    lines = [f"value = record.{row.name}", "if value is not None:", f"  members[{row.key!r}] = value"]
    if row.write is not None:
        lines[2:] = [f"  value = write_{row.name}(value)", *(f"  {line}" for line in lines[1:])]
    return "\n".join(f"  {line}" for line in lines)


def plain_metadata(metadata: Mapping[str, object]) -> dict[str, object] | None:
    """Metadata as JSON, at most `MAX_METADATA_KEYS` of it; no method of a value is called, nor of a class of theirs."""
    if metadata is NO_METADATA:
        return None
    plain: dict[str, object] = {}
    with guarded("reading metadata"):  # a mapping that is no dictionary may do anything
        for key, value in _items_of_dict(metadata) if isinstance(metadata, dict) else metadata.items():
            written = value if is_written_as_it_is(value) else metadata_value(value)
            if written is not None:
                plain[key] = written
                if len(plain) == MAX_METADATA_KEYS:
                    break
    return plain or None


def is_written_as_it_is(value: object) -> bool:
    """Whether a value of metadata stands in a line as it is, and is the same when it is read back."""
    if type(value) is str:
        return len(value) <= MAX_PLAIN_CHARACTERS
    return type(value) is int or type(value) is bool or (type(value) is float and isfinite(value))


def _record(table: "Table", kind: Callable[..., Any]) -> Read:
    """A reader of records of a kind, made of the members that its table knows."""

    def read(members: object) -> Any:
        return kind(**table.read(members))

    return read


def _changing(table: "Table", record: Any) -> Read:
    """The same for a kind of many fields, none of which has to be there: *record* is one without any."""

    def read(members: object) -> Any:
        return changed(record, **table.read(members))

    return read


def _object(value: object) -> Members:
    if not isinstance(value, dict):
        raise TypeError
    return cast("Members", value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _integer(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError
    return value


def _flag(value: object) -> bool:
    return value is True


def _decimal(value: object) -> Decimal:
    return Decimal(_text(value))


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError
    return tuple(_text(each) for each in cast("list[object]", value))


def _span_parent(value: object) -> SpanParent:
    trace_id, span_id = _texts(value)
    return SpanParent(trace_id, span_id)


def _counts(value: object) -> Mapping[str, int]:
    return {kind: _integer(count) for kind, count in _object(value).items()}


def _numbers(value: object) -> Mapping[str, float]:
    """Numbers by name; JSON has no word for those that are not finite, and no request for them either."""
    return {name: each for name, each in _object(value).items() if isinstance(each, int | float)}


def _role(value: object) -> str:
    if value not in ROLES:
        raise ValueError
    return _text(value)


def _unless_call(role: str) -> object:
    return None if role == "call" else role


def _or_nothing(value: Any) -> object:
    """What is empty or False is the default, and left out."""
    return value or None


def _dict_or_nothing(value: Mapping[str, object]) -> object:
    return dict(value) if value else None


TIMING: Final = Table(
    Row("start", "started", _integer),
    Row("first", "first_chunk", _integer),
    Row("end", "ended", _integer),
)
USAGE: Final = Table(
    Row("input", "input_tokens", _integer),
    Row("output", "output_tokens", _integer),
    Row("total", "total_tokens", _integer),
    Row("cache_read", "cache_read_tokens", _integer),
    Row("cache_write", "cache_write_tokens", _integer),
    Row("cache_write_5m", "cache_write_5m_tokens", _integer),
    Row("cache_write_1h", "cache_write_1h_tokens", _integer),
    Row("cache_write_12h", "cache_write_12h_tokens", _integer),
    Row("reasoning", "reasoning_tokens", _integer),
    Row("input_audio", "input_audio_tokens", _integer),
    Row("output_audio", "output_audio_tokens", _integer),
    Row("input_image", "input_image_tokens", _integer),
    Row("output_image", "output_image_tokens", _integer),
    Row("input_video", "input_video_tokens", _integer),
    Row("cached_audio", "cached_audio_tokens", _integer),
    Row("cached_image", "cached_image_tokens", _integer),
    Row("accepted", "accepted_prediction_tokens", _integer),
    Row("rejected", "rejected_prediction_tokens", _integer),
    Row("characters", "input_characters", _integer),
    Row("audio_seconds", "audio_seconds", _decimal),
    Row("video_seconds", "video_seconds", _decimal),
    Row("images", "images", _integer),
    Row("tool_calls", "hosted_tool_calls", _counts, _dict_or_nothing),
    Row("estimated", "estimated", _flag, _or_nothing),
)
COST: Final = Table(
    Row("total", "total", _decimal),
    Row("input", "input", _decimal),
    Row("output", "output", _decimal),
    Row("source", "source", _text),
    Row("list", "price_list", _text),
    Row("date", "price_date", _text),
)
FAILURE: Final = Table(
    Row("type", "type", _text),
    Row("status", "status_code", _integer),
    Row("code", "code", _text),
)
"""Without its message, which can quote the prompt."""

ATTRIBUTION: Final = Table(
    Row("user", "user", _text),
    Row("session", "session_id", _text),
    Row("trace", "trace_id", _text),
    Row("trace_name", "trace_name", _text),
    Row("span_name", "span_name", _text),
    Row("generation_name", "generation_name", _text),
    Row("parent_span", "parent_span_id", _text),
    Row("metadata", "metadata", _object, plain_metadata),
)


def _attribution(attribution: Attribution) -> object:
    return None if attribution is NOBODY else ATTRIBUTION.write(attribution)


GENERATION: Final = Table(
    Row("id", "id", _text),
    Row("time", "timing", _record(TIMING, Timing), TIMING.write),
    Row("operation", "operation", _text),
    Row("library", "library", _text),
    Row("provider", "provider", _text),
    Row("upstream", "upstream_provider", _text),
    Row("host", "server_address", _text),
    Row("port", "server_port", _integer),
    Row("asked", "request_model", _text),
    Row("model", "response_model", _text),
    Row("response", "response_id", _text),
    Row("finish", "finish_reasons", _texts, _or_nothing),
    Row("native_finish", "native_finish_reason", _text),
    Row("tier", "service_tier", _text),
    Row("geo", "inference_geo", _text),
    Row("streamed", "streamed", _flag, _or_nothing),
    Row("parameters", "parameters", _numbers, _dict_or_nothing),
    Row("retries", "retries", _integer),
    Row("usage", "usage", _changing(USAGE, Usage()), USAGE.write),
    Row("cost", "cost", _record(COST, Cost), COST.write),
    Row("pending", "pending", _flag, _or_nothing),
    Row("job", "job", _flag, _or_nothing),
    Row("failure", "failure", _record(FAILURE, Failure), FAILURE.write),
    Row("role", "role", _role, _unless_call),
    Row("for", "attribution", _changing(ATTRIBUTION, NOBODY), _attribution),
    Row("parent", "span_parent", _span_parent, list),
    Row("content_lost", "content_lost", _flag, _or_nothing),
    Row("key_hash", "api_key_hash", _text),
)


BLANK: Final = Generation(
    id=GenerationId(""), operation="", library="", timing=Timing(started=UnixNanos(0), ended=UnixNanos(0))
)
"""A record before it is read. The constructor would make the same, field by field, in four times as long."""

PLACE: Final = "place"
"""Of a record whose answer nobody has read: what is the same for all calls to one place, with the names of fields."""

FORMAT: Final = "format"
ANSWER: Final = "answer"
"""The lean part of that answer, and the wire format that it is in."""


def told_of(lean: Lean) -> dict[str, object]:
    """The members that few records have whose answer has not been read."""
    members: dict[str, object] = {}
    if lean.cost is not None:
        members["cost"] = COST.write(lean.cost)
    if lean.role != "call":
        members["role"] = lean.role
    if lean.attribution is not NOBODY:
        members["for"] = ATTRIBUTION.write(lean.attribution)
    if lean.span_parent is not None:
        members["parent"] = list(lean.span_parent)
    if lean.api_key_hash is not None:
        members["key_hash"] = lean.api_key_hash
    return members


def is_readable(members: Members) -> bool:
    """Whether there is what every record has."""
    try:
        place = _object(members.get(PLACE, members))
        for text in (members["id"], place["operation"], place["library"]):
            _text(text)
        for instant in (_object(members["time"])["start"], _object(members["time"])["end"]):
            _integer(instant)
    except (LookupError, TypeError, ValueError):
        return False
    return True


def generation_of(members: Members) -> Generation | None:
    """The record; `None` if it lacks what every record has."""
    if not is_readable(members):
        return None
    generation = changed(BLANK, **GENERATION.read(members))
    place = members.get(PLACE)
    if isinstance(place, dict):
        generation = changed(generation, **GENERATION.read_named(cast("Members", place)))
    format = FORMATS.get(str(members.get(FORMAT)))
    if format is not None:
        with guarded("reading an answer"):
            return answered_by(generation, format.read(members.get(ANSWER)))
    return generation
