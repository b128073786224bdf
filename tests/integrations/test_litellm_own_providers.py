"""LiteLLM: providers that an application has given it, which ask it in their turn, or whose servers give one id."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any, Final

import pytest

import ramp_tracing
from ramp_tracing.testing import capture_generations

from .litellm_calls import MESSAGES, litellm

pytestmark = [pytest.mark.filterwarnings("ignore")]

USAGE: Final = {"prompt_tokens": 30, "completion_tokens": 7, "total_tokens": 37}


class House(litellm.CustomLLM):  # type: ignore[misc]
    """Asks a server that gives all of its answers one id."""

    begun, goes_on = Event(), Event()

    def completion(self, *args: Any, **kwargs: Any) -> Any:
        if kwargs["model"] == "slow":
            self.begun.set()
            assert self.goes_on.wait(60)
        message = {"role": "assistant", "content": "Hello."}
        return litellm.ModelResponse(id="chatcmpl-house-answer", choices=[{"message": message}], usage=USAGE)

    async def acompletion(self, *args: Any, **kwargs: Any) -> Any:
        return self.completion(*args, **kwargs)


class Desk(litellm.CustomLLM):  # type: ignore[misc]
    """Asks another one of the application's own."""

    def completion(self, *args: Any, **kwargs: Any) -> Any:
        return litellm.completion(model="house/house-1", messages=MESSAGES)

    async def acompletion(self, *args: Any, **kwargs: Any) -> Any:
        return await litellm.acompletion(model="house/house-1", messages=MESSAGES)


@pytest.fixture(autouse=True)
def providers(monkeypatch: pytest.MonkeyPatch) -> None:
    own = [{"provider": "house", "custom_handler": House()}, {"provider": "desk", "custom_handler": Desk()}]
    monkeypatch.setattr(litellm, "custom_provider_map", own)


def ask(model: str, **options: Any) -> None:
    litellm.completion(model=model, messages=MESSAGES, **options)


def ask_in_a_task(model: str) -> None:
    async def work() -> None:
        await litellm.acompletion(model=model, messages=MESSAGES)
        await ramp_tracing.aflush(30)

    asyncio.run(work())


def models(generations: Any, count: int) -> list[str | None]:
    """What was asked for, once *count* calls are there, and a moment later."""
    until = time.monotonic() + 60
    while len(generations) < count and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(0.1)
    return sorted(each.request_model for each in generations)


@pytest.mark.parametrize("way", [ask, ask_in_a_task], ids=["sync", "async"])
def test_an_own_provider_that_asks_another_one_is_counted_once(way: Any) -> None:
    """The second of them is the one that was paid."""
    with capture_generations() as generations:
        way("desk/desk-1")
        assert ["house-1"] == models(generations, 1)


def test_an_answer_with_the_id_of_an_earlier_one_is_no_other_calls() -> None:
    """Though another call, of another provider, begins and ends while it goes on."""
    with capture_generations() as generations:
        ask("house/house-1")
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(ask, "house/slow")
            assert House.begun.wait(60)
            ask("openai/gpt-4o", mock_response="Hello.")
            assert ["gpt-4o", "house-1"] == models(generations, 2)
            House.goes_on.set()
            asked.result(60)
        assert ["gpt-4o", "house-1", "slow"] == models(generations, 3)
