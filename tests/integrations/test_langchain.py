"""LangChain: which calls are recorded, by whom, under which names; and what is left when a run never ends."""

import asyncio
import contextvars
import copy
import gc
import logging
import pickle
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from typing import Any, cast

import pytest

import ramp_tracing
from ramp_tracing import integrations
from ramp_tracing._layers import _run, _runs
from ramp_tracing._loopback import Answer, json_answer
from ramp_tracing._record import Usage
from ramp_tracing._state import state
from ramp_tracing.testing import FakeRamp, Generations, capture_generations

from .endpoints import response
from .house_model import HouseModel
from .langchain_calls import (
    ANTHROPIC,
    ANTHROPIC_EVENTS,
    SCRIPTS,
    WAYS,
    anthropic_model,
    anthropic_stream,
    closing,
    house_model,
    openai_model,
    run,
    runner,
    without_anthropic,
)
from .provider import Provider, completion

pytest.importorskip("langgraph")
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.globals import set_llm_cache
from langchain_core.language_models import BaseChatModel, FakeListChatModel
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableLambda, RunnableParallel
from langchain_core.tools import tool

pytestmark = [pytest.mark.filterwarnings("ignore")]

LANGCHAIN = frozenset({"langchain_core"})


@pytest.fixture(scope="module", autouse=True)
def event_loop_closed() -> Iterator[None]:
    yield
    runner().close()
    runner.cache_clear()


@pytest.fixture(autouse=True)
def scripts(provider: Provider) -> Iterator[None]:
    """The server answers as OpenAI and Anthropic do; afterwards no run is open."""
    provider.answer_with(SCRIPTS)
    yield
    assert ({}, {}) == (state.runs, state.lone_runs)


@pytest.fixture(autouse=True)
def nothing_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """LangChain swallows what a callback raises, and logs it: a fault of ours must fail the test."""
    yield
    assert [] == [each.message for each in caplog.records if "RampCallbackHandler" in each.message]


def handler(**options: Any) -> Any:
    return ramp_tracing.RampCallbackHandler(**options)


def collect_streams() -> None:
    """Wait for the end of what was left; of an async stream the event loop is told first."""
    deadline = time.monotonic() + 60
    while (state.open_streams or state.runs) and time.monotonic() < deadline:
        gc.collect()
        run(asyncio.sleep(0.001))
        list(cast("Generations", state.sink))  # what was put off until somebody looks is done now


def direct(provider: Provider, model: str = "direct") -> str:
    import openai

    with openai.OpenAI(base_url=provider.base_url, api_key="none", max_retries=0) as client:
        return str(client.chat.completions.create(model=model, messages=[{"role": "user", "content": "x"}]).id)


THROUGH_A_CLIENT = pytest.mark.parametrize(
    ("make", "library", "tokens"),
    [(openai_model, "openai", 10), (anthropic_model, "anthropic", 170)],
    ids=["openai", "anthropic"],
)


@THROUGH_A_CLIENT
@pytest.mark.parametrize("way", WAYS)
def test_the_client_records_with_the_names_of_the_run(
    provider: Provider, way: str, make: Any, library: str, tokens: int
) -> None:
    """A call through a client that is watched is the client's to record, once, whoever else has seen it."""
    config = {"run_name": "greet", "metadata": {"user_id": "ada", "cost_center": "CC-1"}, "tags": ["beta"]}
    with capture_generations() as generations:
        WAYS[way](make(provider, stream_usage=True), config)
        [generation] = generations
    assert (generation.library, generation.usage.input_tokens) == (library, tokens)
    assert generation.attribution.generation_name == "greet"
    assert (generation.attribution.user, dict(generation.attribution.metadata)) == (
        "ada",
        {"cost_center": "CC-1", "tags": ["beta"]},
    )


@pytest.mark.parametrize("way", WAYS)
def test_the_handler_records_where_nobody_else_does(provider: Provider, way: str) -> None:
    """Without the client's integration LangChain's own word is all there is."""
    with capture_generations() as generations:
        integrations.enable(LANGCHAIN)
        WAYS[way](openai_model(provider, stream_usage=True), {"run_name": "greet"})
        [generation] = generations
    assert (generation.library, generation.operation, generation.request_model) == ("langchain", "chat", "gpt-4o")
    assert (generation.usage.input_tokens, generation.usage.output_tokens) == (10, 5)
    assert (generation.server_address, generation.provider) == ("127.0.0.1", None)
    assert generation.attribution.generation_name == "greet"
    assert generation.streamed is ("stream" in way)


@pytest.mark.parametrize("way", WAYS)
def test_an_anthropic_client_that_nobody_watches(provider: Provider, way: str) -> None:
    """Anthropic's counts are inclusive; who is behind an address of one's own is not known."""
    with without_anthropic() as generations:
        WAYS[way](anthropic_model(provider), {})
        [generation] = generations
    usage = generation.usage
    assert (generation.library, generation.provider) == ("langchain", None)
    assert (usage.input_tokens, usage.cache_read_tokens, usage.cache_write_tokens) == (170, 100, 50)
    assert (usage.output_tokens, usage.estimated, generation.failure) == (7, False, None)
    assert generation.timing.started <= generation.timing.ended
    assert (generation.timing.first_chunk is not None) is ("stream" in way)


