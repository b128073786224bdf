"""
How each library is hooked.

`REGISTRY` has one row per library. A row is acted on when the application imports the library, or at once if it has
done so; nothing here imports one.
"""

import sys
from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import Final, Protocol, cast

from .._guard import guarded
from .._state import state
from ._imports import when_imported

REGISTRY: Final[Mapping[str, str]] = {
    "openai": "ramp_tracing.integrations.openai",
    "anthropic": "ramp_tracing.integrations.anthropic",
    "litellm": "ramp_tracing.integrations.litellm",
    "langchain_core": "ramp_tracing.integrations.langchain",
}
"""Import name of a library → the module that hooks it."""


IMPORT_NAMES: Final[Mapping[str, str]] = {"langchain": "langchain_core"}
"""What people call a library → what it is imported as: LangChain's models come without ``langchain``."""


class Integration(Protocol):
    """What such a module offers."""

    def install(self) -> None:
        """Hook the library, which has been imported."""
        ...

    def uninstall(self) -> None:
        """Leave nothing behind."""
        ...


def enable(names: frozenset[str]) -> None:
    """
    Hook the libraries of *names* as soon as the application imports them, and let go of the others.

    Args:
        names: Keys of `REGISTRY`.
    """
    disable(frozenset(state.enabled) - names)
    for name in names - state.enabled:
        state.enabled.add(name)
        if name in state.hooked:
            _install_if_imported(name)
        else:
            state.hooked.add(name)
            when_imported(name, _imported)


def disable(names: frozenset[str]) -> None:
    """Unhook the libraries of *names*."""
    for name in names & state.enabled:
        state.enabled.discard(name)
        if name in state.installed:
            state.installed.discard(name)
            with guarded(f"unhooking {name}"):
                _integration(name).uninstall()


def _imported(module: ModuleType) -> None:
    """The application has imported a library; called once per process, or at once if it was there."""
    _install(module.__name__)


def _install_if_imported(name: str) -> None:
    if name in sys.modules:
        _install(name)


def _install(name: str) -> None:
    if name not in state.enabled or name in state.installed:
        return
    with guarded(f"hooking {name}"):
        _integration(name).install()
        state.installed.add(name)


def _integration(name: str) -> Integration:
    return cast("Integration", import_module(REGISTRY[name]))
