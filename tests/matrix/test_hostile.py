"""
Attempts to lose a call of LangChain's, to count one twice, or to break the application.

Every test counts: as many records as billable requests at the server, however strange the way to them is.
"""

import asyncio
import contextvars
import copy
import os
import pickle
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Final

import pytest
from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler, CallbackManager
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import RunnableLambda, RunnableParallel
from langchain_core.tools import StructuredTool
from langgraph.graph import START, MessagesState, StateGraph
from pydantic import BaseModel

from ramp_tracing import integrations
from ramp_tracing._record import Generation
from ramp_tracing._state import state

from .answers import TOOL
from .lanes import LANES
from .model_server import DIRECT, ModelServer
from .stacks import HouseModel, _agent, _chat_openai, agents, asked, async_client, client
from .watching import watch

pytestmark = [
    pytest.mark.filterwarnings("ignore"),
]


class Lab:
    """The server, the loop, and what a test does with them."""

    def __init__(self, server: ModelServer, runner: asyncio.Runner) -> None:
        self.server = server
        self.url = server.url("whole")
        self._runner = runner

    def run(self, work: Any) -> Any:
        return self._runner.run(work)

    def records(self, work: Callable[[], Any], *, raises: str = "", lane: str = "all") -> list[Generation]:
        """What is recorded of *work*, which does not fail, or fails as told."""
        self.server.begin()
        records, outcome = watch(work, LANES[lane], server=self.server, runner=self._runner)
        failed = isinstance(outcome, tuple) and str(outcome[0]).endswith(("Error", "Exception", "Exit"))
        assert raises == (outcome[0] if failed else ""), outcome
        assert len(records) == len({each.id for each in records})
        return records

    def check(self, work: Callable[[], Any], requests: int, *, raises: str = "", lane: str = "all") -> list[Generation]:
        """Each request of *work* is one record, with the server's counts."""
        records = self.records(work, raises=raises, lane=lane)
        books = [each for each in self.server.books if each.kind != "batch"]
        assert requests == len(books)
        should = sorted(each.tokens for each in books if each.reported)
        are = sorted(
            (each.usage.input_tokens or 0, each.usage.output_tokens or 0) for each in records if each.usage.known
        )
        assert (requests, should) == (len(records), are)
        return records


@pytest.fixture
def lab(server: ModelServer, runner: asyncio.Runner) -> Lab:
    return Lab(server, runner)


def chat(lab: Lab) -> Any:
    return _chat_openai(lab.url)


def house(lab: Lab) -> Any:
    return HouseModel(url=lab.url)


MODELS: Final = [pytest.param(chat, id="through the client"), pytest.param(house, id="by itself")]


def direct(lab: Lab, question: int = 50) -> Any:
    return client(lab.url).chat.completions.create(model=DIRECT, messages=asked(question))


def handler(**given: Any) -> Any:
    from ramp_tracing.integrations.langchain import RampCallbackHandler

    return RampCallbackHandler(**given)


# --- handlers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    "again",
    [copy.copy, copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))],
    ids=["copy", "deepcopy", "pickle"],
)
def test_a_copied_handler(again: Any, model: Any, lab: Lab) -> None:
    """A handler that was copied, or sent to another process, goes on; with the first one it still counts once."""

    def work() -> None:
        first = handler(user="ada")
        model(lab).invoke(asked(0), {"callbacks": [first, again(first)]})

    [record] = lab.check(work, 1)
    assert "ada" == record.attribution.user


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("lane", ["all", "openai alone", "langchain alone"])
def test_several_handlers_on_one_call(lane: str, model: Any, lab: Lab) -> None:
    """A handler in the constructor, two in the config, one in a chain, and `instrument()`'s: once."""

    def work() -> None:
        inner = model(lab).model_copy(update={"callbacks": [handler(team="a")]})
        chain = RunnableLambda(lambda given: given) | inner.with_config(callbacks=[handler(team="b")])
        chain.invoke(asked(0), {"callbacks": CallbackManager.configure([handler(user="ada"), handler()])})

    [record] = lab.check(work, 1, lane=lane)
    assert "ada" == record.attribution.user


