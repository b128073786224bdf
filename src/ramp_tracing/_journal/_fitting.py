"""Makes the rare record fit a line that is too long for it, or that holds what JSON cannot."""

import hashlib
from collections.abc import Callable, Mapping
from decimal import Context, Decimal
from typing import Any, Final, NamedTuple, cast

import orjson

from .._capture import clean_text, metadata_value
from ._fields import plain_metadata

MAX_BODY_WITHOUT_METADATA: Final = 3000
"""Metadata says who pays: a thousand bytes are kept for it before any other text is written out in full."""

METADATA_FRAME_BYTES: Final = len(b',"for":{,"metadata":{}},"in_memory":["content","message","metadata"]')

TEXT_LIMITS: Final = (1000, 250, 100, 40, 16)
"""What texts are cut to, in bytes, if nothing longer fits. The last one always does: a record has some twenty texts."""

BYTES_PER_ITEM: Final = 8
"""Lists and foreign mappings are cut together with texts: to an item for so many bytes of a text."""

MAX_ID_CHARACTERS: Final = 200
MAX_KEY_CHARACTERS: Final = 256
TRACE_ID_CHARACTERS: Final = 32
SPAN_ID_CHARACTERS: Final = 16
MAX_INTEGER: Final = 2**63

MAX_DECIMAL_CHARACTERS: Final = 40

MONEY: Final = Context(prec=28)
"""More digits than anyone bills; a longer number is rounded."""

SPACES: Final = dict.fromkeys(range(0x20), " ")
"""Control characters take six bytes each in JSON."""


class Fitted(NamedTuple):
    """A record that fits."""

    body: bytes
    metadata: Mapping[str, object] | None
    """All of it, if some of it had no room; else `None`."""


def json_of(members: Mapping[str, object]) -> bytes | None:
    """JSON; `None` if something in *members* cannot be JSON."""
    try:
        return _dumped(members)
    except TypeError:
        return None


def _dumped(members: Mapping[str, object]) -> bytes:
    return orjson.dumps(members, default=_decimal_text)


def _decimal_text(value: object) -> str:
    if type(value) is not Decimal:
        raise TypeError
    text = str(value)
    return text if len(text) <= MAX_DECIMAL_CHARACTERS else str(MONEY.create_decimal(value))


def fitted(members: dict[str, object], metadata: Mapping[str, object], *, max_bytes: int) -> Fitted:
    """
    The JSON of *members* within a bound, whatever they are: texts are cut, metadata is left out.

    Args:
        members: As they were to be written. Their ids are changed if they are too long.
        metadata: Of the record, as it was given.
        max_bytes: For the JSON without the member that says what is left out: some thousand at least.
    """
    plain = _sound(metadata)
    cast("dict[str, object]", members.get("for", {})).pop("metadata", None)
    _shorten_ids(members)
    cut, body = _cut_to(members, MAX_BODY_WITHOUT_METADATA if plain else max_bytes)
    there = _that_fit(plain, max_bytes - len(body) - METADATA_FRAME_BYTES)
    if there:
        cast("dict[str, object]", cut.setdefault("for", {}))["metadata"] = there
    left_out = len(there) < len(plain)
    if left_out:
        cut["in_memory"] = [*cast("list[object]", cut.get("in_memory", [])), "metadata"]
    return Fitted(_dumped(cut), plain if left_out else None)


def size_of(key: str, value: object) -> int:
    """The bytes that a member takes, with the colon and the comma."""
    return len(orjson.dumps((key, value)))


def _cut_to(members: Mapping[str, object], max_bytes: int) -> tuple[dict[str, object], bytes]:
    cut, body = _cut_members(members, TEXT_LIMITS[0]), b""
    for limit in TEXT_LIMITS:
        cut = _cut_members(members, limit)
        body = _dumped(cut)
        if len(body) <= max_bytes:
            break
    return cut, body


