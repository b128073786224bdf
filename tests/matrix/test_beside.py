"""A call that the application makes itself while a library of ours is in the middle of another one is one more."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import pytest
from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import RunnableLambda, RunnableParallel
from langgraph.graph import START, MessagesState, StateGraph

from .answers import TOOL
from .lanes import LANES, NOBODY, expected, found, invented, shown
from .model_server import DIRECT, ModelServer
from .stacks import (
    STACKS,
    HouseModel,
    LangChainOpenai,
    Stack,
    _chat_openai,
    asked,
    async_client,
    block,
    client,
    litellm,
)
from .watching import watch

pytestmark = [
    pytest.mark.filterwarnings("ignore"),
]

OTHER: Final = 50
"""The question that the application asks itself."""

CHAT: Final = LangChainOpenai()


def ask_directly(url: str, question: int = OTHER) -> Any:
    with block(question, generation_name=TOOL):
        return client(url).chat.completions.create(model=DIRECT, messages=asked(question))


async def aask_directly(url: str, question: int = OTHER) -> Any:
    with block(question, generation_name=TOOL):
        return await async_client(url).chat.completions.create(model=DIRECT, messages=asked(question))


def ask_without_names(url: str) -> Any:
    return client(url).chat.completions.create(model=DIRECT, messages=asked(OTHER))


class Lab:
    """The server, the loop, and what a test does with them."""

    def __init__(self, server: ModelServer, runner: asyncio.Runner) -> None:
        self.server = server
        self.url = server.url("whole")
        self._runner = runner

    def run(self, work: Any) -> Any:
        return self._runner.run(work)

    def rows(self, work: Callable[[], Any], stack: Stack = CHAT) -> tuple[list[str], list[str]]:
        """What should be recorded of *work*, and what is."""
        watched = LANES["all"]
        self.server.begin()
        records, outcome = watch(work, watched, server=self.server, runner=self._runner)
        assert not (isinstance(outcome, tuple) and str(outcome[0]).endswith(("Error", "Exception"))), outcome
        rows = expected(self.server.books, stack, watched, batch=False)
        assert len(records) == len({each.id for each in records})
        assert [] == invented(records, self.server.books)
        return shown(rows), shown(found(records, rows))

    def check(self, work: Callable[[], Any], stack: Stack = CHAT, *, requests: int) -> None:
        """Each request of *work* is one record, with its own names."""
        should, are = self.rows(work, stack)
        assert should == are
        assert requests == len(are)


@pytest.fixture
def lab(server: ModelServer, runner: asyncio.Runner) -> Lab:
    return Lab(server, runner)


@pytest.mark.parametrize("stack", STACKS, ids=lambda stack: stack.name)
def test_in_the_loop_over_a_stream(stack: Stack, lab: Lab) -> None:
    """A direct call in the loop over any stream is a record of its own."""

    def loop() -> None:
        pieces = iter(stack.stream(lab.url, 0))
        next(pieces)
        ask_directly(lab.url)
        list(pieces)

    lab.check(loop, stack, requests=4 if stack.name == "langgraph agent" else 2)


@pytest.mark.parametrize("stack", STACKS, ids=lambda stack: stack.name)
def test_in_the_loop_over_an_async_stream(stack: Stack, lab: Lab) -> None:
    """The same in async code."""

    async def loop() -> None:
        count = 0
        async for _ in await stack.astream(lab.url, 0):
            count += 1
            if count == 2:
                await aask_directly(lab.url)

    lab.check(lambda: lab.run(loop()), stack, requests=4 if stack.name == "langgraph agent" else 2)


@pytest.mark.parametrize("stack", STACKS[1:-1], ids=lambda stack: stack.name)
def test_without_names_in_the_loop_over_a_stream(stack: Stack, lab: Lab) -> None:
    """A direct call of which nothing was said gets nothing of what was said of the stream."""

    def loop() -> None:
        for count, _ in enumerate(stack.stream(lab.url, 0)):
            if count == 1:
                ask_without_names(lab.url)

    _, are = lab.rows(loop, stack)
    own = {"library": "openai", "id": f"chatcmpl-direct-{OTHER}", "tokens": (1050, 53), "failed": False, **NOBODY}
    assert shown([own]) == [each for each in are if "direct" in each]
    assert 2 == len(are)


def test_while_a_stream_is_open_and_after_it_was_dropped(lab: Lab) -> None:
    """Calls between two pieces, and after a stream was broken off, are as if there were no stream."""

    def loop() -> None:
        for _ in CHAT.stream(lab.url, 0):
            break
        ask_directly(lab.url, 51)
        ask_directly(lab.url, 52)

    _, are = lab.rows(loop)
    assert [51, 52] == [n for n in (51, 52) if any(f"direct-{n} " in each and f"user-{n} " in each for each in are)]
    assert 3 == len(are)


HOOKS: Final = ("on_chat_model_start", "on_llm_new_token", "on_llm_end", "on_chain_start", "on_chain_end")


@pytest.mark.parametrize("hook", HOOKS)
def test_in_a_callback_of_the_application(hook: str, lab: Lab) -> None:
    """A callback that asks a model, at whatever moment of another call, makes a call of its own."""
    left = [1]

    def asking(self: Any, *args: Any, **told: Any) -> None:
        if left:
            left.pop()
            ask_directly(lab.url)

    handler: Any = type("Asking", (BaseCallbackHandler,), {hook: asking, "raise_error": True})()
    chain = RunnableLambda(lambda given: given) | CHAT.model(lab.url).with_config(run_name="ask")
    config = CHAT.config(0)
    lab.check(
        lambda: list(chain.stream(asked(0), {"callbacks": [handler], "metadata": config["metadata"]})), requests=2
    )


@pytest.mark.parametrize("hook", HOOKS)
def test_in_an_async_callback_of_the_application(hook: str, lab: Lab) -> None:
    """The same with an async callback, which LangChain runs in a task beside the call."""
    left = [1]

    async def asking(self: Any, *args: Any, **told: Any) -> None:
        if left:
            left.pop()
            await aask_directly(lab.url)

    handler: Any = type("Asking", (AsyncCallbackHandler,), {hook: asking, "raise_error": True})()
    chain = RunnableLambda(lambda given: given) | CHAT.model(lab.url).with_config(run_name="ask")
    config = {"callbacks": [handler], "metadata": CHAT.config(0)["metadata"]}

    async def loop() -> None:
        async for _ in chain.astream(asked(0), config):
            pass

    lab.check(lambda: lab.run(loop()), requests=2)


class Callbacks:
    """
    Callbacks of LiteLLM's that ask a model, once.

    Args:
        hook: The method, sync or async, of LiteLLM's ``CustomLogger`` that asks; ``function``: a plain callback.
    """

    def __init__(self, hook: str, url: str) -> None:
        self._hook, self._url, self._left = hook, url, [1]

    def __enter__(self) -> None:
        if self._hook == "function":
            litellm.success_callback.append(self._ask)
        else:
            asking = self._aask if self._hook.startswith("async") else self._ask
            base = litellm.integrations.custom_logger.CustomLogger
            litellm.callbacks.append(type("Asking", (base,), {self._hook: asking})())

    def __exit__(self, *exc: object) -> None:
        ours = [each for each in litellm.callbacks if type(each).__name__ == "Asking"]
        for name in ("callbacks", "success_callback", "_async_success_callback", "input_callback", "failure_callback"):
            kept = [each for each in getattr(litellm, name) if each not in ours and each != self._ask]
            getattr(litellm, name)[:] = kept

    def _ask(self, *args: Any, **told: Any) -> None:
        if self._left:
            self._left.pop()
            ask_directly(self._url)

    async def _aask(self, *args: Any, **told: Any) -> None:
        if self._left:
            self._left.pop()
            await aask_directly(self._url)


@pytest.mark.parametrize("hook", ["function", "log_success_event", "log_pre_api_call"])
@pytest.mark.parametrize("stack", STACKS[1:3], ids=lambda stack: stack.name)
def test_in_a_callback_of_litellm(stack: Stack, hook: str, lab: Lab) -> None:
    """A callback that asks a model with the openai client makes a call of its own, though LiteLLM calls it."""
    with Callbacks(hook, lab.url):
        lab.check(lambda: stack.ask(lab.url, 0), stack, requests=2)


@pytest.mark.parametrize("hook", ["async_log_success_event", "log_pre_api_call", "async_pre_call_deployment_hook"])
@pytest.mark.parametrize("stack", STACKS[1:3], ids=lambda stack: stack.name)
def test_in_an_async_callback_of_litellm(stack: Stack, hook: str, lab: Lab) -> None:
    """The same where LiteLLM's worker, or its async function, calls it."""
    with Callbacks(hook, lab.url):
        lab.check(lambda: lab.run(stack.aask(lab.url, 0)), stack, requests=2)


