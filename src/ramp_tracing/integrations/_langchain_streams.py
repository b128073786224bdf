"""
Whether a handler of LangChain's watches streams: of ours alone that is known.

A chat model asks it of each handler for each call, by an ``isinstance`` with a protocol for which Python looks at all
that a handler has: 100,000 instructions on 3.11, 40,000 and 60,000 on 3.12 and 3.13. That is most of what LangChain
(1.8) does for a handler, whichever it is and whatever it ignores. So where ours is the only one, the model is asked as
if there were none: it then finds the same.
"""

import sys
from collections.abc import Callable, Mapping
from functools import cache, wraps
from types import CodeType
from typing import Any, Final

from .._guard import guarded

MODELS: Final = "langchain_core.language_models.chat_models"
OWNER, NAME = "BaseChatModel", "_should_stream"
"""Private, and there is no public way: LangChain offers none to say that a handler watches no streams."""

READ: Final = frozenset({
    "BaseChatModel", "_astream", "_stream", "_streaming_disabled", "any", "get", "getattr", "handlers",
    "model_fields_set", "type",
})  # fmt: skip
READ_OF_HANDLERS: Final = frozenset({"_StreamingCallbackHandler", "isinstance"})
"""The names that are used there: of a call's manager no more than its handlers, of these no more than their class."""


@cache
def answer_for(handler: type | None) -> None:
    """
    Have no model look at a handler of just this class where it is the only one. Once, when the first model is asked.

    Args:
        handler: A class that watches no streams.
    """
    if handler is None:
        return
    with guarded("looking at how models of LangChain's ask for streams"):
        owner: Any = getattr(sys.modules.get(MODELS), OWNER, None)
        members: Mapping[str, Any] = getattr(owner, "__dict__", NOTHING)  # its own, not those of a class above it
        asks = members.get(NAME)
        if asks is not None and _is_as_known(getattr(asks, "__code__", None)):
            setattr(owner, NAME, _without(asks, handler))


NOTHING: Final[Mapping[str, Any]] = {}


def _is_as_known(code: CodeType | None) -> bool:
    """Whether a function reads what it did when this was written, and so nothing else of a handler."""
    if code is None or not READ.issuperset(code.co_names):
        return False
    inner = [each for each in code.co_consts if isinstance(each, CodeType)]
    return all(READ_OF_HANDLERS.issuperset(each.co_names) for each in inner)


def _without(asks: Callable[..., bool], handler: type) -> Callable[..., bool]:
    @wraps(asks)
    def _should_stream(model: object, /, *args: Any, **told: Any) -> bool:
        handlers = getattr(told.get("run_manager"), "handlers", None)
        if type(handlers) is list and len(handlers) == 1 and type(handlers[0]) is handler:  # pyright: ignore[reportUnknownArgumentType]
            told["run_manager"] = None
        return asks(model, *args, **told)

    return _should_stream
