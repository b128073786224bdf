"""Event streams in AWS's frames: cut into their events, however small the pieces are in which they come."""

import json
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import pytest

from ramp_tracing._normalizers import CHAT
from ramp_tracing._record import NOTHING_READ, Failure, Outcome
from ramp_tracing.integrations._frames import FrameBytes
from ramp_tracing.integrations._streams import StreamWatch

from .frames import event_frame, frame


class Kept:
    """An accumulator that keeps what it is given."""

    all_finished = False

    def __init__(self) -> None:
        self.events: list[object] = []

    def add(self, event: object) -> bool:
        self.events.append(event)
        return False

    def outcome(self) -> Outcome:
        return NOTHING_READ


class Over:
    """The end of a call that has ended."""

    finished = True

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(name)


def events_of(stream: bytes, size: int) -> list[object]:
    kept = Kept()
    watch = StreamWatch(Over(), kept)
    cut = FrameBytes(watch)
    for start in range(0, len(stream), size):
        cut.feed(stream[start : start + size])
    watch.give_up()
    return kept.events


HELLO: Mapping[str, Any] = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hé"}}
STOP: Mapping[str, Any] = {"type": "message_stop"}


@pytest.mark.parametrize("size", [1, 7, 64, 100_000])
def test_events_are_cut_out_of_frames(size: int) -> None:
    """Each frame's payload is an event in base64; a frame that carries none (a new message type) is passed over."""
    stream = event_frame(HELLO) + frame(b'{"p":"abc"}') + frame(b"") + event_frame(STOP)
    assert [HELLO, STOP] == events_of(stream, size)


def test_an_exception_is_an_error_event() -> None:
    """Bedrock sends what goes wrong in the middle of a stream as a frame with a message."""
    [event] = events_of(frame(b'{"message":"Too many tokens"}', {":exception-type": "throttlingException"}), 50)
    accumulator = CHAT.accumulator(1, True)
    accumulator.add(event)
    assert Failure(type="error", message="Too many tokens") == accumulator.outcome().failure


BROKEN: Mapping[str, bytes] = {
    "no frames": b"<html>Bad gateway, and more than twelve bytes of it</html>",
    "a length of nothing": bytes(40),
    "headers longer than the frame": (32).to_bytes(4, "big") + (64).to_bytes(4, "big") + bytes(24),
    "a frame of gigabytes": (2**31).to_bytes(4, "big") + bytes(24),
    "no base64": frame(b'{"bytes":"\\u00fc"}'),
    "no JSON in it": frame(json.dumps({"bytes": b64encode(b"{").decode()}).encode()),
    "half a frame": event_frame(STOP)[:-5],
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_frame_gives_no_event(name: str) -> None:
    """Nothing raises, and after bytes that cannot be frames nothing is taken for one."""
    after = event_frame(STOP) if name in ("no base64", "no JSON in it") else b""
    assert ([STOP] if after else []) == events_of(BROKEN[name] + after, 16)