def test_in_a_thread_of_a_node(lab: Lab) -> None:
    """A node that asks from a thread which it starts itself, and one of a pool, while the graph's model is asked."""

    def node(given: Any) -> Any:
        own = threading.Thread(target=ask_directly, args=(lab.url, 51))
        own.start()
        with ThreadPoolExecutor(1) as pool:
            other = pool.submit(ask_directly, lab.url, 52)
            answer = _chat_openai(lab.url).with_config(run_name="ask").invoke(given["messages"])
            other.result()
        own.join()
        return {"messages": [answer]}

    graph = StateGraph(MessagesState).add_node("node", node).add_edge(START, "node").compile()
    config = {"run_name": "answering", "metadata": CHAT.config(0)["metadata"]}
    lab.check(lambda: graph.invoke({"messages": asked(0)}, config), requests=3)


def test_beside_a_model_in_parallel(lab: Lab) -> None:
    """A function that asks directly runs at the same time as a model."""
    both = RunnableParallel(
        model=CHAT.model(lab.url).with_config(run_name="ask"), function=lambda given: ask_directly(lab.url)
    )
    lab.check(lambda: both.invoke(asked(0), {"metadata": CHAT.config(0)["metadata"]}), requests=2)


def test_in_a_model_that_asks_another(lab: Lab) -> None:
    """A model whose answer is another model's makes no call beside it."""

    class Passing(HouseModel):
        def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
            return _chat_openai(self.url)._generate(messages, stop, run_manager, **kwargs)

    lab.check(lambda: Passing(url=lab.url).invoke(asked(0), CHAT.config(0)), requests=1)


def test_in_a_model_that_invokes_another(lab: Lab) -> None:
    """The same where the inner one has a run of its own, of which LangChain does not say that it is part of another."""

    class Invoking(HouseModel):
        def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
            answer = _chat_openai(self.url).invoke(messages)
            return ChatResult(generations=[ChatGeneration(message=answer)])

    _, are = lab.rows(lambda: Invoking(url=lab.url).invoke(asked(0), CHAT.config(0)))
    assert 1 == len(are)