@pytest.mark.parametrize("model", MODELS)
def test_a_subclass_that_keeps_an_end_to_itself(model: Any, lab: Lab) -> None:
    """An application's subclass that does not pass an end on: the call is recorded at the latest with its root."""

    def work() -> None:
        base: Any = type(handler())

        class Mine(base):
            def on_llm_end(self, response: Any, **told: Any) -> None:
                raise ValueError("mine")

        chain = RunnableLambda(lambda given: given) | model(lab)
        chain.invoke(asked(0), {"callbacks": [Mine()]})
        assert not state.runs

    assert 1 == len(lab.records(work))


class Evil:
    """Does not like to be looked at."""

    def __str__(self) -> str:
        raise ValueError("str")

    __repr__ = __str__

    def __eq__(self, other: object) -> bool:
        raise ValueError("eq")

    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> bool:
        raise ValueError("bool")


@pytest.mark.parametrize("model", MODELS)
def test_metadata_of_every_kind(model: Any, lab: Lab) -> None:
    """Keys that are no texts, values that raise when looked at, tags and names of other types."""
    config: Any = {
        "metadata": {1: 2, None: 3, "user_id": Evil(), "evil": Evil(), "deep": {"a": [Evil()]}},
        "tags": [1, ()],
    }
    lab.check(lambda: model(lab).invoke(asked(0), config), 1)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("when", ["on_chat_model_start", "on_llm_new_token", "on_llm_end"])
def test_another_handler_that_raises(when: str, model: Any, lab: Lab) -> None:
    """A handler of the application's that ends a call: before its request it was no call, afterwards it was one."""

    def stop(self: Any, *args: Any, **told: Any) -> None:
        raise LookupError(when)

    raising: Any = type("Raising", (BaseCallbackHandler,), {when: stop, "raise_error": True})()
    requests = 0 if when == "on_chat_model_start" else 1
    chain = RunnableLambda(lambda given: given) | model(lab)
    work = lambda: list(chain.stream(asked(0), {"callbacks": [raising]}))  # noqa: E731
    assert requests == len(lab.records(work, raises="LookupError"))
    assert requests == len(lab.server.books)
    assert {} == state.runs


def test_a_run_id_that_is_given_twice(lab: Lab) -> None:
    """Two calls under one id, one after the other, are two. (At the same time LangChain's own tracers mix them up.)"""
    config: Any = {"run_id": uuid.uuid4()}

    def work() -> None:
        for question in range(2):
            house(lab).invoke(asked(question), config)

    lab.check(work, 2)


# --- models that do something else than one request on their own stack ------------------------------------------------


class Asking(HouseModel):
    """A model of the application's own that asks with the openai client, in a way of its own."""

    way: str

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        return WAYS_TO_ASK[self.way](self)

    async def _agenerate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        return await ASYNC_WAYS_TO_ASK[self.way](self)

    def request(self) -> ChatResult:
        return as_result(client(self.url).chat.completions.create(model="gpt-4o", messages=asked(0)))

    async def arequest(self) -> ChatResult:
        return as_result(await async_client(self.url).chat.completions.create(model="gpt-4o", messages=asked(0)))


def as_result(answer: Any) -> ChatResult:
    usage = answer.usage
    counts: Any = {
        "input_tokens": usage.prompt_tokens,
        "output_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
    }
    message = AIMessage(answer.choices[0].message.content, usage_metadata=counts)
    return ChatResult(generations=[ChatGeneration(message=message)])


def deeply(model: Asking, depth: int = 60) -> ChatResult:
    return model.request() if depth == 0 else deeply(model, depth - 1)


def in_a_thread_with_context(model: Asking) -> ChatResult:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(contextvars.copy_context().run, model.request).result()


async def awaited_for(model: Asking) -> ChatResult:
    return await asyncio.wait_for(model.arequest(), 30)


async def in_a_task(model: Asking) -> ChatResult:
    return await asyncio.create_task(model.arequest())


