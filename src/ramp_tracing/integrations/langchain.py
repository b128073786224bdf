"""
LangChain and LangGraph: https://docs.langchain.com/oss/python/langchain/overview

LangChain tells its callbacks of every run: models, chains, tools, graphs. Ours is a class, ``RampCallbackHandler``,
made when somebody asks for it or when `instrument()` finds LangChain imported, because making it imports LangChain.
"""

import os
import sys
from contextvars import ContextVar
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from .._state import state

if TYPE_CHECKING:
    RampCallbackHandler: Any

__all__ = ["RampCallbackHandler", "install", "uninstall"]


def install() -> None:
    """Register a handler for every run; LangChain is imported by now."""
    _register()


def uninstall() -> None:
    """
    Put back what models ask of our handler.

    The handler itself stays, which LangChain has no way to take out; it looks first whether it is to do anything.
    """
    streams = sys.modules.get(f"{__package__}._langchain_streams")
    if streams is not None:
        streams.leave()


@cache
def _register() -> None:
    """
    Once per process.

    The default of a context variable is there in every thread and every context. A run that has been given a handler
    of this class gets no second one.
    """
    from ._langchain_handler import handler_class, handler_for_everything

    hooks: Any = import_module("langchain_core.tracers.context")
    everything = handler_for_everything()
    variable: ContextVar[Any] = ContextVar("ramp_tracing_langchain_handler", default=everything)
    hooks.register_configure_hook(variable, True, handler_class())


def started_by_hand() -> None:
    """
    A handler was made. Where nothing has been instrumented yet, this does it, given a key.

    Raises:
        ConfigurationError: The environment says something that cannot be used.
    """
    if state.sink is None and os.environ.get("RAMP_API_KEY"):
        # By the front door, as the application would: what is above this floor is not imported from here.
        public: Any = sys.modules[__name__.partition(".")[0]]
        public.instrument()


def __getattr__(name: str) -> object:
    """The class, by its name in this module."""
    if name != "RampCallbackHandler":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from ._langchain_handler import handler_class

    return handler_class()
