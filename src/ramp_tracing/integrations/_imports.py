"""
Waits for the application to import a library.

wrapt does this well, but importing wrapt brings asyncio and importlib.metadata: half of the time that `instrument()`
may take. So it is not imported before the first library that needs it, which brings them anyway.
"""

import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

from .._guard import guarded


def when_imported(name: str, act: Callable[[ModuleType], None]) -> None:
    """
    Call *act* with the library *name*, now if it has been imported, else once when it has been.

    Args:
        name: A top-level module.
        act: Called on the importing thread, after the module has run.
    """
    if name in sys.modules:
        act(sys.modules[name])
    else:
        sys.meta_path.insert(0, Waiting(name, act))


class Waiting:
    """The first finder that the import system asks; it finds nothing, and is there until its library is looked for."""

    def __init__(self, name: str, act: Callable[[ModuleType], None]) -> None:
        self._name = name
        self._act = act

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Of our library: what the others find, with wrapt's hook in it."""
        if fullname != self._name or self not in sys.meta_path:
            return None
        with guarded(f"waiting for {fullname}"):
            sys.meta_path.remove(self)
            import importlib.util

            import wrapt

            wrapt.register_post_import_hook(self._act, fullname)
            return importlib.util.find_spec(fullname)
        return None