@pytest.mark.parametrize("way", ["invoke", "stream"])
def test_the_terms_by_which_an_answer_is_billed(provider: Provider, way: str) -> None:
    """A region and the fast mode cost more; of a stream LangChain hands on neither, so what was asked for counts."""
    usage = {**ANTHROPIC["usage"], "speed": "fast", "inference_geo": "us"}
    if way == "invoke":
        provider.answer_with({"/messages": closing(json_answer({**ANTHROPIC, "usage": usage}))})
    model = anthropic_model(provider, inference_geo="us", model_kwargs={"speed": "fast"})
    with capture_generations() as generations:
        integrations.enable(LANGCHAIN)
        WAYS[way](model, {})
        [generation] = generations
    assert (generation.library, generation.service_tier, generation.inference_geo) == ("langchain", "fast", "us")


@pytest.mark.parametrize("version", ["v0", "responses/v1", "v1"])
def test_a_search_that_the_provider_makes_is_counted(provider: Provider, version: str) -> None:
    """In whichever form LangChain shows it; the older tool costs more, and only the request says which one it was."""
    search = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search"}}
    answer = response("completed")
    provider.answer_with({"/responses": closing(json_answer({**answer, "output": [search, *answer["output"]]}))})
    with capture_generations() as generations:
        integrations.enable(LANGCHAIN)
        model = openai_model(provider, use_responses_api=True, output_version=version)
        model.invoke("Hi", tools=[{"type": "web_search_preview"}])
        [generation] = generations
    assert {"web_search_preview_call": 1} == generation.usage.hosted_tool_calls


def test_content_in_the_usual_form(provider: Provider) -> None:
    """What was asked and answered, and nothing of it in privacy mode."""
    for private in (False, True):
        with without_anthropic(privacy_mode=private) as generations:
            anthropic_model(provider).invoke([("system", "Be brief."), ("human", "Hi")])
            [generation] = generations
        content = generation.content
        if private:
            assert content is None
        else:
            assert content is not None
            assert content.input == {
                "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
            }
            assert content.output == {"completion": "Hello there.", "reasoning": None}


def test_a_gateway_that_counts_no_input(provider: Provider) -> None:
    """LangChain says 0 where nothing was said; no prompt has no tokens."""
    last = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 7}}
    provider.answer_with({"/messages": closing(anthropic_stream([*ANTHROPIC_EVENTS[:-2], last, ANTHROPIC_EVENTS[-1]]))})
    with without_anthropic() as generations:
        list(anthropic_model(provider).stream("Hi"))
        [generation] = generations
    assert (generation.usage, generation.cost) == (Usage(output_tokens=7), None)


def test_an_abandoned_stream_is_a_call(provider: Provider) -> None:
    """Its end is told by the garbage collector; its counts would have come with its last chunks."""
    with capture_generations() as generations:
        stream = house_model(provider).stream("Hi")
        next(stream)
        next(stream)
        del stream
        gc.collect()
        [generation] = generations
    assert generation.failure is not None
    assert (generation.failure.type, generation.usage, generation.streamed) == ("abandoned", Usage(), True)


def test_an_abandoned_stream_of_events_is_a_call(provider: Provider) -> None:
    """Of its end LangChain tells nothing; it has come when what would tell is no more."""
    with capture_generations() as generations:
        assert {"message-finish"} <= {each["event"] for each in house_model(provider).stream_events("Hi", version="v3")}
        next(iter(house_model(provider).stream_events("Hi", version="v3")))
        collect_streams()
        whole, left = generations
    assert (None, 30, True) == (whole.failure, whole.usage.input_tokens, whole.streamed)
    assert left.failure is not None
    assert ("abandoned", None, True) == (left.failure.type, left.usage.input_tokens, left.streamed)


def test_an_abandoned_stream_is_the_clients(provider: Provider) -> None:
    """Once, with its names and with what Anthropic said of it first: the prompt is billed, whatever is read."""

    async def leave() -> None:
        async for _ in anthropic_model(provider).astream("Hi", {"run_name": "greet"}):
            break

    def leave_at_once() -> None:
        for _ in anthropic_model(provider).stream("Hi", {"run_name": "greet"}):
            break

    for left in (leave_at_once, lambda: run(leave())):
        with capture_generations() as generations:
            left()
            collect_streams()
            [generation] = generations
        assert generation.failure is not None
        assert (generation.library, generation.failure.type) == ("anthropic", "abandoned")
        assert (generation.attribution.generation_name, generation.usage.input_tokens) == ("greet", 170)


def test_a_stream_that_breaks_off_after_its_counts(provider: Provider) -> None:
    """They are kept; where nothing says that they are final they are no more than an estimate."""
    broken = replace(anthropic_stream(ANTHROPIC_EVENTS[:-1]), cut=True)
    provider.answer_with({"/messages": closing(broken)})
    with without_anthropic() as generations:
        with pytest.raises(Exception, match="incomplete"):
            list(anthropic_model(provider).stream("Hi"))
        [generation] = generations
    assert generation.failure is not None
    assert (generation.usage.input_tokens, generation.usage.estimated) == (170, True)


def test_a_stream_that_outlives_its_chain(provider: Provider) -> None:
    """LangChain may tell of the chain's end before the model's."""
    chain = RunnableLambda(lambda text: text) | house_model(provider)
    with capture_generations() as generations:
        stream = chain.stream("Hi")
        next(stream)
        stream.close()
        gc.collect()
        [generation] = generations
    assert generation.failure is not None
    assert generation.failure.type == "abandoned"