def _shorten_ids(members: dict[str, object]) -> None:
    """Make ids fit so that they still tell calls and traces apart."""
    members["id"] = _short_id(cast("str", members["id"]))
    attribution = cast("dict[str, object]", members.get("for", {}))
    trace_id = attribution.get("trace")
    if isinstance(trace_id, str) and not _is_short(trace_id, TRACE_ID_CHARACTERS):
        # What is no trace id is hashed when it is sent; done here, the result is the same.
        attribution["trace"] = _digest(trace_id)
    parent = cast("list[str]", members.get("parent", []))
    if list(map(len, parent)) != [TRACE_ID_CHARACTERS, SPAN_ID_CHARACTERS] or not "".join(parent).isalnum():
        members.pop("parent", None)


def _short_id(identity: str) -> str:
    if _is_short(identity, MAX_ID_CHARACTERS):
        return identity
    return f"{clean_text(identity[:100]).translate(SPACES)}-{_digest(identity)}"


def _is_short(text: str, max_characters: int) -> bool:
    return len(text) <= max_characters and clean_text(text) == text


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:TRACE_ID_CHARACTERS]


def _sound(metadata: Mapping[str, object]) -> dict[str, object]:
    plain = plain_metadata(metadata) or {}
    return {_sound_key(key): metadata_value(value) for key, value in plain.items()}


def _sound_key(key: object) -> str:
    text = key if isinstance(key, str) else str(metadata_value(key))
    return clean_text(text)[:MAX_KEY_CHARACTERS]


def _that_fit(metadata: Mapping[str, object], room: int) -> dict[str, object]:
    """As many members as have room, in order; one that is too long leaves its room to those behind it."""
    there: dict[str, object] = {}
    for key, value in metadata.items():
        size = size_of(key, value)
        if size <= room:
            room -= size
            there[key] = value
    return there


def _cut_members(members: Mapping[str, object], limit: int) -> dict[str, object]:
    return {key: _cut(value, limit, BY_KEY.get(key)) for key, value in members.items()}


def _cut(value: object, limit: int, cutter: "Cutter | None" = None) -> object:
    """*value* of a member without what JSON cannot hold, and with its texts cut."""
    cutter = cutter or BY_TYPE.get(type(value), _cut_anything)
    return cutter(value, limit)


def _cut_anything(value: object, limit: int) -> object:
    """What nobody expects here."""
    plain = metadata_value(value)
    return _cut_text(plain, limit) if isinstance(plain, str) else plain


def _cut_text(text: str, limit: int) -> str:
    fits = len(text) * 6 <= limit  # no character takes more
    text = clean_text(text[:limit])
    return text if fits else text.translate(SPACES).encode()[:limit].decode(errors="ignore")


def _cut_items(items: Any, limit: int) -> list[object]:
    return [_cut(item, limit) for item in items[: limit // BYTES_PER_ITEM]]


def _cut_foreign(members: dict[object, object], limit: int) -> dict[str, object]:
    """A mapping whose keys are not ours."""
    items = list(members.items())[: limit // BYTES_PER_ITEM]
    return {_cut_text(_sound_key(key), limit): _cut(item, limit) for key, item in items}


def _cut_integer(number: int, _limit: int) -> int | None:
    """A number that 64 bits cannot hold is no count and no instant: then it is not known."""
    return number if -MAX_INTEGER <= number < MAX_INTEGER else None


def _as_it_is(value: object, _limit: int) -> object:
    return value


Cutter = Callable[[Any, int], object]

BY_TYPE: Final[Mapping[type, Cutter]] = {
    str: _cut_text,
    int: _cut_integer,
    bool: _as_it_is,
    float: _as_it_is,
    Decimal: _as_it_is,
}
BY_KEY: Final[Mapping[str, Cutter]] = {
    **dict.fromkeys(("id", "trace", "parent", "in_memory"), _as_it_is),
    **dict.fromkeys(("time", "usage", "cost", "failure", "for"), _cut_members),
    **dict.fromkeys(("parameters", "tool_calls"), _cut_foreign),
    "finish": _cut_items,
}
"""Goes before the type. Ids are short by now, and mean something else if they are cut."""
