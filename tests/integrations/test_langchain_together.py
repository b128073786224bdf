"""LangChain: runs that go on together, of one call's prompts or under one id, and which of them has ended."""

import asyncio
import sys
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, Final

import openai
import pytest

import ramp_tracing
from ramp_tracing._state import state
from ramp_tracing.testing import FakeRamp, capture_generations

from .langchain_calls import SCRIPTS, house_model, openai_model, run, runner
from .provider import Provider

pytest.importorskip("langchain_core")
from langchain_core.language_models import LLM, BaseChatModel
from langchain_core.messages import AIMessageChunk, HumanMessage
from langchain_core.outputs import ChatGenerationChunk, GenerationChunk
from langchain_core.runnables import RunnableLambda

pytestmark = [pytest.mark.filterwarnings("ignore")]

MAKES: Final = pytest.mark.parametrize(
    ("make", "tokens"), [(openai_model, 10), (house_model, 30)], ids=["below", "langchain"]
)


@pytest.fixture(scope="module", autouse=True)
def event_loop_closed() -> Iterator[None]:
    yield
    runner().close()
    runner.cache_clear()


@pytest.fixture(autouse=True)
def scripts(provider: Provider) -> Iterator[None]:
    provider.answer_with(SCRIPTS)
    yield
    assert ({}, {}) == (state.runs, state.lone_runs)


