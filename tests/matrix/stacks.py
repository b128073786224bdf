"""
The stacks of libraries, each with the ways to make a call through it.

Every question is asked for somebody else, so that a record with the wrong names is found. Who it is for is said to the
uppermost library of the stack, in its own way: a block of ours, LiteLLM's metadata, LangChain's config.
"""

import os
import warnings
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

import openai
import pytest

import ramp_tracing

from ..integrations.house_model import HouseModel
from .answers import TOOL
from .model_server import DIRECT

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # its price list comes with it; no network
os.environ.setdefault("LANGSMITH_TRACING", "false")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    litellm: Any = pytest.importorskip("litellm")
    agents: Any = pytest.importorskip("langchain.agents")
    from langchain_anthropic import ChatAnthropic
    from langchain_core.tools import StructuredTool
    from langchain_litellm import ChatLiteLLM
    from langchain_openai import ChatOpenAI

litellm.suppress_debug_info = True

KEY: Final = "sk-test"
TRACE: Final = "answering"
NAME: Final = "ask"
ASKING: Final[Mapping[str, Any]] = {"stream": True, "stream_options": {"include_usage": True}}


def asked(question: int) -> list[dict[str, Any]]:
    """The messages of question number *question*."""
    return [{"role": "user", "content": f"This is question {question}"}]


def owner(question: int) -> dict[str, Any]:
    """Who it is asked for."""
    return {"customer": f"customer-{question}", "user_id": f"user-{question}"}


def block(question: int, **names: str) -> ramp_tracing.trace:
    """The same, as a block around calls of the openai client."""
    who = {"customer": f"customer-{question}", "user": f"user-{question}"}
    return ramp_tracing.trace(**{"trace_name": TRACE, "generation_name": NAME, **who, **names})


@cache
def client(url: str) -> openai.OpenAI:
    """The client for *url*."""
    unverified = openai.DefaultHttpxClient(verify=False)
    return openai.OpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0, http_client=unverified)


@cache
def async_client(url: str) -> openai.AsyncOpenAI:
    """The same for async code, on one event loop."""
    unverified = openai.DefaultAsyncHttpxClient(verify=False)
    return openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0, http_client=unverified)


class Stack:
    """
    Ways to ask, sync and async. What a method returns is what the library gives to an application.

    Attributes:
        name: For people.
        layers: The libraries of ours that a call goes through, uppermost first.
        names_calls: Whether each single call has the name that is expected.
        one_owner_for_batch: Whether a batch is for one customer as a whole.
    """

    name: str
    layers: tuple[str, ...]
    names_calls = True
    one_owner_for_batch = False

    def ask(self, url: str, question: int) -> Any:
        """One answer, whole."""
        raise NotImplementedError

    async def aask(self, url: str, question: int) -> Any:
        """The same in async code."""
        raise NotImplementedError

    def stream(self, url: str, question: int) -> Any:
        """One answer, in pieces."""
        raise NotImplementedError

    async def astream(self, url: str, question: int) -> Any:
        """The same in async code."""
        raise NotImplementedError

    def batch(self, url: str, questions: Sequence[int]) -> Any:
        """Several at once, in the library's own way."""
        raise NotImplementedError

    async def abatch(self, url: str, questions: Sequence[int]) -> Any:
        """The same in async code."""
        raise NotImplementedError


class Openai(Stack):
    name = "openai"
    layers = ("openai",)

    def ask(self, url: str, question: int) -> Any:
        with block(question):
            return client(url).chat.completions.create(**self._arguments(question))

    async def aask(self, url: str, question: int) -> Any:
        with block(question):
            return await async_client(url).chat.completions.create(**self._arguments(question))

    def stream(self, url: str, question: int) -> Any:
        with block(question):
            return client(url).chat.completions.create(**self._arguments(question), **ASKING)

    async def astream(self, url: str, question: int) -> Any:
        with block(question):
            return await async_client(url).chat.completions.create(**self._arguments(question), **ASKING)

    def batch(self, url: str, questions: Sequence[int]) -> Any:
        """A job of the Batch API, looked at until well after it has ended."""
        with block(questions[0]):
            job = client(url).batches.create(**JOB, metadata={"about": f"question {questions[0]}"})
        return [client(url).batches.retrieve(job.id) for _ in range(3)]

    async def abatch(self, url: str, questions: Sequence[int]) -> Any:
        with block(questions[0]):
            job = await async_client(url).batches.create(**JOB, metadata={"about": f"question {questions[0]}"})
        return [await async_client(url).batches.retrieve(job.id) for _ in range(3)]

    def _arguments(self, question: int) -> dict[str, Any]:
        return {"model": "gpt-4o", "messages": asked(question)}


JOB: Final[Mapping[str, Any]] = {
    "completion_window": "24h",
    "endpoint": "/v1/chat/completions",
    "input_file_id": "file-1",
}


class LiteLLM(Stack):
    """A model that LiteLLM speaks to itself."""

    name = "litellm"
    layers: tuple[str, ...] = ("litellm",)
    one_owner_for_batch = True
    model = "anthropic/claude-sonnet-4-5-20250929"
    path = ""

    def ask(self, url: str, question: int) -> Any:
        return litellm.completion(**self._arguments(url, question))

    async def aask(self, url: str, question: int) -> Any:
        return await litellm.acompletion(**self._arguments(url, question))

    def stream(self, url: str, question: int) -> Any:
        return litellm.completion(**self._arguments(url, question), **ASKING)

    async def astream(self, url: str, question: int) -> Any:
        return await litellm.acompletion(**self._arguments(url, question), **ASKING)

    def batch(self, url: str, questions: Sequence[int]) -> Any:
        several = {**self._arguments(url, questions[0]), "messages": [asked(each) for each in questions]}
        return litellm.batch_completion(**several)

    async def abatch(self, url: str, questions: Sequence[int]) -> Any:
        arguments = self._arguments(url, questions[0])
        taken = {name: arguments.pop(name) for name in ("messages", "metadata")}
        router = _router(tuple(arguments.items()))
        several = [asked(each) for each in questions]
        return await router.abatch_completion(models=["it"], messages=several, metadata=taken["metadata"])

    def _arguments(self, url: str, question: int) -> dict[str, Any]:
        who = {"trace_name": TRACE, "generation_name": NAME, **owner(question)}
        common = {"api_base": f"{url}{self.path}", "api_key": KEY, "max_retries": 0}
        return {"model": self.model, "messages": asked(question), "metadata": who, **common}