def test_an_error_is_recorded_once(provider: Provider) -> None:
    """By the client where it is watched, by the handler where it is not."""
    refusal = json_answer({"error": {"message": "no", "type": "rate_limit_error"}}, status=429)
    provider.answer_with(dict.fromkeys(SCRIPTS, closing(refusal)))
    for make, library in ((openai_model, "openai"), (anthropic_model, "anthropic"), (house_model, "langchain")):
        for way in ("invoke", "ainvoke", "stream", "astream"):
            with capture_generations() as generations:
                with pytest.raises(Exception, match="429"):
                    WAYS[way](make(provider), {"run_name": "greet"})
                [generation] = generations
            assert generation.failure is not None
            assert (generation.library, generation.attribution.generation_name) == (library, "greet")
            assert generation.failure.status_code == 429


@pytest.mark.parametrize("make", [openai_model, anthropic_model])
def test_what_fails_before_a_request_is_no_call(provider: Provider, make: Any) -> None:
    """The client would have seen one."""
    with capture_generations() as generations:
        with pytest.raises(Exception, match="Unexpected message type"):
            make(provider).invoke([("nobody", "Hi")])
        with pytest.raises(TypeError):
            make(provider).invoke("Hi", no_such_parameter=object())
        assert [] == list(generations)


class BehindLiteLLM(FakeListChatModel):
    """What LangChain says of ChatLiteLLM."""

    def _get_ls_params(self, **kwargs: Any) -> Any:
        return {"ls_provider": "litellm", "ls_model_name": "openai/gpt-4o"}


def test_litellm_speaks_for_itself(provider: Provider) -> None:
    """Also of answers from its cache, which it does not announce; without its integration LangChain's word counts."""
    with capture_generations() as generations:
        state.installed.add("litellm")
        BehindLiteLLM(responses=["Hello."]).invoke("Hi")
        state.installed.discard("litellm")
        assert [] == list(generations)
        BehindLiteLLM(responses=["Hello."]).invoke("Hi")
        assert [("openai", "gpt-4o")] == [(each.provider, each.request_model) for each in generations]


class InNameOnly(FakeListChatModel):
    """What LangChain says of a class whose client it tells nothing of."""

    word: str

    def _get_ls_params(self, **kwargs: Any) -> Any:
        return {"ls_provider": self.word}


@pytest.mark.parametrize(
    ("word", "variable", "named"),
    [
        ("cohere", "CO_API_URL", "cohere"),
        ("google_genai", "GOOGLE_GEMINI_BASE_URL", "gcp.gemini"),
        ("groq", "GROQ_BASE_URL", "groq"),
        ("openai", "OPENAI_BASE_URL", "openai"),
    ],
)
def test_an_address_in_the_environment(word: str, variable: str, named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that goes to another address than the provider's is not taken for the provider's."""
    monkeypatch.delenv(variable, raising=False)
    with capture_generations() as generations:
        integrations.enable(LANGCHAIN)
        InNameOnly(responses=["Hello."], word=word).invoke("Hi")
        monkeypatch.setenv(variable, "https://llm.example.org:8443/v1")
        InNameOnly(responses=["Hello."], word=word).invoke("Hi")
        assert [(named, None, None), (None, "llm.example.org", 8443)] == [
            (each.provider, each.server_address, each.server_port) for each in generations
        ]


def test_each_attempt_is_a_call(provider: Provider) -> None:
    """Fallbacks and retries of LangChain's are runs of their own."""
    from ramp_tracing._loopback import json_answer

    provider.answer_with({**SCRIPTS, "/own": closing(json_answer({"error": {"message": "no"}}, status=500))})
    asked = house_model(provider).with_retry(stop_after_attempt=2, wait_exponential_jitter=False)
    with capture_generations() as generations:
        asked.with_fallbacks([openai_model(provider)]).invoke("Hi")
        found = [(each.library, each.failure is None) for each in generations]
    assert [("langchain", False), ("langchain", False), ("openai", True)] == found


def test_an_answer_from_the_cache_costs_nothing(provider: Provider) -> None:
    """It is marked, and its counts are what was saved."""
    set_llm_cache(InMemoryCache())
    try:
        with capture_generations() as generations:
            for _ in range(2):
                openai_model(provider).invoke("Hi")
            asked, cached = generations
    finally:
        set_llm_cache(None)
    assert (asked.library, cached.library, cached.usage.input_tokens) == ("openai", "langchain", 10)
    assert cached.cost is not None
    assert (cached.cost.total, dict(cached.attribution.metadata)) == (Decimal(0), {"langchain.cache_hit": True})


def test_completions_of_several_prompts_in_one_request(provider: Provider) -> None:
    """One request is one call, however many runs LangChain makes of it."""
    from ramp_tracing._loopback import json_answer

    from .langchain_calls import langchain_openai

    answer = {
        "id": "cmpl-9zKq0sW7gkT2",
        "object": "text_completion",
        "created": 1767225600,
        "model": "gpt-3.5-turbo-instruct",
        "choices": [{"index": n, "text": "Hello.", "finish_reason": "stop", "logprobs": None} for n in range(2)],
        "usage": {"prompt_tokens": 6, "completion_tokens": 4, "total_tokens": 10},
    }
    provider.answer_with({"/completions": closing(json_answer(answer))})
    model = langchain_openai.OpenAI(base_url=provider.base_url, api_key="none", max_retries=0)
    with capture_generations() as generations:
        model.generate(["a", "b"])
        [generation] = generations
    assert (generation.library, generation.usage.input_tokens) == ("openai", 6)
    with capture_generations() as generations:
        integrations.enable(LANGCHAIN)
        model.generate(["a", "b"])
        found = [(each.operation, each.usage.input_tokens) for each in generations]
    assert [("text_completion", 6), ("text_completion", None)] == found


class Asking(BaseChatModel):
    """A model that asks another one."""

    other: Any

    @property
    def _llm_type(self) -> str:
        return "asking"

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        answer = self.other.invoke(messages)
        return ChatResult(generations=[ChatGeneration(message=AIMessage(content=answer.content))])


@pytest.mark.parametrize("make", [openai_model, anthropic_model, house_model])
@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
def test_a_model_that_asks_another_makes_no_call_itself(provider: Provider, make: Any, way: str) -> None:
    """Whether or not that one goes through a client that is watched."""
    with capture_generations() as generations:
        WAYS[way](Asking(other=make(provider)), {})
        [generation] = generations
    assert generation.library != "langchain" or generation.response_id == "house-7"


class Searching(BaseChatModel):
    """A model that nobody watches, and that asks a client for something else on its way."""

    ask: Any

    @property
    def _llm_type(self) -> str:
        return "searching"

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        self.ask()
        counts = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}
        return ChatResult(generations=[ChatGeneration(message=AIMessage(content="Hello.", usage_metadata=counts))])


