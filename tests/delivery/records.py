"""Records to send, and a configuration to send them with."""

import hashlib

from ramp_tracing._config import Config, resolve
from ramp_tracing._record import Content, Generation, GenerationId, Timing, UnixNanos, Usage

KEY = "ramp_key_that_nobody_may_see_0001"


def config_for(url: str, **options: object) -> Config:
    """A configuration for a receiver on loopback."""
    return resolve({"api_key": KEY, "base_url": url, **options}, {})


def generation(number: int, *, text: str | None = None) -> Generation:
    """A call; with content if there is a *text*."""
    return Generation(
        id=GenerationId(f"gen-{number}"),
        operation="chat",
        library="openai",
        timing=Timing(started=UnixNanos(10**18), ended=UnixNanos(10**18 + 10**9)),
        provider="openai",
        request_model="gpt-4o",
        response_model="gpt-4o",
        usage=Usage(input_tokens=10, output_tokens=number),
        content=None if text is None else content(text),
    )


def content(text: str) -> Content:
    """What was asked and answered."""
    return Content(
        input={"messages": [{"role": "user", "content": text}]},
        output={"completion": "yes"},
        size_bytes=len(text),
    )


def span_id(number: int) -> str:
    """The id of the span of a `generation`."""
    return hashlib.sha256(f"gen-{number}".encode()).hexdigest()[:16]


def span_ids(*numbers: int) -> list[str]:
    """The ids of the spans of some of them."""
    return [span_id(number) for number in numbers]
