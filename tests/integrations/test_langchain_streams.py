"""What models of LangChain's ask of handlers before each call."""

import asyncio
import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from ramp_tracing._state import state
from ramp_tracing.integrations._langchain_streams import LIBRARY, MODELS, NAME, OWNER, answer_for, leave


@pytest.fixture
def chat_models(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A module of LangChain's, by its name alone; what is done once is done anew."""
    leave()
    module: Any = ModuleType(MODELS)
    monkeypatch.setitem(sys.modules, MODELS, module)
    monkeypatch.setattr(state, "enabled", {LIBRARY})
    yield module
    leave()


class Ours:
    """A handler that watches no streams."""


def asked_for(chat_models: Any, asks: Any, *handlers: object) -> Any:
    """What a model whose method is *asks* says, with these handlers."""
    model = type(OWNER, (), {NAME: asks})
    setattr(chat_models, OWNER, model)
    answer_for(Ours)
    return getattr(model(), NAME)(async_api=False, run_manager=SimpleNamespace(handlers=[*handlers]), stop=None)


_StreamingCallbackHandler: Any = object


def handlers_of(self: Any, *, async_api: bool, run_manager: Any = None, **kwargs: Any) -> Any:
    """As LangChain's own: of the manager no more is read than its handlers."""
    handlers = run_manager.handlers if run_manager else []
    return any(isinstance(each, _StreamingCallbackHandler) for each in handlers)


def tags_of(self: Any, *, async_api: bool, run_manager: Any = None, **kwargs: Any) -> Any:
    """A later version, say."""
    return run_manager.tags if False else run_manager


def hands_it_on(self: Any, *, async_api: bool, run_manager: Any = None, **kwargs: Any) -> Any:
    """Another: by the names of the known one, but the application's own method is given the manager."""
    if self._streaming_disabled(run_manager, **kwargs):
        return False
    handlers = run_manager.handlers if run_manager else []
    return any(isinstance(each, _StreamingCallbackHandler) for each in handlers)


def asks_another_one(self: Any, *, async_api: bool, run_manager: Any = None, **kwargs: Any) -> Any:
    """And one that looks at whether there are any."""
    handlers = run_manager.handlers if run_manager else []
    return bool(handlers) and any(isinstance(each, _StreamingCallbackHandler) for each in handlers)


def test_ours_alone_is_not_looked_at(chat_models: Any) -> None:
    """Beside any other, and of a subclass, it is."""
    assert asked_for(chat_models, handlers_of, Ours()) is False
    leave()
    assert asked_for(chat_models, handlers_of, Ours(), object()) is True
    leave()
    assert asked_for(chat_models, handlers_of, type("Watching", (Ours,), {})()) is True


@pytest.mark.parametrize("asks", [tags_of, hands_it_on, asks_another_one])
def test_what_is_not_known_is_left_alone(chat_models: Any, asks: Any) -> None:
    """It may read something else of what it is given."""
    setattr(chat_models, OWNER, type(OWNER, (), {NAME: asks}))
    answer_for(Ours)
    assert vars(getattr(chat_models, OWNER))[NAME] is asks


def test_where_there_is_none_none_is_made(chat_models: Any) -> None:
    """A later version may do without."""
    answer_for(Ours)
    assert not hasattr(chat_models, OWNER)


def test_it_is_put_back(chat_models: Any) -> None:
    """And not put up where nobody would do that: a handler that is made by hand is told of calls all the same."""
    asked_for(chat_models, handlers_of, Ours())
    model = getattr(chat_models, OWNER)
    assert vars(model)[NAME] is not handlers_of
    state.enabled.discard(LIBRARY)
    leave()
    assert vars(model)[NAME] is handlers_of
    answer_for(Ours)
    assert vars(model)[NAME] is handlers_of


@pytest.mark.parametrize("has_other", [False, True])
def test_langchain_answers_as_before(has_other: bool) -> None:
    """Of the version that is installed, which has to be one that is known; `uninstrument()` leaves nothing behind."""
    pytest.importorskip("langchain_core", reason="LangChain is not installed")
    from langchain_core.language_models import BaseChatModel, FakeListChatModel
    from langchain_core.tracers.event_stream import _AstreamEventsCallbackHandler

    import ramp_tracing
    from ramp_tracing.testing import capture_generations

    async def watching() -> object:
        return _AstreamEventsCallbackHandler()  # outside of a loop it makes one, which nobody closes

    own: Any = vars(BaseChatModel)[NAME]
    with capture_generations() as generations:
        ours: Any = ramp_tracing.RampCallbackHandler()
        model: Any = FakeListChatModel(responses=["Hello."])
        model.invoke("Hi", {"callbacks": [ours]})
        asks: Any = vars(BaseChatModel)[NAME]
        assert own is asks.__wrapped__
        handlers = [ours, asyncio.run(watching())] if has_other else [ours]
        manager = SimpleNamespace(handlers=handlers)
        for is_async in (False, True):
            assert asks(model, async_api=is_async, run_manager=manager) is has_other
            assert own(model, async_api=is_async, run_manager=manager) is has_other
            assert asks(model, async_api=is_async, run_manager=manager, stream=True) is True
    assert 1 == len(generations)
    assert vars(BaseChatModel)[NAME] is own
