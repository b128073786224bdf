"""
Waits for the application to import a library.

wrapt does this well, but importing wrapt brings asyncio and importlib.metadata: half of the time that `instrument()`
may take. And what it does stays: from then on Python asks it at every import, also of a library that is not there and
that an application tries for again and again.
"""

import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

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
        """Of our library: what the others find, which then tells us that it has been loaded."""
        if fullname != self._name or self not in sys.meta_path:
            return None
        with guarded(f"waiting for {fullname}"):
            sys.meta_path.remove(self)
            import importlib.util

            spec = importlib.util.find_spec(fullname)
            if spec is not None and spec.loader is not None:
                self._listen_to(spec.loader)
            return spec
        return None

    def _listen_to(self, loader: Any) -> None:
        """Have *loader* tell us of the module that it is about to run; it is asked for this one alone."""
        run = loader.exec_module

        def run_and_tell(module: ModuleType) -> None:
            del loader.exec_module
            try:
                run(module)
            except BaseException:
                sys.meta_path.insert(0, self)  # perhaps another time
                raise
            with guarded(f"hooking {self._name}"):
                self._act(module)

        loader.exec_module = run_and_tell