async def gathered(model: Asking) -> ChatResult:
    return (await asyncio.gather(model.arequest(), asyncio.sleep(0)))[0]


async def to_thread(model: Asking) -> ChatResult:
    return await asyncio.to_thread(model.request)


WAYS_TO_ASK: Final[dict[str, Callable[[Any], ChatResult]]] = {
    "on the same stack": Asking.request,
    "sixty frames below": deeply,
    "in a thread with its context": in_a_thread_with_context,
}
ASYNC_WAYS_TO_ASK: Final[dict[str, Any]] = {
    "in the same task": Asking.arequest,
    "with wait_for": awaited_for,
    "in a task": in_a_task,
    "gathered": gathered,
    "in a thread": to_thread,
}


@pytest.mark.parametrize("way", WAYS_TO_ASK)
def test_a_model_that_asks_with_the_client(way: str, lab: Lab) -> None:
    """However a model of the application's own reaches the client, its request is one record."""
    lab.check(lambda: Asking(url=lab.url, way=way).invoke(asked(0)), 1)


@pytest.mark.parametrize("way", ASYNC_WAYS_TO_ASK)
def test_an_async_model_that_asks_with_the_client(way: str, lab: Lab) -> None:
    """The same in async code: from tasks and threads that it starts, with its context."""
    lab.check(lambda: lab.run(Asking(url=lab.url, way=way).ainvoke(asked(0))), 1)


def test_a_model_that_asks_twice(lab: Lab) -> None:
    """A draft and an answer are two requests, so two records."""

    class Twice(Asking):
        def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
            client(self.url).chat.completions.create(model=DIRECT, messages=asked(1))
            return self.request()

    lab.check(lambda: Twice(url=lab.url, way="").invoke(asked(0)), 2)


def test_a_model_that_asks_for_embeddings_as_well(lab: Lab) -> None:
    """A model that looks something up with the client, and then posts by itself, has made a call of its own as well."""

    class LookingUp(HouseModel):
        def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
            client(self.url).embeddings.create(
                model="text-embedding-3-small", input="question 0", encoding_format="float"
            )
            return super()._generate(messages, stop, run_manager, **kwargs)

    lab.check(lambda: LookingUp(url=lab.url).invoke(asked(0)), 2)


@pytest.mark.parametrize("model", MODELS)
def test_a_semantic_cache_that_has_no_answer(model: Any, lab: Lab) -> None:
    """What LangChain's cache asks before a model is asked is not the model's call."""
    from langchain_core.caches import BaseCache
    from langchain_core.globals import set_llm_cache

    class Semantic(BaseCache):
        def lookup(self, prompt: str, llm_string: str) -> Any:
            client(lab.url).embeddings.create(
                model="text-embedding-3-small", input="question 0", encoding_format="float"
            )

        def update(self, prompt: str, llm_string: str, return_val: Any) -> None:
            pass

        def clear(self, **kwargs: Any) -> None:
            pass

    set_llm_cache(Semantic())
    try:
        lab.check(lambda: model(lab).invoke(asked(0)), 2)
    finally:
        set_llm_cache(None)


HOOKS: Final = ("on_chat_model_start", "on_llm_new_token", "on_llm_end")


@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_a_callback_that_asks_beside_a_model_of_its_own(hook: str, is_async: bool, lab: Lab) -> None:
    """A callback of the application's that asks with the client makes no request of the model's, which is one more."""
    left = [1]

    def asking(self: Any, *args: Any, **told: Any) -> None:
        if left:
            left.pop()
            direct(lab)

    async def aasking(self: Any, *args: Any, **told: Any) -> None:
        asking(self)

    base, function = (AsyncCallbackHandler, aasking) if is_async else (BaseCallbackHandler, asking)
    own: Any = type("Own", (base,), {hook: function, "raise_error": True})()

    async def streaming() -> None:
        async for _ in house(lab).astream(asked(0), {"callbacks": [own]}):
            pass

    work = (
        (lambda: lab.run(streaming())) if is_async else lambda: list(house(lab).stream(asked(0), {"callbacks": [own]}))
    )
    lab.check(work, 2)


