"""
What reporting takes on the wire and the disk: `python benchmarks/sizes.py`. A minute; docs/fleets.md has its figures.

Calls are recorded by hand, with a prompt of 2,000 and an answer of 500 characters of ordinary text and four keys of
attribution. Bytes are the same on every machine but for the lengths of numbers; how many requests there are depends on
how fast calls come.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import ramp_tracing
from ramp_tracing.testing import FakeRamp

TEXT: Final = (ramp_tracing.__doc__ or "") + (sys.__doc__ or "")
PROMPT: Final = [{"role": "user", "content": (TEXT * 3)[:2000]}]
ANSWER: Final = [{"role": "assistant", "content": (TEXT * 3)[1000:1500]}]
ATTRIBUTION: Final = {"team": "support", "cost_center": "CC-1234", "project": "P-77", "use_case": "support-chat"}

FORMS: Final[dict[str, dict[str, Any]]] = {
    "JSON": {},
    "JSON, privacy mode": {"privacy_mode": True},
    "protobuf": {"protocol": "http/protobuf"},
}
CALLS: Final = 1_000
SECONDS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """
    What a receiver got.

    Attributes:
        requests: How many requests.
        bytes: Their bodies, as they were sent.
    """

    requests: int
    bytes: int


def record() -> None:
    """One call."""
    ramp_tracing.record_generation(
        provider="openai",
        model="gpt-4o-mini",
        input_tokens=512,
        output_tokens=128,
        input_messages=PROMPT,
        output_messages=ANSWER,
        user="ada",
        metadata=ATTRIBUTION,
    )


@contextmanager
def reporting(**options: Any) -> Iterator[tuple[FakeRamp, Path]]:
    """A receiver and an empty directory, as long as the block lasts."""
    with FakeRamp() as ramp, tempfile.TemporaryDirectory() as state:
        ramp_tracing.instrument(api_key="none", base_url=ramp.url, state_dir=state, exit_timeout_seconds=0.0, **options)
        try:
            yield ramp, Path(state)
        finally:
            ramp_tracing.uninstrument()


def sent(play: Callable[[], None], **options: Any) -> Sent:
    """What goes over the wire for what *play* records."""
    with reporting(**options) as (ramp, _):
        play()
        assert ramp_tracing.flush(60)
        lengths = [int(each.headers["content-length"]) for each in ramp.requests]
    return Sent(requests=len(lengths), bytes=sum(lengths))


def at_once(calls: int) -> Callable[[], None]:
    """Calls as fast as they can be recorded."""

    def play() -> None:
        for _ in range(calls):
            record()

    return play


def steadily(calls_per_second: int) -> Callable[[], None]:
    """Calls one after another, for `SECONDS`."""

    def play() -> None:
        for _ in range(calls_per_second * SECONDS):
            record()
            time.sleep(1 / calls_per_second)

    return play


def on_disk(calls: int) -> int:
    """Bytes that wait on disk for *calls* calls, while the receiver is away."""
    with reporting() as (ramp, state):
        ramp.answer_with(503)
        at_once(calls)()
        return sum(each.stat().st_size for each in state.rglob("*") if each.is_file())


def main() -> None:
    """Print it."""
    for name, options in FORMS.items():
        form = sent(at_once(CALLS), **options)
        print(f"{name}: {form.bytes / CALLS:,.0f} bytes a call, {CALLS / form.requests:.0f} calls a request")
    print(f"on disk while it waits: {on_disk(CALLS) / CALLS:,.0f} bytes a call")
    for rate in (1, 10, 30):
        print(f"{rate} calls a second: {sent(steadily(rate)).requests} requests in {SECONDS} s")


if __name__ == "__main__":
    main()
