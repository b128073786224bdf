"""
What is loaded when it is first asked for.

`instrument()` runs on the application's thread, before its first call, and loads what hooks libraries. What watches a
call is loaded with the first call, what writes records down with the first record, what sends them by the thread that
sends. All of it goes through `load`, wherever an application's thread may be the first to need it: a module whose
import is cut in two by a fork stays locked in the child for ever, so a fork waits for `LOADING`.

The thread that sends has a lock of its own for that, which it may hold for a second, so that no application's thread
waits for it. What that thread needs is named where its modules are imported, not left to the first use.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from threading import RLock
from types import ModuleType
from typing import Final

LOADING: Final = RLock()
"""Held while something is loaded, some milliseconds. Reentrant: what is loaded may load something."""


def load(module: str) -> ModuleType:
    """The module of that name, which may be loaded by now."""
    with LOADING:
        return import_module(module)


def names_of(package: str, homes: Mapping[str, str]) -> Callable[[str], object]:
    """
    A ``__getattr__`` for a package (PEP 562).

    Args:
        package: Its ``__name__``.
        homes: Each of the names, and the module below the package that defines it.
    """

    def named(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(load(f"{package}.{homes[name]}"), name)

    return named