# --- compositions ---------------------------------------------------------------------------------------------------


class Sentence(BaseModel):
    """What is to be filled in."""

    words: str


def test_fallbacks_and_retries(lab: Lab) -> None:
    """Each attempt that reached the server is a record."""
    refusing = _chat_openai(lab.server.url("refused"))
    chain = refusing.with_retry(stop_after_attempt=2, wait_exponential_jitter=False).with_fallbacks(
        [chat(lab), house(lab)]
    )
    records = lab.check(lambda: chain.invoke(asked(0)), 3)
    assert [True, True, False] == [each.failure is not None for each in records]


@pytest.mark.parametrize("raw", [False, True])
def test_structured_output_that_cannot_be_parsed(raw: bool, lab: Lab) -> None:
    """The answer has been paid for, whatever becomes of it."""
    structured = chat(lab).with_structured_output(Sentence, method="json_mode", include_raw=raw)
    lab.check(lambda: structured.invoke(asked(0)), 1, raises="" if raw else "OutputParserException")


@pytest.mark.parametrize("model", MODELS)
def test_many_branches(model: Any, lab: Lab) -> None:
    """The same model in parallel branches, in batches, in a chain of chains."""
    branch = RunnableLambda(lambda given: given) | model(lab)
    both = RunnableParallel(a=branch, b=model(lab), c=RunnableParallel(d=branch))
    lab.check(lambda: both.batch([asked(0), asked(1)], {"max_concurrency": 3}), 6)


@pytest.mark.parametrize("model", MODELS)
def test_events_and_logs(model: Any, lab: Lab) -> None:
    """`astream_events` and `astream_log` watch the same call with handlers of their own."""

    async def work() -> None:
        async for _ in model(lab).astream_events(asked(0), version="v2"):
            pass
        async for _ in model(lab).astream_log(asked(1)):
            pass

    assert 2 == len(lab.records(lambda: lab.run(work())))
    assert 2 == len(lab.server.books)


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_an_agent_in_a_tool_of_an_agent(is_async: bool, lab: Lab) -> None:
    """The inner agent's three requests, and the outer one's two."""

    def inner(question: int) -> str:
        """Ask somebody else."""
        return str(_agent(lab.url).invoke({"messages": asked(question)})["messages"][-1].content)

    async def ainner(question: int) -> str:
        found = await _agent(lab.url).ainvoke({"messages": asked(question)})
        return str(found["messages"][-1].content)

    tool = StructuredTool.from_function(func=inner, coroutine=ainner, name=TOOL)
    outer = agents.create_agent(chat(lab), [tool])
    given = {"messages": asked(0)}
    lab.check(lambda: lab.run(outer.ainvoke(given)) if is_async else outer.invoke(given), 5)


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_a_subgraph_and_a_loop_in_a_node(is_async: bool, lab: Lab) -> None:
    """A graph in a graph, whose node streams, leaves the stream, and asks once more without a config."""

    def node(given: Any) -> Any:
        for _ in chat(lab).stream(asked(0)):
            break
        return {"messages": [house(lab).invoke(asked(1))]}

    inner = StateGraph(MessagesState).add_node("node", node).add_edge(START, "node").compile()
    outer = StateGraph(MessagesState).add_node("inner", inner).add_edge(START, "inner").compile()
    given: Any = {"messages": asked(0)}
    records = lab.records(lambda: lab.run(outer.ainvoke(given)) if is_async else outer.invoke(given))
    assert 2 == len(records) == len(lab.server.books)
    assert 1 == len({each.attribution.trace_id for each in records})


# --- the middle of a call -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS)
def test_switched_off_in_the_middle(model: Any, lab: Lab) -> None:
    """A call that had begun is recorded, later ones are not, and the application notices nothing."""

    def work() -> int:
        stream = model(lab).stream(asked(0))
        next(stream)
        integrations.enable(frozenset())
        pieces = len(list(stream))
        model(lab).invoke(asked(1))
        return pieces

    records = lab.records(work)
    assert [100] == [each.usage.input_tokens for each in records]


