"""What stands around the client's functions: with their parameters or any others, seen from outside and from below."""

import asyncio
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context, copy_context
from functools import partial
from importlib.util import module_from_spec, spec_from_file_location
from typing import Any, Final

import pytest
import wrapt
from openai import _base_client

import ramp_tracing
from ramp_tracing._captured import capture_generations
from ramp_tracing._loopback import Answer, Request, json_answer
from ramp_tracing.integrations import _around
from ramp_tracing.integrations.openai import _doors

from .colours import Colour
from .facts import CHAT, facts_of
from .provider import chat_like_openai

ASK: Final[dict[str, Any]] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello?"}]}
USAGE: Final = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
OWNERS: Final = {"sync": _base_client.SyncAPIClient, "async": _base_client.AsyncAPIClient}
FUNCTIONS: Final = ("request", "_process_response")


def with_another_parameter(function: Any) -> Any:
    """A function that takes what the client's does, and one thing more."""
    if inspect.iscoroutinefunction(function):

        async def later(self: Any, *args: Any, hurry: object = None, **kwargs: Any) -> Any:
            return await function(self, *args, **kwargs)

        return later

    def now(self: Any, *args: Any, hurry: object = None, **kwargs: Any) -> Any:
        return function(self, *args, **kwargs)

    return now


def through_wrapt(function: Any) -> Any:
    """What another instrumentation makes of it: it has to be bound to a client before it is called."""

    def around(wrapped: Any, client: Any, args: Any, kwargs: Any) -> Any:
        assert client is not None
        return wrapped(*args, **kwargs)

    return wrapt.FunctionWrapper(function, around)


OTHERS: Final[dict[str, Callable[[Any], Any]]] = {"another parameter": with_another_parameter, "wrapt": through_wrapt}


@contextmanager
def in_place(owner: type, name: str, change: Callable[[Any], Any]) -> Iterator[None]:
    """What *change* makes of a function, in its place."""
    found = vars(owner)[name]
    setattr(owner, name, change(found))
    try:
        yield
    finally:
        setattr(owner, name, found)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_it_looks_as_the_function_below_it(name: str, colour: Colour) -> None:
    """To `inspect`, and to whoever asks whether it has to be awaited."""
    owner = OWNERS[colour.name]
    found = vars(owner)[name]
    ramp_tracing.instrument(api_key="key", base_url="http://127.0.0.1:1/")
    try:
        ours = vars(owner)[name]
        assert ours is not found
        assert inspect.unwrap(ours) is found
        assert (inspect.signature(ours), ours.__name__, ours.__qualname__, ours.__doc__) == (
            inspect.signature(found), found.__name__, found.__qualname__, found.__doc__
        )  # fmt: skip
        assert inspect.iscoroutinefunction(ours) == inspect.iscoroutinefunction(found)
    finally:
        ramp_tracing.uninstrument()


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("other", OTHERS)
def test_one_with_other_parameters_is_seen_as_well(name: str, other: str, colour: Colour) -> None:
    """It is handed what came, and looks from outside as it did."""
    colour.provider.answer_with({"/chat/completions": chat_like_openai})
    owner = OWNERS[colour.name]
    with in_place(owner, name, OTHERS[other]):
        found = vars(owner)[name]
        with capture_generations() as generations:
            assert inspect.iscoroutinefunction(vars(owner)[name]) == inspect.iscoroutinefunction(found)
            client = colour.client(colour.provider.base_url)
            colour.wait(client.chat.completions.create(**ASK))
            assert [CHAT] == [facts_of(each) for each in generations]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_a_forgotten_copy_of_ours_has_put_up_is_passed_over(name: str, colour: Colour) -> None:
    """As where a notebook forgets the package and imports it again: each call was recorded twice."""
    spec = spec_from_file_location(_around.__name__, _around.__file__)
    assert spec is not None
    assert spec.loader is not None
    forgotten = module_from_spec(spec)
    spec.loader.exec_module(forgotten)
    owner = OWNERS[colour.name]
    found = vars(owner)[name]
    exact = getattr(forgotten, ("async_" if colour.name == "async" else "") + name.rpartition("_")[2])
    with in_place(owner, name, partial(forgotten.around, exact, _doors)):
        theirs = vars(owner)[name]
        assert theirs.__wrapped__ is found
        with capture_generations():
            assert vars(owner)[name].__wrapped__ is found
        assert vars(owner)[name] is theirs


