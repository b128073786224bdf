"""`ramp_tracing.record_generation` in the code of a provider that an application has given LiteLLM."""

import asyncio
import time
from decimal import Decimal
from typing import Any, Final

import pytest

import ramp_tracing
from ramp_tracing.testing import capture_generations

from .litellm_calls import MESSAGES, litellm

pytestmark = [pytest.mark.filterwarnings("ignore")]

ANSWER: Final = {"choices": [{"message": {"role": "assistant", "content": "Hello."}}], "model": "house-1"}


class House(litellm.CustomLLM):  # type: ignore[misc]
    """Recorded by hand, before it was a provider of LiteLLM's."""

    def completion(self, *args: Any, **kwargs: Any) -> Any:
        with ramp_tracing.record_generation(provider="house", model="house-1") as call:
            call.update(input_tokens=30, output_tokens=7, cost="0.01", user="ada")
        ramp_tracing.record_generation(provider="house", model="house-embedder", operation="embeddings", input_tokens=3)
        return litellm.ModelResponse(**ANSWER, usage={"prompt_tokens": 30, "completion_tokens": 7, "total_tokens": 37})

    async def acompletion(self, *args: Any, **kwargs: Any) -> Any:
        return self.completion()


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(litellm, "custom_provider_map", [{"provider": "house", "custom_handler": House()}])
    return "house/house-1"


def ask(model: str) -> None:
    litellm.completion(model=model, messages=MESSAGES)


def ask_in_a_task(model: str) -> None:
    async def work() -> None:
        await litellm.acompletion(model=model, messages=MESSAGES)
        await ramp_tracing.aflush(30)

    asyncio.run(work())


@pytest.mark.parametrize("way", [ask, ask_in_a_task], ids=["sync", "async"])
def test_litellm_and_a_record_by_hand_tell_of_one_call(house: str, way: Any) -> None:
    """What was said by hand is kept; what the provider asks for on its way is a call of its own."""
    with capture_generations() as generations:
        way(house)
        until = time.monotonic() + 60
        while len(generations) < 2 and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(0.1)
        calls = {each.operation: each for each in generations}
        assert ["chat", "embeddings"] == sorted(each.operation for each in generations)
    chat = calls["chat"]
    assert ("litellm", 30, "ada") == (chat.library, chat.usage.input_tokens, chat.attribution.user)
    assert chat.cost is not None
    assert Decimal("0.01") == chat.cost.total
    assert ("manual", 3) == (calls["embeddings"].library, calls["embeddings"].usage.input_tokens)
