"""
Reports what a company spends on language models to Ramp.

One line, ``ramp_tracing.instrument()``, and every billable model call of the process becomes one generation record:
model, tokens, cost, timing, who and what for. Start with the README.

Names are loaded when they are first used: ``import ramp_tracing`` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ._by_hand import record_generation
    from ._sdk import aflush, flush, instrument, shutdown, stats, test_connection, uninstrument
    from ._tracing import trace
    from ._version import __version__
    from .integrations.langchain import RampCallbackHandler as RampCallbackHandler
    from .integrations.litellm import litellm_logger as litellm_logger

__all__ = [
    "__version__",
    "aflush",
    "flush",
    "instrument",
    "record_generation",
    "shutdown",
    "stats",
    "test_connection",
    "trace",
    "uninstrument",
]

_HOMES: Final = {
    "RampCallbackHandler": "integrations.langchain",
    "__version__": "_version",
    "aflush": "_sdk",
    "flush": "_sdk",
    "instrument": "_sdk",
    "litellm_logger": "integrations.litellm",
    "record_generation": "_by_hand",
    "shutdown": "_sdk",
    "stats": "_sdk",
    "test_connection": "_sdk",
    "trace": "_tracing",
    "uninstrument": "_sdk",
}
"""
Each public name and the module that defines it.

`litellm_logger` and `RampCallbackHandler` are not in ``__all__``: to load them is to import LiteLLM or LangChain, which
``from ramp_tracing import *`` must not.
"""


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