ASIDES = {
    "search": lambda client: client.vector_stores.search("vs_1", query="x"),
    "upload": lambda client: client.files.create(file=b"x", purpose="batch"),
    "look": lambda client: client.responses.retrieve("resp_1"),
    "list": lambda client: client.batches.list(),
}


@pytest.mark.parametrize("aside", ASIDES)
def test_a_request_that_costs_nothing_is_not_the_models_call(provider: Provider, aside: str) -> None:
    """The client has no record of it, so the model's call is LangChain's to record."""
    import openai

    nothing = closing(json_answer({"object": "list", "data": []}))
    provider.answer_with(dict.fromkeys(("/search", "/files", "/responses/resp_1", "/batches"), nothing))
    client = openai.OpenAI(base_url=provider.base_url, api_key="none", max_retries=0)
    with client, capture_generations() as generations:
        Searching(ask=lambda: ASIDES[aside](client)).invoke("Hi")
        [generation] = generations
    assert (generation.library, generation.usage.input_tokens) == ("langchain", 10)


class ByHand(HouseModel):
    """A house model whose author has recorded its calls by hand, before it was a model of LangChain's."""

    operation: str = "chat"

    def _generate(self, *args: Any, **kwargs: Any) -> ChatResult:
        with ramp_tracing.record_generation(provider="house", model="house-1", operation=self.operation) as call:
            call.update(input_tokens=30, output_tokens=7)
            return super()._generate(*args, **kwargs)

    async def _agenerate(self, *args: Any, **kwargs: Any) -> ChatResult:
        return await asyncio.to_thread(self._generate, *args, **kwargs)


@pytest.mark.parametrize("way", ["invoke", "batch", "ainvoke", "abatch"])
def test_a_model_that_records_by_hand(provider: Provider, way: str) -> None:
    """Is recorded so, once, with the names of its run."""
    with capture_generations() as generations:
        WAYS[way](ByHand(url=provider.server.url), {"metadata": {"user_id": "ada"}})
        [generation] = generations
    assert ("manual", 30, "ada") == (generation.library, generation.usage.input_tokens, generation.attribution.user)
    assert "ByHand" == generation.attribution.generation_name


def test_what_is_recorded_by_hand_on_a_models_way(provider: Provider) -> None:
    """An embedding is no answer: both count. In a node it has the node's names."""
    node = RunnableLambda(lambda text: str(ramp_tracing.record_generation(model="acme-1", input_tokens=1)))
    with capture_generations() as generations:
        ByHand(url=provider.server.url, operation="embeddings").invoke("Hi", {"metadata": {"user_id": "ada"}})
        node.with_config(run_name="Node").invoke("Hi", {"metadata": {"user_id": "ada"}})
        told = [(each.library, each.attribution.user, each.attribution.trace_name) for each in generations]
    assert [("manual", "ada", "ByHand"), ("langchain", "ada", None), ("manual", "ada", "Node")] == told


def test_an_endpoint_that_nobody_knows_may_be_the_models_call(provider: Provider) -> None:
    """If it reports usage the client records it, and LangChain does not."""
    import openai

    provider.answer_with({"/new": closing(json_answer({"usage": {"input_tokens": 7, "output_tokens": 2}}))})
    client = openai.OpenAI(base_url=provider.base_url, api_key="none", max_retries=0)
    with client, capture_generations() as generations:
        Searching(ask=lambda: client.post("/new", body={}, cast_to=object)).invoke("Hi")
        [generation] = generations
    assert (generation.library, generation.usage.input_tokens) == ("openai", 7)


def test_a_call_in_the_loop_over_a_stream_is_its_own(provider: Provider) -> None:
    """No frame of the stream is above it: it has no names of the run's, and the run keeps its call."""
    with capture_generations() as generations:
        for index, _ in enumerate(openai_model(provider).stream("Hi", {"run_name": "greet"})):
            if index == 1:
                direct(provider)
        by_model = {each.request_model: each.attribution for each in generations}
    assert (len(by_model), by_model["gpt-4o"].generation_name) == (2, "greet")
    assert (by_model["direct"].generation_name, by_model["direct"].trace_id) == (None, None)


