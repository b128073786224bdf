"""The demo against the real endpoints."""

import os
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

from rich.console import Console

import ramp_tracing

from ...testing import ReceivedSpan
from .._spend import print_spend
from ._steps import Payer, Step

NEEDED: Final = ("OPENAI_API_KEY", "RAMP_API_KEY")

OPENAI: Final = "https://api.openai.com/v1"

FLUSH_SECONDS: Final = 30.0

WHO: Final = Payer(user="ramp-tracing-demo", department="demo", cost_center="demo")


def _chat(text: str, **more: object) -> Step:
    messages = [{"role": "user", "content": text}]
    return Step(
        arguments={"model": "gpt-4o-mini", "messages": messages, "max_completion_tokens": 16, **more}, payer=WHO
    )


LIVE_STEPS: Final = (
    _chat("Say hello."),
    _chat("Say goodbye.", stream=True),
    Step(method="embeddings.create", arguments={"model": "text-embedding-3-small", "input": "hello"}, payer=WHO),
)
"""Made twice, they cost less than a hundredth of a cent. They are real, so Ramp counts them."""


def run_live(console: Console) -> bool:
    """
    Call OpenAI, report to Ramp, show the spend.

    Returns:
        Whether Ramp acknowledged one record for each call.
    """
    missing = [name for name in NEEDED if not os.environ.get(name)]
    if missing:
        console.print(f"The live demo calls OpenAI and reports to Ramp; please set {' and '.join(missing)} first.")
        console.print("Without --live the demo needs no keys and stays on this machine.")
        return False
    from ._calls import make_calls  # loads the openai client

    copies = Copies()
    ramp_tracing.instrument(
        "openai", trace={"project": "demo"}, span_exporters=(copies,), exporter_dialect="openrouter"
    )
    try:
        base_urls = {"openai": os.environ.get("OPENAI_BASE_URL") or OPENAI}
        made = make_calls(LIVE_STEPS, base_urls, api_key=os.environ["OPENAI_API_KEY"])
        acknowledged = ramp_tracing.flush(FLUSH_SECONDS)
        counts = ramp_tracing.stats()
    finally:
        ramp_tracing.uninstrument()
    print_spend(console, copies.generations)
    console.print(f"{len(made)} calls made, {counts.acknowledged} acknowledged by Ramp.", style="bold")
    return acknowledged and counts.acknowledged == len(made)


class Copies:
    """An OpenTelemetry span exporter that keeps what Ramp is sent. Its methods are those of the interface."""

    def __init__(self) -> None:
        self.generations: list[ReceivedSpan] = []

    def export(self, spans: Iterable[Any]) -> None:
        """Keep the spans that are billable calls."""
        self.generations += [copy for each in spans if (copy := _copy_of(each)).is_generation]

    def force_flush(self, timeout_millis: int = 0) -> bool:
        """Nothing waits here."""
        return True

    def shutdown(self) -> None:
        """Nothing to end."""


def _copy_of(span: Any) -> ReceivedSpan:
    return ReceivedSpan(
        name=span.name,
        trace_id=f"{span.context.trace_id:032x}",
        span_id=f"{span.context.span_id:016x}",
        start=span.start_time,
        end=span.end_time,
        status=span.status.status_code.value,
        attributes={key: _exact(value) for key, value in span.attributes.items()},
    )


def _exact(value: object) -> object:
    return Decimal(str(value)) if isinstance(value, float) else value
