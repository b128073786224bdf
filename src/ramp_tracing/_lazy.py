"""
Names of a package that are loaded when they are first asked for (PEP 562).

For what `instrument()` does not need: it runs on the application's thread, before its first call. Nothing that the
thread which sends needs later may be left to this alone: it would be imported with no regard to a fork that comes in
between. So the modules of the drainer name what they need where they are imported themselves.
"""

from collections.abc import Callable, Mapping
from importlib import import_module


def names_of(package: str, homes: Mapping[str, str]) -> Callable[[str], object]:
    """
    A ``__getattr__`` for a package.

    Args:
        package: Its ``__name__``.
        homes: Each of the names, and the module below the package that defines it.
    """

    def load(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{homes[name]}"), name)

    return load