def test_a_thread_that_the_loop_over_a_stream_has_started(provider: Provider) -> None:
    """It has the context in which the stream was asked for, and the model is on the stack of who reads it."""
    reader, asked = threading.get_ident(), threading.Event()

    def slowly(_: Any) -> Answer:
        def pieces() -> Iterator[bytes]:
            yield b'{"text": "Hello"}\n'
            asked.wait(60)
            yield b'{"text": ".", "id": "house-8", "input": 30, "output": 7}\n'

        return Answer(body=pieces())

    def check() -> str:
        until = time.monotonic() + 60
        while "_stream" not in stack_of(reader) and time.monotonic() < until:
            time.sleep(0.001)
        try:
            return direct(provider)
        finally:
            asked.set()

    provider.answer_with({**SCRIPTS, "/own": closing(slowly)})
    with capture_generations() as generations, ThreadPoolExecutor(1) as threads:
        checks = []
        for _ in house_model(provider).stream("Hi"):
            checks = checks or [threads.submit(contextvars.copy_context().run, check)]
        checks[0].result(60)
        told = sorted((each.library, each.attribution.generation_name) for each in generations)
    assert [("langchain", "HouseModel"), ("openai", None)] == told


def stack_of(thread: int) -> list[str]:
    frame, names = sys._current_frames().get(thread), []
    while frame is not None:
        names.append(frame.f_code.co_name)
        frame = frame.f_back
    return names


def test_the_loop_over_a_stream_that_nobody_else_records(provider: Provider) -> None:
    """A direct call in its body does not take the stream's record away."""
    with capture_generations() as generations:
        for index, _ in enumerate(house_model(provider).stream("Hi")):
            if index == 1:
                direct(provider)
        assert [("openai", "direct"), ("langchain", None)] == [
            (each.library, each.request_model) for each in generations
        ]


class Asker(BaseCallbackHandler):
    """A callback of the application's that asks a model itself."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.asked = False

    def on_llm_new_token(self, token: str, **kwargs: Any) -> None:
        if not self.asked:
            self.asked = True
            direct(self.provider)


def test_a_callback_that_makes_a_call(provider: Provider) -> None:
    """It is called from within the model's run, and is not the model's call: both count."""
    with capture_generations() as generations:
        list(house_model(provider).stream("Hi", {"callbacks": [Asker(provider)]}))
        assert ["None", "direct"] == sorted(str(each.request_model) for each in generations)


def test_a_root_that_is_not_waited_for_takes_nothing_with_it(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An agent that works for longer than that loses no call."""
    monkeypatch.setattr(_run, "NANOSECONDS_OF_STEP", 0)

    def work(_: object) -> None:
        for each in house_model(provider).stream("Hi"):
            if each.content == "Hello":
                FakeListChatModel(responses=["Hello."]).invoke("Hi")

    with capture_generations() as generations:
        RunnableLambda(work).invoke("x")
        found = {str(each.provider): each.usage.input_tokens for each in generations}
    assert found == {"housemodel": 30, "fakelistchatmodel": None}


def agent(provider: Provider) -> Any:
    """An agent whose tool asks the openai client directly."""
    agents: Any = pytest.importorskip("langchain.agents")

    @tool
    def look_up(word: str) -> str:
        """Look a word up."""
        return direct(provider, "in-tool")

    return agents.create_agent(openai_model(provider), [look_up], name="helper")


QUESTION = {"messages": [("user", "What is x?")]}
CONFIG: Any = {"configurable": {"thread_id": "talk-1"}, "metadata": {"cost_center": "CC-7"}}


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_an_agents_calls_share_a_trace(provider: Provider, is_async: bool) -> None:
    """The root is named after the agent, the level between after the node, or the tool that makes a call itself."""
    with capture_generations() as generations:
        made = agent(provider)
        run(made.ainvoke(QUESTION, CONFIG)) if is_async else made.invoke(QUESTION, CONFIG)
        found = [each.attribution for each in generations]
    assert ["model", "look_up", "model"] == [each.span_name for each in found]
    assert [("helper", "talk-1", {"cost_center": "CC-7"})] * 3 == [
        (each.trace_name, each.session_id, dict(each.metadata)) for each in found
    ]
    [trace_id] = {each.trace_id for each in found}
    assert trace_id is not None
    assert len(trace_id) == 32


def test_a_chains_calls_in_threads(provider: Provider) -> None:
    """Branches run in threads of their own, under one root."""
    chain = RunnableParallel(
        a=openai_model(provider), b=anthropic_model(provider), c=house_model(provider)
    ).with_config(run_name="all")
    with capture_generations() as generations:
        chain.invoke("Hi")
        found = {(each.library, each.attribution.trace_name, each.attribution.trace_id) for each in generations}
    assert (3, {"all"}) == (len(found), {name for _, name, _ in found})
    assert len({trace_id for _, _, trace_id in found}) == 1


def test_an_explicit_handler_is_not_doubled(provider: Provider) -> None:
    """Given to the model, to the chain, to both: the call is one, and both say who it is for."""
    chain = RunnableLambda(lambda text: text) | house_model(provider, callbacks=[handler(cost_center="CC-2")])
    with capture_generations() as generations:
        chain.invoke("Hi", {"callbacks": [handler(user="ada")]})
        chain.invoke("Hi")
        first, second = (each.attribution for each in generations)
    assert (first.user, dict(first.metadata)) == ("ada", {"cost_center": "CC-2"})
    assert (second.user, dict(second.metadata)) == (None, {"cost_center": "CC-2"})


