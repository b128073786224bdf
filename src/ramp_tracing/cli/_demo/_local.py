"""The demo on this machine alone."""

from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Any, Final

from rich.console import Console

import ramp_tracing

from ...testing import FakeRamp, ReceivedSpan
from .._spend import print_spend
from ._models import ModelServers, model_servers
from ._steps import CALL, STEPS

KEY: Final = "ramp_demo_key_of_no_value"

FLUSH_SECONDS: Final = 15.0
"""Loading what the sending needs takes about a second, on a busy machine a few."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoRun:
    """
    What happened.

    Attributes:
        made: The names of the calls that the application made.
        answered: How many calls the providers saw.
        received: What arrived at the receiver.
        acknowledged: Whether everything was sent and confirmed.
    """

    made: Sequence[str]
    answered: int
    received: Sequence[ReceivedSpan]
    acknowledged: bool


def run_local(console: Console) -> bool:
    """
    Make the calls, show the spend.

    Returns:
        Whether every call arrived, and arrived once.
    """
    with model_servers() as servers, FakeRamp(api_key=KEY) as ramp, TemporaryDirectory() as state, _progress(console):
        run = _run(servers, ramp, state_dir=state)
    print_spend(console, run.received)
    console.print(f"{len(run.made)} calls made, {len(run.received)} received.", style="bold")
    complaints = complaints_about(run)
    for each in complaints:
        console.print(each, style="red", markup=False)
    return not complaints


def complaints_about(run: DemoRun) -> list[str]:
    """What is wrong with a run, in sentences; nothing if every call was recorded once."""
    records = Counter(_name_of(each) for each in run.received)
    wrong = [f"{name}: {records[name]} records instead of one" for name in run.made if records[name] != 1]
    strangers = [f"{name}: a record of a call that was not made" for name in records.keys() - set(run.made)]
    checks = {
        f"{len(run.made)} calls were made, but the providers saw {run.answered}": run.answered == len(run.made),
        f"{len(run.made)} calls were made, but {len(run.received)} arrived": len(run.received) == len(run.made),
        "not everything was acknowledged in time": run.acknowledged,
    }
    return [*wrong, *sorted(strangers), *(complaint for complaint, fine in checks.items() if not fine)]


def _run(servers: ModelServers, ramp: FakeRamp, *, state_dir: str) -> DemoRun:
    from ._calls import make_calls  # loads the openai client

    ramp_tracing.instrument("openai", **options_for(servers, ramp), state_dir=state_dir)
    try:
        made = make_calls(STEPS, servers.base_urls)
        acknowledged = ramp_tracing.flush(FLUSH_SECONDS)
    finally:
        ramp_tracing.uninstrument()
    return DemoRun(made=made, answered=servers.call_count, received=ramp.generations, acknowledged=acknowledged)


def options_for(servers: ModelServers, ramp: FakeRamp) -> dict[str, Any]:
    """All options: everything is given, so that the user's own configuration neither disturbs the demo nor is used."""
    return {
        "api_key": KEY,
        "base_url": ramp.url,
        "headers": {},
        "privacy_mode": False,
        "protocol": "http/json",
        "dialect": "openrouter",
        "service_name": "ramp-tracing-demo",
        "providers": servers.providers,
        "trace": {"project": "demo"},
        "disabled": False,
    }


def _name_of(generation: ReceivedSpan) -> str:
    return str(generation.attributes.get(f"trace.metadata.{CALL}"))


def _progress(console: Console) -> AbstractContextManager[object]:
    return console.status("Calling models on this machine…") if console.is_terminal else nullcontext()
