"""LiteLLM: registration, prices, attribution, privacy, and the end of the process."""

import asyncio
import gc
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from importlib import import_module
from itertools import count
from typing import Any

import openai
import pytest

import ramp_tracing
from ramp_tracing import _layers, integrations
from ramp_tracing._layers import _promises
from ramp_tracing._loopback import json_answer
from ramp_tracing._normalizers._litellm_lean import lean_litellm
from ramp_tracing._record import Generation
from ramp_tracing._state import state
from ramp_tracing.testing import FakeRamp, capture_generations

from ..stepping import at_each_step
from .litellm_calls import (
    ANTHROPIC,
    CLAUDE,
    MESSAGES,
    SCRIPTS,
    at_anthropic,
    at_base,
    chat,
    litellm,
    wait_for_the_cache,
)
from .provider import Provider

pytestmark = [pytest.mark.filterwarnings("ignore")]

LISTS = (
    "callbacks",
    "input_callback",
    "success_callback",
    "failure_callback",
    "_async_success_callback",
    "_async_failure_callback",
)


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    """A provider's address, once LiteLLM has told of its first call."""
    with Provider(scripts=SCRIPTS) as running:
        with recorded() as generations:
            litellm.completion(**chat(running.base_url))
            waited(generations, 1, seconds=40)
        yield running.base_url


@contextmanager
def recorded(*, both: bool = True, **options: Any) -> Iterator[Any]:
    with capture_generations(**options) as generations:
        if not both:
            integrations.enable(frozenset({"litellm"}))
        yield generations


def waited(generations: Sequence[Generation], count: int, *, seconds: float = 60) -> list[Generation]:
    """What has been recorded when there is as much as expected, and a moment later."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and len(generations) < count:
        time.sleep(0.02)
    time.sleep(0.15)
    assert count == len(generations)
    return list(generations)


def one(base: str, *, both: bool = True, **arguments: Any) -> Generation:
    """The record of one chat completion."""
    with recorded(both=both) as generations:
        litellm.completion(**chat(base, **arguments))
        [generation] = waited(generations, 1)
    return generation


# --- registration


@pytest.mark.parametrize(
    "register",
    [
        lambda logger: setattr(litellm, "callbacks", [logger]),
        lambda logger: setattr(litellm, "success_callback", [logger]),
        lambda logger: (setattr(litellm, "callbacks", [logger]), setattr(litellm, "success_callback", [logger])),
        lambda logger: None,
    ],
    ids=["callbacks", "success_callback", "both", "looked at"],
)
def test_by_hand(register: Any, base: str) -> None:
    """However the callback is registered, and beside instrument() too: once for sync, async, stream and failure."""
    with recorded() as generations:
        register(ramp_tracing.litellm_logger)
        litellm.completion(**chat(base))
        list(litellm.completion(**chat(base, "/metered", stream=True)))

        async def calls() -> None:
            await litellm.acompletion(**chat(base))
            async for _ in await litellm.acompletion(**chat(base, "/metered", stream=True)):
                pass
            with pytest.raises(litellm.exceptions.InternalServerError):
                await litellm.acompletion(**chat(base, model="openai/bad-1"))
            until = time.monotonic() + 60
            while len(generations) < 5 and time.monotonic() < until:
                await asyncio.sleep(0.2)
                await ramp_tracing.aflush(5)

        asyncio.run(calls())
        waited(generations, 5)
    assert [] == [name for name in LISTS if ramp_tracing.litellm_logger in getattr(litellm, name)]


@pytest.mark.parametrize("name", ["callbacks", "success_callback"])
def test_put_back_by_hand_after_it_was_taken_out(name: str, base: str) -> None:
    """An application that has kept the callback asks us for it no more; the client below is instrumented alone."""
    kept = ramp_tracing.litellm_logger
    integrations.enable(frozenset({"litellm"}))
    integrations.enable(frozenset())
    with recorded() as generations:
        integrations.enable(frozenset({"openai"}))
        setattr(litellm, name, [kept])
        for count in (1, 2):
            litellm.completion(**chat(base))
            waited(generations, count)
    kept.unregister()


def test_put_back_by_hand_while_calls_go_on(base: str) -> None:
    """What the client has recorded alone of each of them is not recorded again; a call that only LiteLLM sees is."""
    kept, answer = ramp_tracing.litellm_logger, litellm.ModelResponse(id="chatcmpl-other")
    integrations.enable(frozenset({"litellm"}))
    integrations.enable(frozenset())
    began = datetime.now()
    with recorded() as generations:
        integrations.enable(frozenset({"openai"}))
        client = openai.OpenAI(base_url=f"{base}/v1", api_key="k", max_retries=0)
        answers = [client.chat.completions.create(model="gpt-4o", messages=[]) for _ in range(2)]
        litellm.success_callback = [kept]
        for number, each in enumerate((*answers, answer)):
            call = {**told(began, f"put-back-{number}"), "custom_llm_provider": "openai"}
            kept.log_success_event(call, litellm.ModelResponse(id=each.id), began, began)
        waited(generations, 3)
    assert "litellm" not in state.layers


def told(began: datetime, key: str) -> dict[str, Any]:
    """What LiteLLM tells of a call's end, as far as it matters here."""
    payload = {"startTime": began.timestamp(), "endTime": began.timestamp() + 1, "status": "success"}
    return {
        "call_type": "completion",
        "litellm_call_id": key,
        "litellm_params": {},
        "model": "gpt-4o",
        "start_time": began,
        "standard_logging_object": payload,
    }