@cache
def _router(parameters: tuple[tuple[str, Any], ...]) -> Any:
    return litellm.Router(model_list=[{"model_name": "it", "litellm_params": dict(parameters)}], num_retries=0)


class LiteLLMOpenai(LiteLLM):
    """A model for which LiteLLM uses the openai client."""

    name = "litellm-to-openai"
    layers = ("litellm", "openai")
    model = "openai/gpt-4o"
    path = "/v1"


class LangChain(Stack):
    """A chat model of LangChain's."""

    def ask(self, url: str, question: int) -> Any:
        return self.model(url).invoke(self.given(question), self.config(question))

    async def aask(self, url: str, question: int) -> Any:
        return await self.model(url).ainvoke(self.given(question), self.config(question))

    def stream(self, url: str, question: int) -> Any:
        return self.model(url).stream(self.given(question), self.config(question))

    async def astream(self, url: str, question: int) -> Any:
        return self.model(url).astream(self.given(question), self.config(question))

    def batch(self, url: str, questions: Sequence[int]) -> Any:
        return self.model(url).batch(
            [self.given(each) for each in questions], [self.config(each) for each in questions]
        )

    async def abatch(self, url: str, questions: Sequence[int]) -> Any:
        several = [self.given(each) for each in questions]
        return await self.model(url).abatch(several, [self.config(each) for each in questions])

    def model(self, url: str) -> Any:
        """What is asked, a new one as an application might make it for each request."""
        raise NotImplementedError

    def given(self, question: int) -> Any:
        """The question as this takes it."""
        return asked(question)

    def config(self, question: int) -> Any:
        """Who it is for, as LangChain passes it on."""
        return {"run_name": NAME, "metadata": {"trace_name": TRACE, **owner(question)}}


class LangChainAnthropic(LangChain):
    name = "langchain-to-anthropic"
    layers = ("langchain", "anthropic")

    def model(self, url: str) -> Any:
        return _anthropic(url)


@cache
def _anthropic(url: str) -> Any:
    return ChatAnthropic(model="claude-sonnet-4-5-20250929", base_url=url, api_key=KEY, max_retries=0)


class House(LangChain):
    """A model that somebody has written for a server of their own: of all on its way only LangChain is known to us."""

    name = "langchain, own model"
    layers = ("langchain",)

    def model(self, url: str) -> Any:
        return HouseModel(url=url)


class LangChainOpenai(LangChain):
    name = "langchain-to-openai"
    layers = ("langchain", "openai")

    def model(self, url: str) -> Any:
        return _chat_openai(url)


@cache
def _chat_openai(url: str) -> Any:
    clients = {"http_client": openai.DefaultHttpxClient(verify=False)}
    async_clients = {"http_async_client": openai.DefaultAsyncHttpxClient(verify=False)}
    common: dict[str, Any] = {"base_url": f"{url}/v1", "api_key": KEY, "max_retries": 0, "stream_usage": True}
    return ChatOpenAI(model="gpt-4o", **common, **clients, **async_clients)


class LangChainLiteLLM(LangChain):
    name = "langchain-to-litellm-to-openai"
    layers = ("langchain", "litellm", "openai")

    def model(self, url: str) -> Any:
        return _chat_litellm(url)


@cache
def _chat_litellm(url: str) -> Any:
    return ChatLiteLLM(model="openai/gpt-4o", api_base=f"{url}/v1", api_key=KEY, max_retries=0)


class Agent(LangChain):
    """A LangGraph agent whose model wants a tool, which asks a model itself, beside LangChain."""

    name = "langgraph agent"
    layers = ("langchain", "openai")
    names_calls = False

    def stream(self, url: str, question: int) -> Any:
        return self.model(url).stream(self.given(question), self.config(question), stream_mode="messages")

    async def astream(self, url: str, question: int) -> Any:
        return self.model(url).astream(self.given(question), self.config(question), stream_mode="messages")

    def model(self, url: str) -> Any:
        return _agent(url)

    def given(self, question: int) -> Any:
        return {"messages": asked(question)}

    def config(self, question: int) -> Any:
        return {"run_name": TRACE, "metadata": owner(question)}


@cache
def _agent(url: str) -> Any:
    def look_up(question: int) -> str:
        """Look something up."""
        with block(question, generation_name=TOOL):
            found = client(url).chat.completions.create(model=DIRECT, messages=asked(question))
        return str(found.choices[0].message.content)

    async def alook_up(question: int) -> str:
        with block(question, generation_name=TOOL):
            found = await async_client(url).chat.completions.create(model=DIRECT, messages=asked(question))
        return str(found.choices[0].message.content)

    tool = StructuredTool.from_function(func=look_up, coroutine=alook_up, name=TOOL)
    return agents.create_agent(_chat_openai(url), [tool])


STACKS: Final[tuple[Stack, ...]] = (
    Openai(),
    LiteLLM(),
    LiteLLMOpenai(),
    LangChainAnthropic(),
    House(),
    LangChainOpenai(),
    LangChainLiteLLM(),
    Agent(),
)
