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
from typing import TYPE_CHECKING, Any, cast

from .._guard import guarded

if TYPE_CHECKING:
    from importlib.abc import Loader


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
    """
    The first finder that the import system asks; it finds nothing itself, and is there until its library has been run.

    It may be asked by somebody who imports nothing (`importlib.util.find_spec` is how one looks what is installed), or
    whose import fails: so it goes only when it has been told.
    """

    def __init__(self, name: str, act: Callable[[ModuleType], None]) -> None:
        self._name = name
        self._act = act

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Of our library: what the others find, which then tells us that it has been run."""
        if fullname != self._name or self not in sys.meta_path:
            return None
        with guarded(f"waiting for {fullname}"):
            spec = self._found_behind(path, target)
            if spec is not None and hasattr(spec.loader, "exec_module"):  # others are from before Python 3.4
                spec.loader = cast("Loader", Telling(spec.loader, self._has_run))
            return spec
        return None

    def _found_behind(self, path: Sequence[str] | None, target: ModuleType | None) -> ModuleSpec | None:
        """What a finder says that would be asked after this one."""
        for finder in sys.meta_path[sys.meta_path.index(self) + 1 :]:
            find = getattr(finder, "find_spec", None)
            spec: ModuleSpec | None = None if find is None else find(self._name, path, target)
            if spec is not None:
                return spec
        return None

    def _has_run(self, module: ModuleType) -> None:
        try:
            sys.meta_path.remove(self)
        except ValueError:  # told already: the finder of another instrumentation had asked this one as well
            return
        with guarded(f"hooking {self._name}"):
            self._act(module)


class Telling:
    """
    In place of the loader of a module, until it is run: not all loaders take an attribute, or are for one module alone.

    Args:
        loader: Whose place it takes.
        tell: Called with the module that has been run.
    """

    def __init__(self, loader: Any, tell: Callable[[ModuleType], None]) -> None:
        self._loader = loader
        self._tell = tell

    def __getattr__(self, name: str) -> Any:
        """All else is the loader's own."""
        return getattr(self._loader, name)

    def exec_module(self, module: ModuleType) -> None:
        """Run *module*, which knows nothing of us."""
        for holder, name in ((getattr(module, "__spec__", None), "loader"), (module, "__loader__")):
            if getattr(holder, name, None) is self:
                setattr(holder, name, self._loader)
        self._loader.exec_module(module)
        self._tell(module)
