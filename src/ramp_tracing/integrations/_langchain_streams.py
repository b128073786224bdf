"""
Whether a handler of LangChain's watches streams: of ours alone that is known.

A chat model asks it of each handler for each call, by an ``isinstance`` with a protocol for which Python looks at all
that a handler has: 100,000 instructions on 3.11, 40,000 and 60,000 on 3.12 and 3.13. That is most of what LangChain
(1.8) does for a handler, whichever it is and whatever it ignores. So where ours is the only one, the model is asked as
if there were none: it then finds the same. That goes for the method as it was when this was written; of any other one
nothing is known, and it is left alone. `uninstrument()` puts it back.
"""

import sys
from collections.abc import Callable, Iterator
from dis import get_instructions
from functools import cache, partial, wraps
from types import CodeType, SimpleNamespace
from typing import Any, Final, cast

from .._guard import guarded
from .._state import state
from ._patches import Patches

MODELS: Final = "langchain_core.language_models.chat_models"
OWNER, NAME = "BaseChatModel", "_should_stream"
"""Private, and there is no public way: LangChain offers none to say that a handler watches no streams."""

READ: Final = frozenset({
    "BaseChatModel", "_astream", "_stream", "_streaming_disabled", "any", "get", "getattr", "handlers",
    "model_fields_set", "type",
})  # fmt: skip
READ_OF_HANDLERS: Final = frozenset({"_StreamingCallbackHandler", "isinstance"})
"""The names that are used there: of a call's manager no more than its handlers, of these no more than their class."""

MENTIONS: Final = {"run_manager": 2, "handlers": 3}
"""How often: whether there is one, and its handlers, are asked once each, and these are gone through once."""

NOBODY: Final = SimpleNamespace(handlers=())
"""A manager without handlers."""

LIBRARY: Final = "langchain_core"


def answer_for(handler: type | None) -> None:
    """
    Have no model look at a handler of just this class where it is the only one, until `leave`.

    Not where LangChain is not among what is instrumented: nobody would put the method back.

    Args:
        handler: A class that watches no streams.
    """
    if handler is not None and LIBRARY in state.enabled:
        _answer_for(handler)


def leave() -> None:
    """Have models look at every handler again."""
    _patches.undo()
    _answer_for.cache_clear()


@cache
def _answer_for(handler: type) -> None:
    """Once, when the first model is asked."""
    with guarded("looking at how models of LangChain's ask for streams"):
        owner = getattr(sys.modules.get(MODELS), OWNER, None)
        asks = vars(owner).get(NAME) if isinstance(owner, type) else None  # its own, not that of a class above it
        if isinstance(owner, type) and _is_as_known(getattr(asks, "__code__", None)):
            _patches.put(owner, NAME, partial(_without, handler=handler))


_patches: Final = Patches()


def _is_as_known(code: CodeType | None) -> bool:
    """Whether a function reads what it did when this was written, and so nothing else of a manager or a handler."""
    if code is None or not READ.issuperset(code.co_names):
        return False
    for each in code.co_consts:
        if isinstance(each, CodeType) and (each.co_freevars or not READ_OF_HANDLERS.issuperset(each.co_names)):
            return False
    mentioned = [*_mentioned(code)]
    return all(mentioned.count(name) == count for name, count in MENTIONS.items())


def _mentioned(code: CodeType) -> Iterator[object]:
    for each in get_instructions(code):
        said: object = each.argval
        if isinstance(said, tuple):  # from Python 3.13 on some instructions load two
            yield from cast("tuple[object, ...]", said)
        else:
            yield said


def _without(asks: Callable[..., bool], *, handler: type) -> Callable[..., bool]:
    @wraps(asks)
    def _should_stream(model: object, /, *args: Any, **told: Any) -> bool:
        handlers = getattr(told.get("run_manager"), "handlers", None)
        if type(handlers) is list and len(handlers) == 1 and type(handlers[0]) is handler:  # pyright: ignore[reportUnknownArgumentType]
            told["run_manager"] = NOBODY
        return asks(model, *args, **told)

    return _should_stream
