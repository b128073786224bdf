"""
Event streams in AWS's binary frames, as Bedrock sends them: https://smithy.io/2.0/aws/amazon-eventstream.html

A frame has a prelude of twelve bytes (its length, the length of its headers, a checksum), headers, a payload and a
checksum. The payload is JSON, and holds the model's own event in base64.
"""

from base64 import b64decode
from typing import Final

from .._normalizers import as_name, dig, parse
from ._streams import StreamWatch

CONTENT_TYPE: Final = "application/vnd.amazon.eventstream"

PRELUDE_BYTES: Final = 12
CHECKSUM_BYTES: Final = 4

MAX_FRAME_BYTES: Final = 8 * 1024 * 1024
"""An event of text has less than a kilobyte; what says more is not in frames, and nothing of it is kept."""


class FrameBytes:
    """Cuts a stream of frames into its events and feeds them to a watch."""

    __slots__ = ("_rest", "_watch")

    def __init__(self, watch: StreamWatch) -> None:
        self._watch = watch
        self._rest: bytearray | None = bytearray()

    def feed(self, piece: bytes) -> None:
        """Take in the next bytes."""
        if self._rest is None:
            return
        self._rest += piece
        while len(self._rest) >= PRELUDE_BYTES:
            size, headers = int.from_bytes(self._rest[:4]), int.from_bytes(self._rest[4:8])
            if not PRELUDE_BYTES + headers + CHECKSUM_BYTES <= size <= MAX_FRAME_BYTES:
                self._rest = None
                return
            if len(self._rest) < size:
                return
            event = event_in(bytes(self._rest[PRELUDE_BYTES + headers : size - CHECKSUM_BYTES]))
            del self._rest[:size]
            if event is not None:
                self._watch.keeps(event)

    def end(self) -> None:
        """There are no more; half a frame says nothing."""


def event_in(payload: bytes) -> object:
    """The event that a frame carries; `None` where it carries none. A frame of an exception has a message instead."""
    value = parse(payload)
    encoded, message = as_name(dig(value, "bytes")), as_name(dig(value, "message"))
    if encoded is None:
        return None if message is None else {"type": "error", "error": {"message": message}}
    try:
        return parse(b64decode(encoded))
    except ValueError:  # no base64
        return None