def test_who_goes_before_whom(provider: Provider) -> None:
    """From the nearest: a block inside the run, the run's own configuration, the handler, blocks around, defaults."""
    seen: list[dict[str, object]] = []

    def work(_: object) -> str:
        with ramp_tracing.trace(inner="block inside", run="block inside"):
            return direct(provider)

    config: Any = {"metadata": {"run": "run", "config": "run"}, "callbacks": [handler(config="handler", own="handler")]}
    with capture_generations() as generations:
        state.defaults = ramp_tracing._context.attribution_of({"own": "default", "last": "default"})
        with ramp_tracing.trace(own="block around", around="block around", config="block around"):
            RunnableLambda(work).invoke("x", config)
        seen = [dict(each.attribution.metadata) for each in generations]
    assert seen == [
        {
            "inner": "block inside",
            "run": "block inside",
            "config": "run",
            "own": "handler",
            "around": "block around",
            "last": "default",
        }
    ]


@pytest.mark.parametrize("make", [openai_model, house_model])
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_whose_memory_it_is_says_who_it_is_for(provider: Provider, make: Any, is_async: bool) -> None:
    """Chains and graphs are told so as ``configurable``: it is handed down, behind metadata and the handler."""

    def node(text: str) -> Any:
        return direct(provider) and make(provider).invoke(text)

    chain = RunnableLambda(lambda text: text) | node
    told: Any = {"configurable": {"user_id": "ada", "session_id": "chat-1", "memory": object()}}
    with capture_generations() as generations:
        run(chain.ainvoke("Hi", told)) if is_async else chain.invoke("Hi", told)
        chain.invoke("Hi", {**told, "metadata": {"session_id": "chat-2"}, "callbacks": [handler(user="bob")]})
        seen = [(each.attribution.user, each.attribution.session_id) for each in generations]
    assert [("ada", "chat-1")] * 2 + [("bob", "chat-2")] * 2 == seen
    assert [{}] * 4 == [dict(each.attribution.metadata) for each in generations]


def test_names_that_somebody_gave_go_before_those_of_runs(provider: Provider) -> None:
    """A block around the run names the trace; its calls are in the block's trace."""
    with capture_generations() as generations, ramp_tracing.trace(trace_name="Nightly", span_name="Import"):
        (RunnableLambda(lambda text: text) | openai_model(provider)).invoke("Hi")
        direct(provider)
        first, second = (each.attribution for each in generations)
    assert ("Nightly", "Import", first.trace_id) == (first.trace_name, first.span_name, second.trace_id)


@pytest.mark.parametrize("make", [openai_model, house_model])
def test_what_asks_a_model_again_is_no_level(provider: Provider, make: Any) -> None:
    """``with_retry`` is called what its model is called: the node around both is what a person would recognise."""
    node = RunnableLambda(lambda text: make(provider).with_retry().invoke(text)).with_config(run_name="research")
    with capture_generations() as generations:
        RunnableLambda(lambda text: node.invoke(text)).with_config(run_name="Desk").invoke("Hi")
        [generation] = generations
    assert ("Desk", "research") == (generation.attribution.trace_name, generation.attribution.span_name)


@pytest.mark.parametrize("make", [openai_model, anthropic_model, house_model])
def test_the_applications_span_is_the_parent(provider: Provider, make: Any) -> None:
    """An active OpenTelemetry span gives the trace, as it does everywhere."""
    from opentelemetry.sdk.trace import TracerProvider

    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("app")
    chain = RunnableLambda(lambda text: text) | make(provider)
    with capture_generations() as generations, tracer.start_as_current_span("request") as span:
        chain.invoke("Hi")
        [generation] = generations
    context = span.get_span_context()
    assert generation.span_parent == (f"{context.trace_id:032x}", f"{context.span_id:016x}")
    assert generation.attribution.trace_id == f"{context.trace_id:032x}"


def test_a_handler_switched_off_records_nothing(provider: Provider) -> None:
    """The registered one stays where LangChain keeps it, and does nothing."""
    with capture_generations() as generations:
        integrations.enable(frozenset({"openai"}))
        house_model(provider).invoke("Hi")
        assert [] == list(generations)
    house_model(provider).invoke("Hi")


def test_a_handler_without_instrument_says_so(provider: Provider, caplog: pytest.LogCaptureFixture) -> None:
    """And one that finds a key switches everything on."""
    with caplog.at_level(logging.WARNING, logger="ramp_tracing"):
        ramp_tracing._guard.log._next.clear()
        FakeListChatModel(responses=["Hello."]).invoke("Hi", {"callbacks": [handler()]})
    assert "call ramp_tracing.instrument()" in caplog.text


def test_a_handler_starts_with_a_key(provider: Provider, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """As ``litellm_logger`` does: ``RAMP_API_KEY`` is enough."""
    with FakeRamp() as ramp:
        monkeypatch.setenv("RAMP_API_KEY", "none")
        monkeypatch.setenv("RAMP_BASE_URL", ramp.url)
        house_model(provider).invoke("Hi", {"callbacks": [handler(user="ada")]})
        [span] = ramp.wait_for(1, 30)
        ramp_tracing.uninstrument()
    assert span.attributes["user.id"] == "ada"


class Slow(FakeListChatModel):
    """A model that answers in a minute."""

    responses: list[str] = ["Hello."]  # noqa: RUF012 - a field of pydantic's

    async def _agenerate(self, *args: Any, **kwargs: Any) -> ChatResult:
        await asyncio.sleep(60)
        return self._generate(*args, **kwargs)


async def cancel(model: Any) -> None:
    """Ask, and go away as soon as the run has begun."""
    asked = asyncio.create_task(model.ainvoke("Hi"))
    while not state.runs and not asked.done():
        await asyncio.sleep(0)
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)


