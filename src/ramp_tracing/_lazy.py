"""
What is loaded when it is first asked for.

`instrument()` runs on the application's thread, before its first call, and loads what hooks libraries. What watches a
call is loaded with the first call, what writes records down while that is under way, what sends them by the thread that
sends.

A module whose import is cut in two by a fork stays locked in the child for ever. So what a call needs is loaded by
`load`, and a fork waits for it. The thread that sends has a lock of its own, which it may hold for a second, so that no
application's thread waits for it; what that thread needs is named where its modules are imported.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from threading import RLock
from types import ModuleType
from typing import Final

LOADING: Final = RLock()
"""
Held while something is loaded, some milliseconds. Reentrant: what is loaded may load something.

Never taken while a module of ours is being imported: who holds it may be waiting for that one.
"""

make_lock: Final = type(LOADING)
"""
Makes a lock of the kind that threads waited by when the first of ours was loaded; for what is loaded later. (`RLock`
is a function, and what that makes changes with what has been replaced.)

Where gevent or eventlet have replaced both in between, the thread that sends is still one of the system's (see
`_delivery/_threads.py`), and their locks are no use to it.
"""


def load(module: str) -> ModuleType:
    """The module of that name; from functions that run when a call does, not when a module is imported."""
    with LOADING:
        return import_module(module)


def names_of(package: str, homes: Mapping[str, str]) -> Callable[[str], object]:
    """
    A ``__getattr__`` for a package (PEP 562), for modules that import the names: no lock is taken for them.

    Args:
        package: Its ``__name__``.
        homes: Each of the names, and the module below the package that defines it.
    """

    def named(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{homes[name]}"), name)

    return named