def test_a_request_may_name_all_that_it_hands_over(colour: Colour) -> None:
    """As an application may that calls ``request`` itself; and it gets an error for what is missing as it did."""
    colour.provider.answer_with({"/chat/completions": chat_like_openai})
    client = colour.client(colour.provider.base_url)
    options = _base_client.FinalRequestOptions(method="post", url="/chat/completions", json_data=ASK)
    with pytest.raises(TypeError) as bare:
        colour.wait(client.request(cast_to=object))
    with capture_generations() as generations:
        colour.wait(client.request(options=options, cast_to=object))
        with pytest.raises(TypeError) as watched:
            colour.wait(client.request(cast_to=object))
        assert [CHAT] == [facts_of(each) for each in generations]
    assert str(bare.value) == str(watched.value)


def test_what_is_got_from_an_address_says_nothing_of_what_is_posted_there(colour: Colour) -> None:
    """The stored completions are listed for nothing, at the address where new ones are paid for."""

    def answered(request: Request) -> Answer:
        return chat_like_openai(request) if request.body else json_answer({"data": []})

    colour.provider.answer_with({"/chat/completions": answered})
    client = colour.client(colour.provider.base_url)
    with capture_generations() as generations:
        for _ in range(3):
            colour.wait(client.get("/chat/completions", cast_to=object))
            assert not generations
        colour.wait(client.chat.completions.create(**ASK))
        assert [CHAT] == [facts_of(each) for each in generations]


def test_an_old_answer_that_is_got_within_a_call_is_no_part_of_it(colour: Colour) -> None:
    """By what the application has put into the client, to compare the two; it has been paid for before."""
    old = json_answer({"id": "chatcmpl-old", "object": "chat.completion", "model": "gpt-4o", "usage": USAGE})
    colour.provider.answer_with({"/chat/completions": chat_like_openai, "/chat/completions/old": lambda _request: old})
    client = colour.client(colour.provider.base_url)
    asked: list[object] = []

    def compare(request: Any) -> None:
        if request.method == "POST":
            asked.append(client.get("/chat/completions/old", cast_to=object))

    async def compare_later(request: Any) -> None:
        if request.method == "POST":
            asked.append(await client.get("/chat/completions/old", cast_to=object))

    client._client.event_hooks = {"request": [compare if colour.name == "sync" else compare_later]}
    with capture_generations() as generations:
        colour.wait(client.chat.completions.create(**ASK))
        assert len(asked) == 1
        assert [CHAT] == [facts_of(each) for each in generations]


def test_of_what_is_got_no_long_address_is_remembered(colour: Colour) -> None:
    """There may be a thousand of them, as long as somebody likes, and with secrets in them."""
    colour.provider.answer_with({"/models": lambda _request: json_answer({"data": []})})
    client = colour.client(colour.provider.base_url)
    with capture_generations():
        for asked in ("/models", "/models?after=" + "secret" * 50):
            colour.wait(client.get(asked, cast_to=object))
        assert _doors.watcher is not None
        remembered = "".join(_doors.passed)
    assert ("/models" in remembered, "secret" in remembered) == (True, False)


async def in_task(work: Any, context: Context) -> Any:
    """What *work* gives, awaited by a task that has *context*."""
    return await asyncio.create_task(work, context=context)


def test_what_a_task_asks_that_outlives_its_call_is_no_part_of_the_call(colour: Colour) -> None:
    """Begun within the call, it has the call in its context: a list of models is no second answer to it."""
    contexts: list[Context] = []

    def note(_request: object) -> None:
        contexts.append(copy_context())

    async def note_later(_request: object) -> None:
        contexts.append(copy_context())

    models = json_answer({"object": "list", "data": []})
    colour.provider.answer_with({"/chat/completions": chat_like_openai, "/models": lambda _request: models})
    client = colour.client(colour.provider.base_url)
    client._client.event_hooks = {"request": [note if colour.name == "sync" else note_later]}
    with capture_generations() as generations:
        colour.wait(client.chat.completions.create(**ASK))
        for _ in range(2):
            asked = contexts[0].run(lambda: client.get("/models", cast_to=object))
            colour.wait(in_task(asked, contexts[0]) if inspect.isawaitable(asked) else asked)
        assert [CHAT] == [facts_of(each) for each in generations]
