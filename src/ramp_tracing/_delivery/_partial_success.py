"""
Reading ``ExportTraceServiceResponse``: how many spans a receiver did not take. And the ``Status`` of a refusal.

A number or a text in a few bytes; the protobuf package is not loaded for that.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Final, cast

PARTIAL_SUCCESS: Final = 1
REJECTED_SPANS: Final = 1
STATUS_MESSAGE: Final = 2
VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
MAX_COUNT: Final = 2**31


def refused_spans(body: bytes, content_type: str) -> int:
    """
    Spans that an answer says were refused.

    Args:
        body: The body of a successful answer.
        content_type: Its ``Content-Type``.

    Returns:
        The number; 0 if the answer says nothing that can be understood.
    """
    try:
        count = _from_protobuf(body) if "protobuf" in content_type else _from_json(body)
    except (ValueError, IndexError, RecursionError):
        return 0
    return count if 0 <= count < MAX_COUNT else 0


def status_message(body: bytes) -> str:
    """
    What a refusal says in words; OTLP has a ``google.rpc.Status`` there.

    Args:
        body: The body of an answer in protobuf that is no success.

    Returns:
        The message; empty if the body says none, or nothing that can be understood.
    """
    try:
        said = next(_values(body, STATUS_MESSAGE), b"")
    except (ValueError, IndexError):
        return ""
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else ""


def _from_json(body: bytes) -> int:
    """64-bit integers are texts in OTLP's JSON; receivers write numbers as well, and both kinds of names."""
    answer: object = json.loads(body or b"{}")
    partial = _either(answer, "partialSuccess", "partial_success")
    rejected = _either(partial, "rejectedSpans", "rejected_spans")
    return int(rejected) if isinstance(rejected, int | str) and not isinstance(rejected, bool) else 0


def _either(value: object, name: str, other: str) -> object:
    if not isinstance(value, dict):
        return None
    fields = cast("Mapping[str, object]", value)
    return fields.get(name, fields.get(other))


def _from_protobuf(body: bytes) -> int:
    for partial in _values(body, PARTIAL_SUCCESS):
        if isinstance(partial, bytes):
            for rejected in _values(partial, REJECTED_SPANS):
                return rejected if isinstance(rejected, int) else 0
    return 0


def _values(message: bytes, wanted: int) -> Iterator[int | bytes]:
    """
    The values of one field of a message, in order.

    Raises:
        ValueError: It is no protobuf.
        IndexError: It ends too early.
    """
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind = key & 7
        value: int | bytes
        if kind == VARINT:
            value, at = _varint(message, at)
        else:
            length, at = _length(message, at, kind=kind)
            value, at = message[at : at + length], at + length
        if key >> 3 == wanted:
            yield value


def _length(message: bytes, at: int, *, kind: int) -> tuple[int, int]:
    if kind == LENGTH:
        return _varint(message, at)
    if kind in (FIXED64, FIXED32):
        return (8 if kind == FIXED64 else 4), at
    raise ValueError("unknown wire type")


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 64, 7):
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("a number is too long")
