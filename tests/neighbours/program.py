"""One run: one neighbour, one arrangement, all calls, and what everybody saw of them."""

import gc
import json
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import ramp_tracing
from ramp_tracing._state import state
from ramp_tracing.testing import FakeRamp

from .arrangements import ARRANGEMENTS, Arrangement
from .neighbours import NEIGHBOURS, Neighbour
from .steady import of_ours, steady

FLUSH_SECONDS: Final = 30.0

CLIENTS: Final = {"openai": (), "langchain": ("langchain-core", "langchain-openai"), "litellm": ("litellm",)}
"""What is installed of a client, beside openai."""


class Run:
    """
    What is there while the application runs.

    Args:
        neighbour: The other one.
        arrangement: Who comes when.
    """

    def __init__(self, neighbour: Neighbour, arrangement: Arrangement, ramp: FakeRamp) -> None:
        self.neighbour = neighbour
        self._arrangement = arrangement
        self._ramp = ramp
        self._counted = 0
        self._steps = {
            "ours": self._come,
            "-ours": ramp_tracing.uninstrument,
            "theirs": neighbour.start,
            "-theirs": neighbour.stop,
        }

    def step(self, name: str) -> None:
        """Somebody comes, or goes."""
        self._steps[name]()

    def observed(self, scenario: Any, colour: Any, label: str) -> dict[str, Any]:
        """Make a call; what the application, we and the other one saw."""
        from ..integrations.scenarios import play

        with self.neighbour.around(label):
            colour.follow()
            seen = play(scenario, colour)
            if scenario.leaves:  # a stream that was dropped: its generator, and then what its end has left behind
                gc.collect()
                colour.tidy()
                gc.collect()
            assert ramp_tracing.flush(FLUSH_SECONDS)
        return {"seen": steady(seen), "ours": self._recorded(), "theirs": self.neighbour.taken()}

    def _come(self) -> None:
        asks = "always" if self._arrangement.asks else "auto"
        ramp_tracing.instrument(api_key="key", base_url=self._ramp.url, stream_usage=asks)

    def _recorded(self) -> list[Any]:
        spans = self._ramp.spans[self._counted :]
        self._counted += len(spans)
        return [of_ours(each) for each in spans]


def calls_of(run: Run, steps: tuple[str, ...], client: str) -> dict[str, Any]:
    """Take the *steps*, then make all calls with the *client*."""
    from ..integrations.provider import Provider
    from ..integrations.scenarios import Scenario
    from .following import Following, Plain
    from .openai_calls import chat, raw

    with Provider() as provider, closing(Plain(provider)) as sync, closing(Following(provider)) as asynchronous:
        colours = (sync, asynchronous)
        early = {each.name: each.client(provider.base_url) for each in colours}
        _ = [each.chat.completions.with_raw_response for each in early.values()]  # made once, and kept
        before = Scenario(call=lambda colour, _: chat(colour, early[colour.name]))
        raw_before = Scenario(call=lambda colour, _: raw(colour, early[colour.name]))
        for step in steps:
            run.step(step)
            for colour in colours:
                run.observed(before, colour, "in between")
        calls = import_module(f"tests.neighbours.{client}_calls").CALLS
        scenarios = {"early client": before, "early client, raw": raw_before, **calls}
        return {
            f"{name} ({colour.name})": run.observed(scenario, colour, name)
            for name, scenario in scenarios.items()
            for colour in colours
        }


@contextmanager
def warnings_of_ours() -> Iterator[list[str]]:
    """What we log, from warnings on."""
    said: list[str] = []

    class Keeping(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    handler = Keeping(logging.WARNING)
    logging.getLogger("ramp_tracing").addHandler(handler)
    yield said
    logging.getLogger("ramp_tracing").removeHandler(handler)


def report_of(name: str, arrangement: Arrangement) -> Mapping[str, Any]:
    """Make the run; what there is to compare."""
    state.strict = True  # what goes wrong inside of us is for once not kept from the application
    row = NEIGHBOURS[name]
    neighbour = row.make()
    with warnings_of_ours() as warned, FakeRamp(api_key="key") as ramp:
        calls = calls_of(Run(neighbour, arrangement, ramp), arrangement.steps, row.calls)
        ramp_tracing.shutdown()
        headers = sorted({key for each in ramp.requests for key in each.headers})
    traced = [call for call, each in calls.items() if "ai-usage" in json.dumps(each["theirs"])]
    return {
        "calls": calls,
        "warned": warned,
        "headers": headers,
        "traced": traced,
        "versions": {each: version(each) for each in ("openai", *CLIENTS[row.calls], *neighbour.packages)},
    }


def write_report(name: str, arrangement: str, path: str) -> None:
    """`report_of` as JSON in a file that is there when the run is over."""
    for each in [each for each in os.environ if each.startswith(("RAMP_", "OTEL_", "DD_", "SENTRY_", "LANGFUSE_"))]:
        del os.environ[each]
    os.environ["RAMP_TRACING_STATE_DIR"] = f"{path}.state"
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # it would fetch its prices
    report = json.dumps(report_of(name, ARRANGEMENTS[arrangement]), indent=1)
    Path(f"{path}.part").write_text(report)
    Path(f"{path}.part").rename(path)
