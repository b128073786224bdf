"""What models of LangChain's ask of handlers before each call."""

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from ramp_tracing.integrations._langchain_streams import MODELS, NAME, OWNER, answer_for


@pytest.fixture
def chat_models(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A module of LangChain's, by its name alone; what is done once is done anew."""
    answer_for.cache_clear()
    module: Any = ModuleType(MODELS)
    monkeypatch.setitem(sys.modules, MODELS, module)
    yield module
    answer_for.cache_clear()


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
    return any(isinstance(each, _StreamingCallbackHandler) for each in (run_manager.handlers if run_manager else []))


def tags_of(self: Any, *, async_api: bool, run_manager: Any = None, **kwargs: Any) -> Any:
    """A later version, say."""
    return run_manager.tags if False else run_manager


def test_ours_alone_is_not_looked_at(chat_models: Any) -> None:
    """Beside any other, and of a subclass, it is."""
    assert asked_for(chat_models, handlers_of, Ours()) is False
    answer_for.cache_clear()
    assert asked_for(chat_models, handlers_of, Ours(), object()) is True
    answer_for.cache_clear()
    assert asked_for(chat_models, handlers_of, type("Watching", (Ours,), {})()) is True


def test_what_is_not_known_is_left_alone(chat_models: Any) -> None:
    """It may read something else of what it is given."""
    assert asked_for(chat_models, tags_of, Ours()) is not None
    assert vars(getattr(chat_models, OWNER))[NAME] is tags_of
    answer_for.cache_clear()
    delattr(chat_models, OWNER)
    answer_for(Ours)
    assert not hasattr(chat_models, OWNER)


@pytest.mark.parametrize("has_other", [False, True])
def test_langchain_answers_as_before(has_other: bool) -> None:
    """Of the version that is installed, which has to be one that is known."""
    pytest.importorskip("langchain_core", reason="LangChain is not installed")
    from langchain_core.language_models import BaseChatModel, FakeListChatModel
    from langchain_core.tracers.event_stream import _AstreamEventsCallbackHandler

    import ramp_tracing

    ours: Any = ramp_tracing.RampCallbackHandler()
    model: Any = FakeListChatModel(responses=["Hello."])
    model.invoke("Hi", {"callbacks": [ours]})
    asks: Any = vars(BaseChatModel)[NAME]
    assert hasattr(asks, "__wrapped__")
    handlers = [ours, _AstreamEventsCallbackHandler()] if has_other else [ours]
    manager = SimpleNamespace(handlers=handlers)
    for is_async in (False, True):
        assert asks(model, async_api=is_async, run_manager=manager) is has_other
        assert asks.__wrapped__(model, async_api=is_async, run_manager=manager) is has_other
        assert asks(model, async_api=is_async, run_manager=manager, stream=True) is True
