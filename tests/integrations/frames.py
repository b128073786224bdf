"""Frames of AWS's event streams, as Bedrock sends them: https://smithy.io/2.0/aws/amazon-eventstream.html"""

import json
from base64 import b64encode
from binascii import crc32
from collections.abc import Mapping
from typing import Any

STRING = 7
"""The type of a header's value."""

CHUNK: Mapping[str, str] = {":message-type": "event", ":event-type": "chunk", ":content-type": "application/json"}
"""The headers of a piece of an answer."""


def frame(payload: bytes, headers: Mapping[str, str] = CHUNK) -> bytes:
    """One frame."""
    packed = b"".join(_header(name.encode(), value.encode()) for name, value in headers.items())
    lengths = _number(12 + len(packed) + len(payload) + 4) + _number(len(packed))
    whole = lengths + _number(crc32(lengths)) + packed + payload
    return whole + _number(crc32(whole))


def event_frame(event: Any) -> bytes:
    """The frame of one event of a model's stream."""
    return frame(json.dumps({"bytes": b64encode(json.dumps(event).encode()).decode()}).encode())


def _header(name: bytes, value: bytes) -> bytes:
    return bytes([len(name)]) + name + bytes([STRING]) + len(value).to_bytes(2, "big") + value


def _number(value: int) -> bytes:
    return value.to_bytes(4, "big")