def test_cancelled_calls_are_recorded_and_forgotten(provider: Provider) -> None:
    """LangChain tells of no end of a cancelled ``ainvoke``; its task does. The state stays as small as it was."""
    quick, slow = FakeListChatModel(responses=["Hello."]), Slow()
    sizes: list[int] = []

    async def work() -> None:
        for index in range(1_000):
            if index % 100 == 50:
                await cancel(slow)
            await quick.ainvoke("Hi")
            sizes.append(len(state.runs))

    with capture_generations(privacy_mode=True) as generations:
        run(work())
        failed = [each for each in generations if each.failure is not None]
    assert (10, {"abandoned"}) == (len(failed), {each.failure.type for each in failed if each.failure})
    assert (1_010, True) == (len(generations), max(sizes) <= 2)


class NeverFinds(BaseRetriever):
    """Looks for documents until it is told not to."""

    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Any]:
        return []

    async def _aget_relevant_documents(self, query: str, *, run_manager: Any) -> list[Any]:
        await asyncio.Event().wait()
        return []


def test_cancelled_retrievers_are_forgotten() -> None:
    """LangChain tells of their ends no more than of models': what is left is looked at by those that come later."""
    sizes: list[int] = []

    async def work() -> None:
        for _ in range(20):
            await cancel(NeverFinds())
            sizes.append(len(state.runs))
        await FakeListChatModel(responses=["Hello."]).ainvoke("Hi")

    with capture_generations() as generations:
        run(work())
        assert (1, True, {}) == (len(generations), max(sizes) <= 2, state.runs)


def test_a_cancelled_chain_ends_its_calls(provider: Provider) -> None:
    """The root's end is all that is told."""
    chain = RunnableLambda(lambda text: text) | Slow()

    async def work() -> None:
        asked = asyncio.create_task(chain.ainvoke("Hi"))
        while not any(getattr(each, "kind", "") == "model" for each in state.runs.values()) and not asked.done():
            await asyncio.sleep(0.001)
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)

    with capture_generations() as generations:
        run(work())
        assert {} == state.runs
        [generation] = generations
    assert generation.failure is not None
    assert generation.failure.type == "CancelledError"


def test_open_runs_are_bounded(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest is recorded as it is; nothing is forgotten silently."""
    monkeypatch.setattr(_runs, "MAX_RUNS", 3)
    streams: list[Any] = []
    with capture_generations() as generations:
        for _ in range(5):
            streams.append(house_model(provider).stream("Hi"))
            next(streams[-1])
        assert 3 == len(state.runs)
        assert 2 == len(generations)
        streams.clear()
        gc.collect()
        assert 5 == len(generations)


def test_runs_are_not_waited_for_without_end(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has been open for too long is recorded when the next run begins."""
    monkeypatch.setattr(_run, "NANOSECONDS_OPEN", 0)
    with capture_generations() as generations:
        stream = house_model(provider).stream("Hi")
        next(stream)
        FakeListChatModel(responses=["Hello."]).invoke("Hi")
        assert "abandoned" in {each.failure.type for each in generations if each.failure}
        del stream
        gc.collect()
        assert 2 == len(generations)


def test_usage_that_nobody_knows_is_absent(provider: Provider) -> None:
    """A model that reports nothing is a call without counts."""
    with capture_generations() as generations:
        FakeListChatModel(responses=["Hello."]).invoke("Hi")
        [generation] = generations
    assert (generation.usage, generation.cost) == (Usage(), None)


def spans_of(ramp: FakeRamp, spans: str, work: Any) -> list[Any]:
    """Every span that Ramp got of *work*."""
    ramp_tracing.instrument(api_key="none", base_url=ramp.url, spans=spans)  # type: ignore[arg-type]
    work()
    assert ramp_tracing.flush(30)
    stats = ramp_tracing.stats()
    ramp_tracing.uninstrument()
    assert stats.recorded == stats.acknowledged
    return list({each.span_id: each for each in ramp.spans}.values())


def tree_of(spans: list[Any]) -> Any:
    """Names by parent, from the root: ``{name: {…}}``; children in the order in which they began."""

    def below(span_id: str | None) -> list[Any]:
        children = sorted((each for each in spans if each.parent_span_id == span_id), key=lambda each: each.start)
        return [(each.name, below(each.span_id)) for each in children]

    return below(None)


def test_named_levels_stand_above_the_calls(provider: Provider) -> None:
    """The usual: a root, the level between, and the calls."""
    with FakeRamp() as ramp:
        spans = spans_of(ramp, "named", lambda: agent(provider).invoke(QUESTION, CONFIG))
    [(root, levels)] = tree_of(spans)
    assert (root, sorted(levels)) == (
        "helper",
        [("look_up", [("LLM Generation", [])]), ("model", [("ChatOpenAI", []), ("ChatOpenAI", [])])],
    )
    assert 3 == sum(each.is_generation for each in spans)


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_every_run_is_a_span_where_all_are_wanted(provider: Provider, is_async: bool) -> None:
    """Chains, tools and retrievers without usage or cost, in one trace; the calls are the leaves."""

    def work() -> None:
        made = agent(provider)
        run(made.ainvoke(QUESTION, CONFIG)) if is_async else made.invoke(QUESTION, CONFIG)

    with FakeRamp() as ramp:
        spans = spans_of(ramp, "all", work)
    [(root, nodes)] = tree_of(spans)
    assert root == "helper"
    calls = {name: [child for child, _ in below] for name, below in nodes}
    assert "ChatOpenAI" in calls["model"]
    [(_, tools)] = [node for node in nodes if node[0] == "tools"]
    assert ("look_up", [("LLM Generation", [])]) in tools
    steps = [each for each in spans if not each.is_generation]
    assert [] == [each.name for each in steps if any(key.startswith("gen_ai.") for key in each.attributes)]
    assert {"span"} == {each.attributes["span.type"] for each in steps}
    assert (3, 1) == (sum(each.is_generation for each in spans), len({each.trace_id for each in spans}))


def test_a_tree_hangs_below_the_applications_span(provider: Provider) -> None:
    """The root's parent is what is active, or what the user names; below it the tree is ours."""
    from opentelemetry.sdk.trace import TracerProvider

    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("app")
    chain = RunnableLambda(lambda text: text) | house_model(provider)

    def active() -> None:
        with tracer.start_as_current_span("request"):
            chain.invoke("Hi")

    def named() -> None:
        chain.invoke("Hi", {"metadata": {"trace_id": "order-7", "parent_span_id": "00f067aa0ba902b7"}})

    for work in (active, named):
        with FakeRamp() as ramp:
            spans = spans_of(ramp, "all", work)
        [root] = [each for each in spans if each.name == "RunnableSequence"]
        children = [each.name for each in spans if each.parent_span_id == root.span_id]
        assert sorted(children) == ["HouseModel", "RunnableLambda"]
        assert root.parent_span_id not in (None, *(each.span_id for each in spans))
        assert len({each.trace_id for each in spans}) == 1


def test_a_retriever_and_a_failing_tool_are_steps(provider: Provider) -> None:
    """A step that failed says so, without the text of its error."""

    @tool
    def broken(word: str) -> str:
        """Never works."""
        raise ValueError(f"secret {word}")

    class Finder(BaseRetriever):
        def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Any]:
            direct(provider, "in-retriever")
            return []

    def work(_: object) -> None:
        Finder(name="Finder").invoke("x")
        with pytest.raises(ValueError, match="secret"):
            broken.invoke({"word": "x"})

    with FakeRamp() as ramp:
        spans = spans_of(ramp, "all", lambda: RunnableLambda(work).with_config(run_name="Search").invoke("x"))
    assert tree_of(spans) == [("Search", [("Finder", [("LLM Generation", [])]), ("broken", [])])]
    assert ["broken"] == [each.name for each in spans if each.status == 2]
    assert "secret" not in repr([each for each in spans if each.name == "broken"])


