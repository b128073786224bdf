"""LiteLLM: every kind of call is one record, with LiteLLM alone and with the openai client watched as well."""

import gc
import time
from collections.abc import Iterator
from typing import Any

import pytest

from ramp_tracing import _layers, integrations
from ramp_tracing._record import Usage
from ramp_tracing.testing import capture_generations

from .litellm_calls import MATRIX, SCRIPTS, InAsync, InSync, chat
from .provider import Provider

pytestmark = [
    # LiteLLM's own: unawaited coroutines of loops that have ended, sockets, pydantic.
    pytest.mark.filterwarnings("ignore"),
]

CELLS = [
    pytest.param(colour, name, id=f"{name}-{colour.name}")
    for name, made in MATRIX.items()
    for colour in (InSync, InAsync)
    if made.only in ("", colour.name)
]


@pytest.fixture(scope="module")
def upstream() -> Iterator[Provider]:
    """A provider, once LiteLLM has told of its first call: what it needs for that takes it seconds to import."""
    with Provider(scripts=SCRIPTS) as running:
        with capture_generations() as generations:
            InSync().call("completion", **chat(running.base_url))
            until = time.monotonic() + 60
            while _layers.is_waiting() and time.monotonic() < until:
                time.sleep(0.05)
            assert ["litellm"] == [each.library for each in generations]
        gc.collect()
        gc.freeze()  # LiteLLM itself need not be searched for garbage every time
        yield running
        gc.unfreeze()
        gc.collect()


@pytest.mark.parametrize("watched", ["both", "alone"])
@pytest.mark.parametrize(("kind", "name"), CELLS)
def test_one_record(kind: Any, name: str, watched: str, upstream: Provider) -> None:
    """A call is recorded once, with the tokens that the provider reported."""
    for module in MATRIX[name].needs:
        pytest.importorskip(module, reason="LiteLLM needs it for this, and does not require it")
    made, colour = MATRIX[name], kind()
    expected = made.says if watched == "both" or made.alone is None else made.alone
    with capture_generations() as generations:
        if watched == "alone":
            integrations.enable(frozenset({"litellm"}))
        try:
            made.make(colour, upstream.base_url)
            settle(generations, colour, len(expected))
        finally:
            if isinstance(colour, InAsync):
                colour.close()
        found = [said(each) for each in generations]
        assert found == made.or_says or expected == found
        assert {"litellm"} >= {each.library for each in generations if each.failure is None}


def settle(generations: Any, colour: Any, count: int) -> None:
    """Wait until LiteLLM has said everything, and a moment longer for what it must not say."""
    until = time.monotonic() + 60
    quiet = time.monotonic() + 0.2
    while time.monotonic() < until and (len(generations) < count or time.monotonic() < quiet):
        if isinstance(colour, InAsync):
            colour.turn()
        time.sleep(0.02)
        gc.collect()  # threads of LiteLLM's hold a stream for a moment after the application has dropped it
        if not _layers.is_waiting() and time.monotonic() > quiet:
            _layers.release()
    _layers.release()


def said(generation: Any) -> Any:
    """What the table says; an estimate of LiteLLM's is nothing that the provider reported."""
    usage, failure = generation.usage, generation.failure
    if usage.estimated:
        usage = Usage()
    return (
        generation.operation,
        generation.request_model,
        usage.input_tokens,
        usage.output_tokens,
        None if failure is None else "broken" if failure.type in BROKEN else failure.type,
    )


BROKEN = {"APIConnectionError", "RemoteProtocolError", "ReadError", "MidStreamFallbackError"}
"""What the openai client, httpx and LiteLLM raise when a connection ends in the middle of an answer."""