@pytest.mark.parametrize("model", MODELS)
def test_switched_on_in_the_middle(model: Any, lab: Lab) -> None:
    """A call that began before is nobody's to record twice; the next one is recorded."""

    def work() -> None:
        integrations.enable(frozenset())
        stream = model(lab).stream(asked(0))
        next(stream)
        integrations.enable(frozenset(integrations.REGISTRY))
        list(stream)
        model(lab).invoke(asked(1))

    records = lab.records(work)
    assert 101 in [each.usage.input_tokens for each in records]
    assert 1 == len(records)


@pytest.mark.parametrize("model", MODELS)
def test_forked_in_the_middle(model: Any, lab: Lab) -> None:
    """A child that is forked in the loop over a stream has a copy of the call, which is the parent's to record."""

    def work() -> int:
        stream = model(lab).stream(asked(0))
        next(stream)
        child = os.fork()
        if child == 0:
            os._exit(child_of_a_loop(stream))
        status = os.waitpid(child, 0)[1]
        list(stream)
        return os.waitstatus_to_exitcode(status)

    told: list[Any] = []
    records = lab.records(lambda: told.append(work()))
    assert ([0], 1) == (told, len(records))


def child_of_a_loop(stream: Any) -> int:
    """How many records a forked child makes of its parent's stream, which it closes."""
    try:
        before = len(state.sink)  # type: ignore[arg-type]
        stream.close()
        del stream
        return len(state.sink) - before  # type: ignore[arg-type]
    except BaseException:  # noqa: BLE001 - the parent looks at the status
        return 99


def test_a_task_that_goes_on_after_a_time_limit(lab: Lab) -> None:
    """LangChain tells of no end of what was cancelled; the next call of the same task shows that it is over."""

    async def working() -> int:
        for question in range(3):
            with suppress(TimeoutError):
                async with asyncio.timeout(None) as limit:
                    lab.server.begin_to_hold(lambda limit=limit: reschedule(limit))
                    await HouseModel(url=lab.server.url("held")).ainvoke(asked(question))
            lab.server.let_go()
            await house(lab).ainvoke(asked(10 + question))
        return len(state.runs)

    loop = lab.run(running_loop())

    def reschedule(limit: asyncio.Timeout) -> None:
        loop.call_soon_threadsafe(limit.reschedule, 0)

    left: list[int] = []
    records = lab.records(lambda: left.append(lab.run(working())))
    assert ([0], 6) == (left, len(records))


async def running_loop() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()


def test_thrown_into_a_stream(lab: Lab) -> None:
    """An exception that is thrown into a generator ends the call once."""

    def work() -> None:
        for model in (chat(lab), house(lab)):
            stream: Iterator[Any] = model.stream(asked(0))
            next(stream)
            with pytest.raises(LookupError):
                stream.throw(LookupError("mine"))  # type: ignore[attr-defined]

    records = lab.records(work)
    assert (2, 2) == (len(records), len(lab.server.books))


def test_a_stream_in_another_thread_than_it_began_in(lab: Lab) -> None:
    """A stream that is begun in one thread and read in another is one call."""

    def work() -> None:
        for model in (chat(lab), house(lab)):
            stream = model.stream(asked(0))
            next(stream)
            with ThreadPoolExecutor(1) as pool:
                pool.submit(list, stream).result()

    records = lab.records(work)
    assert (2, 2) == (len(records), len(lab.server.books))


def test_a_stream_of_pieces_that_say_nothing(lab: Lab) -> None:
    """A model whose pieces are empty, and whose counts come one after the other."""

    class Quiet(HouseModel):
        def _stream(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Iterator[Any]:
            result = self._generate(messages)
            yield ChatGenerationChunk(message=AIMessageChunk(""))
            usage = result.generations[0].message.usage_metadata  # type: ignore[attr-defined]
            yield ChatGenerationChunk(message=AIMessageChunk("", usage_metadata=usage))

    lab.check(lambda: list(Quiet(url=lab.url).stream(asked(0))), 1)