def test_a_step_that_leads_elsewhere_has_not_failed() -> None:
    """LangGraph leaves a node for a person's word, and a graph for another one's node, by exceptions of its own."""
    from langgraph.checkpoint.memory import InMemorySaver
    from langgraph.graph import START, MessagesState, StateGraph
    from langgraph.types import Command, interrupt

    inner = StateGraph(MessagesState)
    inner.add_node("hand over", lambda state: Command(goto="ask a person", graph=Command.PARENT))
    inner.add_edge(START, "hand over")
    outer = StateGraph(MessagesState)
    outer.add_node("desk", inner.compile(name="Desk"))
    outer.add_node("ask a person", lambda state: {"messages": [interrupt("Go on?")]})
    outer.add_edge(START, "desk")
    graph = outer.compile(name="Office", checkpointer=InMemorySaver())
    with FakeRamp() as ramp:
        told: Any = {"configurable": {"thread_id": "1"}}
        spans = spans_of(ramp, "all", lambda: graph.invoke({"messages": []}, told))
    failed = {each.name for each in spans if each.status == 2}
    assert ({"Office", "desk", "Desk", "hand over", "ask a person"}, set()) == ({each.name for each in spans}, failed)


def test_a_router_that_says_what_it_cost(provider: Provider) -> None:
    """OpenRouter's package sends without the openai client, and hands the price on."""
    package: Any = pytest.importorskip("langchain_openrouter")
    from ramp_tracing._loopback import json_answer

    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15, "cost": 0.00123}
    answer = completion(id="gen-1767225600-xYq0sW7gkT2", model="openai/gpt-4o", usage=usage, system_fingerprint=None)
    provider.answer_with({"/chat/completions": closing(json_answer(answer))})
    model = package.ChatOpenRouter(model="openai/gpt-4o", api_key="none", base_url=provider.base_url, max_retries=0)
    with capture_generations() as generations:
        model.invoke("Hi")
        [generation] = generations
    assert (generation.library, generation.provider, generation.usage.input_tokens) == ("langchain", None, 10)
    assert generation.cost is not None
    assert (generation.cost.total, generation.cost.source) == (Decimal("0.00123"), "provider")


def test_steps_are_no_generations(provider: Provider) -> None:
    """A test of an application's counts calls, whatever else is sent."""
    with capture_generations() as generations:
        chain = RunnableLambda(lambda text: text) | openai_model(provider)
        chain.invoke("Hi", {"callbacks": [handler(spans="all")]})
        [generation] = generations
    assert (generation.role, generation.attribution.parent_span_id is None) == ("leaf", False)


def test_a_handler_can_be_copied_and_sent(provider: Provider) -> None:
    """Some applications copy their configuration, or hand it to another process."""
    for each in (
        copy.deepcopy(handler(user="ada", team="x")),
        pickle.loads(pickle.dumps(handler(user="ada", team="x"))),
    ):
        with capture_generations() as generations:
            FakeListChatModel(responses=["Hello."]).invoke("Hi", {"callbacks": [each]})
            [generation] = generations
        assert ("ada", {"team": "x"}) == (generation.attribution.user, dict(generation.attribution.metadata))


def test_a_wrong_option_is_refused() -> None:
    """At once, with what to change."""
    with pytest.raises(ramp_tracing.exceptions.ConfigurationError, match="use one of named, all"):
        handler(spans="every")
