"""What the Python of a page runs on: a client, a model server and a receiver on loopback, and what a reader has."""

import asyncio
import inspect
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from types import SimpleNamespace
from typing import Any, Final

import openai
import pytest

import ramp_tracing
from ramp_tracing._loopback import Answer, LoopbackServer, Request
from ramp_tracing._state import state
from ramp_tracing.cli._demo._answers import Reply
from ramp_tracing.cli._demo._models import ROUTES
from ramp_tracing.testing import FakeRamp

from .blocks import Block

KINDS: Final = ("success", "failure", "_async_success", "_async_failure")
"""Of LiteLLM's lists of callbacks."""

MESSAGES: Final = [{"role": "user", "content": "Which suppliers raised their prices?"}]


def answer(request: Request) -> Answer:
    """Whichever model is asked, it is there."""
    asked = json.loads(request.body)
    route = next(route for suffix, route in ROUTES.items() if request.path.endswith(suffix))
    return route(asked, Reply(model=asked["model"], text="Three of them.", input_tokens=42, output_tokens=4))


@dataclass(slots=True)
class Stage:
    """What the blocks of one page run on."""

    ramp: FakeRamp
    names: dict[str, Any]
    rest: ExitStack

    def play(self, block: Block) -> None:
        """Run a block, and compare what was reported with what it is expected to."""
        if state.sink is None and "ramp_tracing.instrument(" not in block.text:
            ramp_tracing.instrument()
        self.names |= {name: GIVEN[name](self) for name in block.given}
        before, known = len(self.ramp.generations), set(self.names)
        with pytest.MonkeyPatch.context() as environment:
            for name in block.without:
                environment.delenv(name)
            exec(block.compiled(), self.names)
        for name in set(self.names) - known:
            called_by_its_runner(name, self.names[name])
        assert ramp_tracing.flush(30), "what the block reports does not arrive"
        reported = self.ramp.generations[before:]
        assert len(reported) == block.sends
        expected = {f"trace.metadata.{key}": value for key, value in block.metadata.items()}
        assert [each for each in reported if not expected.items() <= each.attributes.items()] == []
        if "shutdown(" in block.text:
            ramp_tracing.uninstrument()


def called_by_its_runner(name: str, value: Any) -> None:
    """What a block only defines, but pytest or an event loop would call."""
    if inspect.iscoroutinefunction(value):
        asyncio.run(value())
    elif name.startswith("test_"):
        value()


@contextmanager
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """Keys, addresses and servers, as long as a page lasts."""
    with LoopbackServer(answer) as models, FakeRamp() as ramp, ExitStack() as rest:
        variables = {
            "NO_PROXY": "127.0.0.1",
            "OPENAI_API_KEY": "none",
            "OPENAI_BASE_URL": models.url + "/v1",
            "RAMP_API_KEY": "none",
            "RAMP_BASE_URL": ramp.url,
        }
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        client = rest.enter_context(openai.OpenAI())
        names = {"ramp_tracing": ramp_tracing, "client": client, "messages": MESSAGES, "__name__": "docs"}
        try:
            yield Stage(ramp=ramp, names=names, rest=rest)
        finally:
            ramp_tracing.uninstrument()


def acme(_: Stage) -> object:
    """A library that nobody knows."""
    return SimpleNamespace(ask=lambda question: SimpleNamespace(tokens_in=len(question), tokens_out=4))


def summarize(stage: Stage) -> Callable[[str], object]:
    """An application that says who pays."""

    @ramp_tracing.trace(department="finance")
    def ask(text: str) -> object:
        return stage.names["client"].responses.create(model="gpt-4.1", input=text)

    return ask


def chain(_: Stage) -> object:
    """A chain of LangChain's."""
    return import_module("langchain_openai").ChatOpenAI(model="gpt-4o-mini")


def litellm(stage: Stage) -> object:
    """LiteLLM, whose lists of callbacks are what they were when the page is over."""
    patches = stage.rest.enter_context(pytest.MonkeyPatch.context())
    patches.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # it would ask the network for prices
    module = import_module("litellm")
    for name in ("callbacks", *(f"{kind}_callback" for kind in KINDS)):
        patches.setattr(module, name, [])
    return module


def realtime(stage: Stage) -> object:
    """The same client, with a server that says one response over a websocket and hangs up."""
    from websockets.sync.server import ServerConnection, serve

    from tests.integrations.sockets import SESSION, realtime_begun, realtime_ended

    def speak(connection: ServerConnection) -> None:
        for number, event in enumerate([SESSION, *realtime_begun(1), *realtime_ended(1)]):
            connection.send(json.dumps({"event_id": f"event_{number}", **event}))

    server = stage.rest.enter_context(serve(speak, "127.0.0.1", 0))
    stage.rest.enter_context(serving(server))
    place = f"127.0.0.1:{server.socket.getsockname()[1]}/v1"
    client = openai.OpenAI(base_url=f"http://{place}", websocket_base_url=f"ws://{place}")
    return stage.rest.enter_context(client)


@contextmanager
def serving(server: Any) -> Iterator[None]:
    """A thread that serves, until the end."""

    def run() -> None:
        with suppress(OSError):  # it ends before this thread has come to serve
            server.serve_forever()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield
    server.shutdown()
    thread.join(60)


GIVEN: Final[Mapping[str, Callable[[Stage], object]]] = {
    "acme": acme,
    "chain": chain,
    "client": realtime,
    "litellm": litellm,
    "question": lambda _: "Where should the team meet in May?",
    "summarize": summarize,
}
"""What a reader has, by the name that a page gives it."""