class Completions(LLM):
    """Completes texts, each of them while the others are asked for."""

    waiting: bool = False

    @property
    def _llm_type(self) -> str:
        return "completions"

    def _call(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> str:
        return prompt

    async def _acall(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> str:
        for _ in range(20):
            await asyncio.sleep(0)
        if prompt == "never":
            self.waiting = True
            await asyncio.Event().wait()
        return prompt

    async def _astream(self, prompt: str, *_: Any, **kwargs: Any) -> Any:
        yield GenerationChunk(text=await self._acall(prompt))


class InATask(BaseChatModel):
    """A model whose answer comes in pieces, for which it asks in a task of its own, as a time limit does."""

    base_url: str

    @property
    def _llm_type(self) -> str:
        return "task"

    def _generate(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError

    async def _astream(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
        async with openai.AsyncOpenAI(base_url=self.base_url, api_key="none", max_retries=0) as client:
            asked = client.chat.completions.create(model="gpt-4o", stream=True, messages=[], **kwargs)
            async for chunk in await asyncio.create_task(asked):
                yield ChatGenerationChunk(message=AIMessageChunk(chunk.choices[0].delta.content or ""))


class Asleep(InATask):
    """A model that never answers."""

    base_url: str = ""

    async def _agenerate(self, *args: Any, **kwargs: Any) -> Any:
        await asyncio.Event().wait()


async def read(stream: Any) -> None:
    async for _ in stream:
        pass


async def read_with_a_default(stream: Any) -> None:
    while await anext(stream, None) is not None:
        pass


async def together(*asked: Any) -> Any:
    return await asyncio.gather(*asked)


def failures(generations: Any) -> list[str | None]:
    return [each.failure and each.failure.type for each in generations]


def test_completions_that_go_on_at_once_have_all_gone_well() -> None:
    """Of each LangChain tells in a task of its own, which is over at once and says nothing of the call."""
    model = Completions()

    async def streamed() -> None:
        async for _ in model.astream("Hi"):
            pass

    with capture_generations() as generations:
        run(together(*(model.ainvoke("Hi") for _ in range(3))))
        run(model.abatch(["Hi", "Hello"]))
        run(together(streamed(), streamed()))
        assert [None] * 7 == failures(generations)


def test_a_cancelled_completion_is_a_call() -> None:
    """LangChain tells of its end."""

    async def cancel() -> None:
        model = Completions()
        asked = asyncio.create_task(model.ainvoke("never"))
        while not model.waiting and not asked.done():
            await asyncio.sleep(0)
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)

    with capture_generations() as generations:
        run(cancel())
        assert ["CancelledError"] == failures(generations)


@pytest.mark.parametrize("reads", [read, read_with_a_default])
@pytest.mark.parametrize("is_in_chain", [False, True], ids=["alone", "chain"])
def test_a_stream_whose_model_asks_in_a_task(provider: Provider, reads: Any, is_in_chain: bool) -> None:
    """The client's record is the only one, with the names of the run."""
    model: Any = InATask(base_url=provider.base_url)
    asked = RunnableLambda(lambda text: text) | model if is_in_chain else model
    with capture_generations() as generations:
        run(reads(asked.astream("Hi")))
        told = [(each.library, each.attribution.generation_name) for each in generations]
    assert [("openai", "InATask")] == told


@MAKES
def test_prompts_that_are_asked_together(provider: Provider, make: Any, tokens: int) -> None:
    """A run that is begun is not what the task has left, if another is begun with it."""
    with capture_generations() as generations:
        run(make(provider).agenerate([[HumanMessage("Hi")], [HumanMessage("Hello")], [HumanMessage("Good day")]]))
        assert [tokens] * 3 == [each.usage.input_tokens for each in generations]
        assert [None] * 3 == failures(generations)


@MAKES
def test_a_configuration_with_an_id_is_handed_down(provider: Provider, make: Any, tokens: int) -> None:
    """The model's run then has the id of the chain that it is part of."""
    config: Any = {"run_id": uuid.uuid4(), "run_name": "Desk"}
    model = make(provider)

    def work(text: str) -> str:
        return str(model.invoke(text, {"run_id": config["run_id"]}).content)

    def stream(text: str) -> str:
        return "".join(each.content for each in model.stream(text, {"run_id": config["run_id"]}))

    with capture_generations() as generations:
        (RunnableLambda(work) | RunnableLambda(stream) | model).invoke("Hi", config)
        told = [(each.attribution.trace_name, each.attribution.span_name, each.streamed) for each in generations]
        assert [("Desk", "work", False), ("Desk", "stream", True), ("Desk", None, False)] == told
        assert [None] * 3 == failures(generations)
        assert {tokens} >= {each.usage.input_tokens for each in generations if not each.streamed}


@MAKES
def test_calls_side_by_side_under_one_id(provider: Provider, make: Any, tokens: int) -> None:
    """Each of them is a call, in tasks and in threads."""
    config: Any = {"run_id": uuid.uuid4()}
    model, begin = make(provider), Barrier(3)

    def ask(_: int) -> None:
        begin.wait(60)
        model.invoke("Hi", config)

    with capture_generations() as generations:
        run(together(*(model.ainvoke("Hi", config) for _ in range(3))))
        with ThreadPoolExecutor(3) as threads:
            list(threads.map(ask, range(3)))
        assert [tokens] * 6 == [each.usage.input_tokens for each in generations]


def test_threads_whose_calls_have_one_id_lose_none() -> None:
    """Runs begin and end in the middle of the steps that put another one into the table, or take it out."""
    model, begin, interval = Completions(), Barrier(4), sys.getswitchinterval()

    def ask(_: int) -> None:
        for config in configs:
            begin.wait(60)
            model.invoke("Hi", config)

    configs: list[Any] = [{"run_id": uuid.uuid4()} for _ in range(150)]
    sys.setswitchinterval(1e-6)
    try:
        with capture_generations() as generations, ThreadPoolExecutor(4) as threads:
            list(threads.map(ask, range(4)))
            assert ({}, [None] * 600) == (state.runs, failures(generations))
    finally:
        sys.setswitchinterval(interval)


def test_of_two_calls_with_one_id_the_cancelled_one_is_noticed(provider: Provider) -> None:
    """Nothing tells of it but its task, and the other has ended meanwhile."""
    config: Any = {"run_id": uuid.uuid4()}

    async def work() -> None:
        asleep = asyncio.create_task(Asleep().ainvoke("Hi", config))
        while not state.lone_runs:
            await asyncio.sleep(0)
        await house_model(provider).ainvoke("Hi", config)
        asleep.cancel()
        await asyncio.gather(asleep, return_exceptions=True)
        await house_model(provider).ainvoke("Hi")

    with capture_generations() as generations:
        run(work())
        assert [None, None, "abandoned"] == failures(generations)


def test_calls_of_two_makes_under_one_id(provider: Provider) -> None:
    """The client claims its own, and not the one that LangChain alone tells of."""
    config: Any = {"run_id": uuid.uuid4()}
    models = [openai_model(provider), house_model(provider), openai_model(provider), house_model(provider)]
    with capture_generations() as generations:
        run(together(*(each.ainvoke("Hi", config) for each in models)))
        told = sorted((each.library, each.usage.input_tokens) for each in generations)
    assert [("langchain", 30), ("langchain", 30), ("openai", 10), ("openai", 10)] == told


@MAKES
def test_chains_side_by_side_under_one_id(provider: Provider, make: Any, tokens: int) -> None:
    """The end of the first takes nothing of the others with it; a model beside them is none of them."""
    config: Any = {"run_id": uuid.uuid4()}
    model = make(provider)

    async def later(text: str) -> str:
        for _ in range(50):
            await asyncio.sleep(0)
        return text

    short = RunnableLambda(lambda text: text) | model
    long = RunnableLambda(lambda text: text, afunc=later) | model | RunnableLambda(lambda said: said.content) | model
    with capture_generations() as generations:
        run(together(*(each.ainvoke("Hi", config) for each in (short, long, model, short))))
        assert [tokens] * 5 == [each.usage.input_tokens for each in generations]
        assert [None] * 5 == failures(generations)


def test_steps_of_one_id_are_two_spans() -> None:
    """A level is not its own parent."""
    run_id = uuid.uuid4()
    inner = RunnableLambda(lambda text: text).with_config(run_name="Inner")
    outer = RunnableLambda(lambda text: inner.invoke(text, {"run_id": run_id})).with_config(run_name="Outer")
    with FakeRamp() as ramp:
        ramp_tracing.instrument(api_key="none", base_url=ramp.url, spans="all")
        outer.invoke("Hi", {"run_id": run_id})
        assert ramp_tracing.flush(30)
        ramp_tracing.uninstrument()
    spans = {each.name: each for each in ramp.spans}
    assert (None, spans["Outer"].span_id) == (spans["Outer"].parent_span_id, spans["Inner"].parent_span_id)
