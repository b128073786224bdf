"""
How each library is hooked.

`REGISTRY` has one row per library. A row is acted on when the application imports the library, or at once if it has
done so; nothing here imports one.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Final, Literal, Protocol, cast

from .._guard import guarded
from .._state import state
from ._imports import when_imported

LibraryName = Literal["openai", "anthropic", "litellm", "langchain"]
"""What people call a library; its module here and its extra are named so too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Supported:
    """
    What is known of a library while nobody has imported it.

    Attributes:
        name: What people call it.
        distribution: What pip calls it.
        oldest: The oldest version that is tested.
        untested: The first one that is not; `None` where there is none yet.
    """

    name: LibraryName
    distribution: str
    oldest: str
    untested: str | None = None


REGISTRY: Final[Mapping[str, Supported]] = {
    "openai": Supported(name="openai", distribution="openai", oldest="1.109.1", untested="4"),
    "anthropic": Supported(name="anthropic", distribution="anthropic", oldest="0.84", untested="3"),
    "litellm": Supported(name="litellm", distribution="litellm", oldest="1.106"),
    "langchain_core": Supported(name="langchain", distribution="langchain-core", oldest="1.7"),
}
"""What a library is imported as → what is known of it."""

IMPORT_NAMES: Final[Mapping[LibraryName, str]] = {row.name: imported for imported, row in REGISTRY.items()}
"""What people call a library → what it is imported as."""


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
    return cast("Integration", import_module(f"{__name__}.{REGISTRY[name].name}"))
