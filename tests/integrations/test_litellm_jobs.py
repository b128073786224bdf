"""A batch is one record, also if LiteLLM creates it and the openai client looks at it, or the other way round."""

import sys
import time
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

litellm: Any = pytest.importorskip("litellm")

import openai  # noqa: E402 - what it takes is there by now

import ramp_tracing  # noqa: E402
from ramp_tracing._identity import SeenIds  # noqa: E402
from ramp_tracing._state import state  # noqa: E402
from ramp_tracing.integrations import _litellm_calls  # noqa: E402
from ramp_tracing.testing import FakeRamp, ReceivedSpan  # noqa: E402

from .litellm_calls import BACKGROUND, BATCH, RESPONSE, SCRIPTS  # noqa: E402
from .provider import Provider  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")

NEW: Any = {"completion_window": "24h", "endpoint": "/v1/chat/completions", "input_file_id": "file-1"}
Step = Callable[[str], object]


def through_litellm(base: str) -> Any:
    return {"custom_llm_provider": "openai", "api_base": base, "api_key": "sk-test"}


def created_by_litellm(base: str) -> None:
    litellm.create_batch(**NEW, **through_litellm(base))


def polled_by_litellm(base: str) -> None:
    litellm.retrieve_batch(batch_id=BATCH["id"], **through_litellm(base))


def created_by_client(base: str) -> None:
    with openai.OpenAI(api_key="sk-test", base_url=base) as client:
        client.batches.create(**NEW)


def polled_by_client(base: str) -> None:
    with openai.OpenAI(api_key="sk-test", base_url=base) as client:
        client.batches.retrieve(BATCH["id"])


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    with Provider(scripts=SCRIPTS) as running:
        yield running.base_url


def settled(ramp: FakeRamp) -> ReceivedSpan:
    """The one record that there is in the end."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        ramp_tracing.flush(5)
        found = ramp.generations
        if found and "gen_ai.usage.input_tokens" in found[-1].attributes:
            break
        time.sleep(0.05)
    [span] = ramp.generations
    return span


@pytest.mark.parametrize("in_one_process", [True, False])
@pytest.mark.parametrize(
    ("create", "polls"),
    [
        (created_by_litellm, [polled_by_client]),
        (created_by_client, [polled_by_litellm]),
        (created_by_litellm, [polled_by_litellm, polled_by_client]),
        (created_by_client, [polled_by_client, polled_by_litellm]),
    ],
    ids=lambda each: each.__name__ if callable(each) else "+".join(step.__name__ for step in each),
)
def test_one_batch(create: Step, polls: list[Step], in_one_process: bool, base: str) -> None:
    """It is for the one who created it, and has the usage, whoever saw its end."""
    with FakeRamp() as ramp:
        ramp_tracing.instrument(api_key="ramp-key", base_url=ramp.url)
        try:
            with ramp_tracing.trace(user="ada"):
                create(base)
            assert ramp_tracing.flush(30)
            if not in_one_process:  # what another one would know
                state.jobs.clear()
                state.seen = SeenIds()
            with ramp_tracing.trace(user="poller"):
                for poll in polls:
                    poll(base)
            span = settled(ramp)
        finally:
            ramp_tracing.uninstrument()
            state.seen = SeenIds()
    attributes = span.attributes
    assert (BATCH["id"], "ada", 10, 5) == (
        attributes["gen_ai.response.id"],
        attributes["user.id"],
        attributes["gen_ai.usage.input_tokens"],
        attributes["gen_ai.usage.output_tokens"],
    )
    assert "ramp.usage.pending" not in attributes


@pytest.mark.parametrize("in_one_process", [True, False])
def test_one_background_response(in_one_process: bool, base: str) -> None:
    """However often it is looked at; it is for the one who asked for it."""
    looked_at = {"response_id": BACKGROUND["id"], **through_litellm(base)}
    with FakeRamp() as ramp:
        ramp_tracing.instrument(api_key="ramp-key", base_url=ramp.url)
        try:
            with ramp_tracing.trace(user="ada"):
                litellm.responses(
                    model="openai/gpt-4o", input="Hi", background=True, api_base=f"{base}/background", api_key="sk-test"
                )
            assert ramp_tracing.flush(30)
            if not in_one_process:
                state.seen = SeenIds()
            with ramp_tracing.trace(user="poller"):
                for _ in range(3):
                    litellm.get_responses(**looked_at)
            span = settled(ramp)
        finally:
            ramp_tracing.uninstrument()
            state.seen = SeenIds()
    attributes = span.attributes
    assert (BACKGROUND["id"], "ada", "gpt-4o", 10) == (
        attributes["gen_ai.response.id"],
        attributes["user.id"],
        attributes["gen_ai.request.model"],
        attributes["gen_ai.usage.input_tokens"],
    )
    assert 0.000075 == pytest.approx(float(str(attributes["gen_ai.usage.total_cost"])))


def test_a_response_that_is_fetched_again(base: str) -> None:
    """It was paid for when it was made."""
    with FakeRamp() as ramp:
        ramp_tracing.instrument(api_key="ramp-key", base_url=ramp.url)
        try:
            litellm.responses(model="openai/gpt-4o", input="Hi", api_base=base, api_key="sk-test")
            for _ in range(2):
                litellm.get_responses(response_id=RESPONSE["id"], **through_litellm(base))
            settled(ramp)
            time.sleep(0.2)
            assert ramp_tracing.flush(30)
            assert 1 == len(ramp.generations)
        finally:
            ramp_tracing.uninstrument()
            state.seen = SeenIds()


def test_nothing_of_the_proxy_is_imported(base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only there a response has another id for its clients; elsewhere that takes half a minute to find out."""
    hooks, asked = ModuleType("hooks"), list[str]()
    hooks.decrypted_response_id = asked.append  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, _litellm_calls.ENCRYPTED, hooks)
    monkeypatch.delitem(sys.modules, _litellm_calls.PROXY, raising=False)
    with FakeRamp() as ramp:
        ramp_tracing.instrument(api_key="ramp-key", base_url=ramp.url)
        try:
            litellm.responses(model="openai/gpt-4o", input="Hi", api_base=base, api_key="sk-test")
            settled(ramp)
        finally:
            ramp_tracing.uninstrument()
            state.seen = SeenIds()
    assert [] == asked