def test_a_word_that_comes_while_it_is_taken_out() -> None:
    """On another thread, at whatever moment: nothing is put in again, and nothing begins that nobody will end."""
    with recorded():
        kept = ramp_tracing.litellm_logger
        call = {"litellm_call_id": "meanwhile", "litellm_params": {}, "model": "gpt-4o", "call_type": "completion"}
        words = count()

        def speak() -> None:
            kept.log_pre_api_call("gpt-4o", [], {**call, "litellm_call_id": f"meanwhile-{next(words)}"})
            kept.log_success_event(call, None, None, None)

        with at_each_step(integrations.disable, speak):
            integrations.disable(frozenset({"litellm"}))
        speak()
        assert [] == [name for name in LISTS if kept in getattr(litellm, name)]
        assert ("litellm" in state.layers, "litellm" in state.enabled) == (False, False)


def test_what_was_put_back_by_hand_is_taken_out() -> None:
    """By `uninstrument()`, as everything else."""
    kept = ramp_tracing.litellm_logger
    integrations.enable(frozenset({"litellm"}))
    integrations.enable(frozenset())
    with recorded():
        integrations.enable(frozenset({"openai"}))
        litellm.input_callback = [kept]
        kept.log_pre_api_call("gpt-4o", [], {"litellm_call_id": "put-back", "litellm_params": {}})
        assert "litellm" in state.layers
        integrations.disable(frozenset(state.enabled))
        assert [] == [name for name in LISTS if kept in getattr(litellm, name)]
        assert "litellm" not in state.layers


def test_the_application_assigns_its_own_list(base: str) -> None:
    """``litellm.callbacks = […]`` after instrument() does not put us out."""
    with recorded() as generations:
        litellm.callbacks = [litellm.integrations.custom_logger.CustomLogger()]
        litellm.completion(**chat(base))
        waited(generations, 1)
    litellm.callbacks = []


@pytest.mark.parametrize("name", ["success_callback", "callbacks"])
def test_per_request(name: str, base: str) -> None:
    """Given to a single call as well, the call is one record."""
    with recorded() as generations:
        litellm.completion(**chat(base, **{name: [ramp_tracing.litellm_logger]}))
        waited(generations, 1)


def test_the_same_object_by_both_names() -> None:
    """There is one callback in a process."""
    from ramp_tracing.integrations.litellm import litellm_logger

    assert litellm_logger is ramp_tracing.litellm_logger
    integrations.enable(frozenset())
    from ramp_tracing.integrations import litellm as integration

    integration.uninstall()


def test_built_in_callback_is_named(base: str, caplog: pytest.LogCaptureFixture) -> None:
    """LiteLLM's own "ramp" beside ours would count everything twice: one line says so, and what to do."""
    with recorded() as generations:
        litellm.success_callback.append("ramp")
        try:
            for _ in range(2):
                litellm.completion(**chat(base))
            waited(generations, 2)
        finally:
            for name in LISTS:
                getattr(litellm, name)[:] = [each for each in getattr(litellm, name) if each != "ramp"]
    assert 1 == len([line for line in caplog.messages if "counted twice" in line])


# --- one call, one record


def test_a_call_of_the_application_in_a_loop_over_a_stream(base: str) -> None:
    """A direct call in the body of a loop over LiteLLM's stream is a record of its own."""
    import openai

    with recorded() as generations, openai.OpenAI(base_url=base, api_key="sk-test", max_retries=0) as client:
        for number, _ in enumerate(litellm.completion(**chat(base, "/metered", stream=True))):
            if number == 1:
                client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES)
        client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES)
        found = waited(generations, 3)
    assert ["litellm", "openai", "openai"] == sorted(each.library for each in found)


def test_what_is_held_is_recorded_when_nobody_speaks(base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client's record of a call that LiteLLM never tells of is recorded after a while, by itself."""
    monkeypatch.setattr(_promises, "SECONDS_FOR_SUCCESS", 0.3)
    monkeypatch.setattr(_promises, "SECONDS_BETWEEN_LOOKS", 0.1)
    logger = ramp_tracing.litellm_logger
    monkeypatch.setattr(type(logger), "log_success_event", lambda *args, **kwargs: None)
    with recorded() as generations:
        litellm.completion(**chat(base))
        [generation] = waited(generations, 1)
    assert ("openai", 10) == (generation.library, generation.usage.input_tokens)


def test_late_words_add_nothing(base: str) -> None:
    """What LiteLLM says of a call that was recorded without it is no second record."""
    with recorded() as generations:
        litellm.completion(**chat(base))
        _layers.release()
        waited(generations, 1)


def test_client_facts_are_kept(base: str) -> None:
    """What only the client knows is in the record: id and model as answered, and the time of the first chunk."""
    with recorded() as generations:
        list(litellm.completion(**chat(base, "/metered", stream=True)))
        [generation] = waited(generations, 1)
    assert "litellm" == generation.library
    assert "chatcmpl-B1xYq0sW7gkT2" == generation.response_id
    assert "gpt-4o-2024-08-06" == generation.response_model
    assert generation.timing.first_chunk is not None
    assert generation.timing.started < generation.timing.first_chunk <= generation.timing.ended


# --- money


@pytest.mark.parametrize("both", [True, False], ids=["both", "alone"])
def test_known_price(both: bool, base: str) -> None:
    """LiteLLM's price, without the noise of its floats."""
    cost = one(base, both=both).cost
    assert cost is not None
    assert (Decimal("0.000075"), "gateway") == (cost.total, cost.source)


@pytest.mark.parametrize("both", [True, False], ids=["both", "alone"])
def test_custom_price(both: bool, base: str) -> None:
    """Prices that the application has configured."""
    prices = {"input_cost_per_token": 0.001, "output_cost_per_token": 0.002}
    cost = one(base, both=both, model="openai/acme-1", **prices).cost
    assert cost is not None
    assert Decimal("0.02") == cost.total


def test_the_region_of_an_answer_is_kept() -> None:
    """It raises the price; LiteLLM speaks to Anthropic without a client that we watch."""
    usage = {**ANTHROPIC["usage"], "inference_geo": "us"}
    scripts = {"/messages": lambda _: json_answer({**ANTHROPIC, "usage": usage})}
    with Provider(scripts=scripts) as running, recorded() as generations:
        litellm.completion(**at_base(running.base_url, CLAUDE))
        [generation] = waited(generations, 1)
    assert (generation.inference_geo, generation.usage.input_tokens) == ("us", 10)


def test_unknown_price_is_no_price(base: str) -> None:
    """What LiteLLM has no price for has no cost, never 0."""
    with recorded(both=False) as generations:
        litellm.completion(**chat(base, model="openai/nobody-knows-this", mock_response="Hello"))
        [generation] = waited(generations, 1)
    assert generation.cost is None


@pytest.mark.parametrize(
    ("name", "paid", "difference"),
    [("discount", "0.0000675", 0.0000075), ("margin", "0.0000825", 0.0000075)],
)
def test_discount_and_margin(
    name: str, paid: str, difference: float, base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is paid, and beside it what the provider's price was."""
    monkeypatch.setattr(litellm, f"cost_{name}_config", {"openai": 0.1})
    generation = one(base)
    assert generation.cost is not None
    assert Decimal(paid) == generation.cost.total
    assert 0.000075 == pytest.approx(generation.attribution.metadata["litellm.original_cost"])
    assert difference == pytest.approx(generation.attribution.metadata[f"litellm.{name}"])


@pytest.mark.parametrize("both", [True, False], ids=["both", "alone"])
def test_cache_hit_costs_nothing(both: bool, base: str) -> None:
    """An answer from LiteLLM's cache costs 0 and says what was saved."""
    pytest.importorskip("fastapi")
    pytest.importorskip("soundfile")
    litellm.cache = litellm.Cache(type="local")
    try:
        with recorded(both=both) as generations:
            for number in (1, 2):
                litellm.completion(**chat(base, caching=True))
                wait_for_the_cache()
                waited(generations, number)
            first, second = generations
    finally:
        litellm.cache = None
    assert first.id != second.id
    assert (Decimal("0.000075"), Decimal(0)) == (first.cost and first.cost.total, second.cost and second.cost.total)
    assert True is second.attribution.metadata["litellm.cache_hit"]
    saved = second.attribution.metadata.get("litellm.saved_cost")
    assert saved is None or 0.000075 == pytest.approx(saved)  # LiteLLM 1.108 does not say it of sync calls


@pytest.mark.parametrize("both", [True, False], ids=["both", "alone"])
def test_a_stream_without_usage(both: bool, base: str) -> None:
    """What LiteLLM counts itself, because the provider reported nothing, is marked; or there is nothing."""
    with recorded(both=both) as generations:
        list(litellm.completion(**chat(base, stream=True)))
        [generation] = waited(generations, 1)
    usage = generation.usage
    assert usage.estimated or (None, None) == (usage.input_tokens, usage.output_tokens)


# --- who and what for


def test_attribution(base: str) -> None:
    """LiteLLM's metadata, with the keys of its Langfuse integration, and what a block around the call says."""
    with ramp_tracing.trace(user="block", department="finance"):
        generation = one(
            base,
            user="end-user",
            metadata={
                "trace_user_id": "user-1",
                "session_id": "session-1",
                "trace_id": "0af7651916cd43dd8448eb211c80319c",
                "trace_name": "Run",
                "generation_name": "Draft",
                "cost_center": "CC-1",
                "trace_metadata": {"project": "apollo"},
                "tags": ["a", "User-Agent: x"],
            },
        )
    who = generation.attribution
    assert ("user-1", "session-1", "Run", "Draft") == (who.user, who.session_id, who.trace_name, who.generation_name)
    assert "0af7651916cd43dd8448eb211c80319c" == who.trace_id
    expected = {"cost_center": "CC-1", "project": "apollo", "department": "finance", "tags": ["a"]}
    assert expected == {key: who.metadata.get(key) for key in expected}
    assert [] == [key for key in who.metadata if key.startswith("user_api_key")]


@pytest.mark.parametrize("stream", [False, True])
def test_block_around_the_call(stream: bool, base: str) -> None:
    """What was in force where the call was made, though LiteLLM tells of it on a thread of its own."""
    with recorded(both=False) as generations:
        with ramp_tracing.trace(user="ada", team="billing"):
            answer = litellm.completion(**chat(base, "/metered", stream=stream))
        if stream:
            list(answer)
        [generation] = waited(generations, 1)
    assert ("ada", "billing") == (generation.attribution.user, generation.attribution.metadata["team"])


def test_openrouter_style(base: str) -> None:
    """``user``, ``session_id`` and ``trace`` in the body, as OpenRouter takes them."""
    body = {"session_id": "s-1", "trace": {"trace_name": "Run", "team": "billing"}}
    who = one(base, user="ada", extra_body=body).attribution
    assert ("ada", "s-1", "Run", "billing") == (who.user, who.session_id, who.trace_name, who.metadata["team"])


def test_router_keys_are_not_the_applications(base: str) -> None:
    """What the Router puts into the metadata stays out, except the name of the group."""
    through = litellm.Router(model_list=[{"model_name": "fast", "litellm_params": {**chat(base), "messages": None}}])
    with recorded() as generations:
        through.completion(model="fast", messages=MESSAGES, metadata={"team": "billing"})
        [generation] = waited(generations, 1)
    assert {"team": "billing", "litellm.model_group": "fast"} == dict(generation.attribution.metadata)


# --- content


def test_what_a_guardrail_found_is_content(base: str) -> None:
    """It can quote the prompt; LiteLLM puts it among the application's metadata."""
    base_class: Any = import_module("litellm.integrations.custom_guardrail").CustomGuardrail

    class Guard(base_class):  # type: ignore[misc]
        async def async_pre_call_deployment_hook(self, kwargs: Any, call_type: Any) -> Any:
            self.add_standard_logging_guardrail_information_to_request_data(
                guardrail_json_response={"found": "a secret"}, request_data=kwargs, guardrail_status="success"
            )
            return kwargs

    guard = Guard(guardrail_name="guard", event_hook="pre_call", default_on=True)
    with recorded(privacy_mode=True) as generations:
        litellm.callbacks.append(guard)

        async def call() -> None:
            await litellm.acompletion(**chat(base), metadata={"cost_center": "CC-1"})
            while not generations:  # LiteLLM tells of it in the same event loop
                await asyncio.sleep(0.02)

        asyncio.run(asyncio.wait_for(call(), 60))
        [generation] = waited(generations, 1)
        litellm.callbacks.remove(guard)
    assert {"cost_center": "CC-1"} == dict(generation.attribution.metadata)


@pytest.mark.parametrize("both", [True, False], ids=["both", "alone"])
def test_content(both: bool, base: str) -> None:
    """What was asked and answered."""
    content = one(base, both=both).content
    assert content is not None
    assert {"messages": MESSAGES} == content.input
    assert "Hello there." in str(content.output)


@pytest.mark.parametrize("both", [True, False], ids=["both", "alone"])
def test_message_logging_turned_off(both: bool, base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """``litellm.turn_off_message_logging``: neither prompt nor answer, whoever saw them."""
    monkeypatch.setattr(litellm, "turn_off_message_logging", True)
    with recorded(both=both) as generations:
        litellm.completion(**chat(base))
        [generation] = waited(generations, 1)
        with pytest.raises(litellm.exceptions.InternalServerError):
            litellm.completion(**chat(base, model="openai/bad-1"))
        waited(generations, 2)
        kept = [(each.content.input, each.content.output) for each in generations if each.content is not None]
        assert "hello" not in repr(kept).lower()
        [message] = [each.failure.message for each in generations if each.failure is not None]
        assert message is None  # it can quote the prompt
    assert 10 == generation.usage.input_tokens


@pytest.mark.parametrize(
    ("name", "value"),
    [("turn_off_message_logging", True), ("standard_logging_payload_excluded_fields", ["response"])],
)
def test_message_logging_turned_off_and_nobody_speaks(
    name: str, value: object, base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client's own record keeps to that too."""
    monkeypatch.setattr(litellm, name, value)
    monkeypatch.setattr(type(ramp_tracing.litellm_logger), "log_success_event", lambda *args, **kwargs: None)
    with recorded() as generations:
        litellm.completion(**chat(base))
        _layers.release()
        [generation] = waited(generations, 1)
    assert generation.content is None


@pytest.mark.parametrize("both", [True, False], ids=["both", "alone"])
def test_privacy_mode(both: bool, base: str) -> None:
    """No content and no text of an error."""
    with recorded(both=both, privacy_mode=True) as generations:
        litellm.completion(**chat(base))
        with pytest.raises(litellm.exceptions.InternalServerError):
            litellm.completion(**chat(base, model="openai/bad-1"))
        found = waited(generations, 2)
    assert [None, None] == [each.content for each in found]
    assert [None] == [each.failure.message for each in found if each.failure is not None]


# --- waiting


def test_uninstrument_waits_for_what_was_answered(base: str) -> None:
    """A call that has returned is recorded as LiteLLM tells of it, though nobody below has seen it."""
    with FakeRamp(api_key="test") as ramp:
        ramp_tracing.instrument("litellm", api_key="test", base_url=ramp.url)
        litellm.completion(**at_base(base, CLAUDE))
        ramp_tracing.uninstrument()
        [generation] = ramp.generations
    assert 5 == generation.attributes["gen_ai.usage.output_tokens"]


@pytest.mark.parametrize("watched", [(), ("litellm",)], ids=["both", "alone"])
def test_flush_after_the_event_loop_has_ended(watched: Sequence[str], base: str) -> None:
    """LiteLLM keeps what it has to tell for the next one: `flush()` does not wait, and is not True too early."""
    with FakeRamp(api_key="test") as ramp:
        ramp_tracing.instrument(*watched, api_key="test", base_url=ramp.url)
        try:
            for _ in range(3):
                asyncio.run(litellm.acompletion(**at_base(base, CLAUDE)))
            assert ramp_tracing.flush(30)
            spans = list(ramp.generations)
            asyncio.run(asyncio.sleep(0.05))
            assert ramp_tracing.flush(30)
            assert [5, 5, 5] == [each.attributes["gen_ai.usage.output_tokens"] for each in spans]
            assert 3 == len(ramp.generations)
        finally:
            ramp_tracing.uninstrument()


def test_flush_after_an_event_loop_has_ended_that_leaves_much_to_tell() -> None:
    """LiteLLM tells of 200 calls at a time."""
    worker: Any = import_module("litellm.litellm_core_utils.logging_worker").GLOBAL_LOGGING_WORKER
    told: list[int] = []

    async def tell(number: int) -> None:
        told.append(number)

    async def leave() -> None:
        for number in range(450):
            worker.ensure_initialized_and_enqueue(tell(number))

    with recorded():
        asyncio.run(leave())
        ramp_tracing.flush(60)
    assert [*range(450)] == sorted(told)


async def test_flush_leaves_an_event_loop_that_runs_alone(base: str) -> None:
    """What LiteLLM has to tell there it tells there."""
    with recorded() as generations:
        await litellm.acompletion(**at_base(base, CLAUDE))
        await asyncio.to_thread(ramp_tracing.flush, 5)
        until = time.monotonic() + 60
        while time.monotonic() < until and not generations:
            await asyncio.sleep(0.02)
        assert [5] == [each.usage.output_tokens for each in generations]


def test_callbacks_that_are_cleared_before_litellm_speaks(base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer had come: what it says was used is recorded, once LiteLLM can say no more."""
    monkeypatch.setattr(type(ramp_tracing.litellm_logger), "log_success_event", lambda *args, **kwargs: None)
    with recorded(both=False) as generations:
        litellm.completion(**at_base(base, CLAUDE))
        until = time.monotonic() + 60
        while time.monotonic() < until and not generations:
            gc.collect()
            time.sleep(0.02)
        [generation] = waited(generations, 1)
    assert (10, 5, None) == (generation.usage.input_tokens, generation.usage.output_tokens, generation.failure)


async def test_aflush(base: str) -> None:
    """A program that goes on can wait for what it has called."""
    with FakeRamp(api_key="test") as ramp:
        ramp_tracing.instrument(api_key="test", base_url=ramp.url)
        try:
            await asyncio.gather(*[litellm.acompletion(**chat(base)) for _ in range(20)])
            assert await ramp_tracing.aflush(10)
            assert 20 == len(ramp.generations)
        finally:
            ramp_tracing.uninstrument()


def test_the_hash_of_the_key_is_kept_where_it_is_asked_for(base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the openai client makes the call or LiteLLM itself."""
    monkeypatch.setattr(state, "hashes_keys", True)
    with recorded() as generations:
        litellm.completion(**chat(base) | {"api_key": "sk-company"})
        litellm.completion(**at_anthropic(base, api_key="sk-ant-company"))
        hashes = {each.api_key_hash for each in waited(generations, 2)}
    assert hashes == {sha256(b"sk-company").hexdigest(), sha256(b"sk-ant-company").hexdigest()}


def test_an_ordinary_call_waits_to_be_read(base: str) -> None:
    """There is nothing unusual about what LiteLLM tells of one, with or without a price."""
    told: list[bool] = []

    class Listener(import_module("litellm.integrations.custom_logger").CustomLogger):  # type: ignore[misc]
        def log_success_event(self, kwargs: Any, response_obj: Any, start_time: object, end_time: object) -> None:
            told.append(lean_litellm(kwargs, response_obj) is not None)

    for model in ("openai/gpt-4o", "openai/of-our-own"):
        litellm.completion(**{**chat(base), "model": model}, success_callback=[Listener()])
    until = time.monotonic() + 60
    while len(told) < 2 and time.monotonic() < until:
        time.sleep(0.02)
    assert told == [True, True]
