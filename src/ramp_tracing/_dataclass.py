"""
`dataclasses.dataclass` with less to compile.

The standard decorator writes the source of each method of each class and compiles it, whenever a program starts: half
of that is for comparing, hashing and printing, and was a tenth of the time that `instrument()` may take. Here these are
the same functions for every class. What they do, and what type checkers see, is the standard decorator's.
"""

import dataclasses
from collections.abc import Callable
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any


def _with(**options: bool) -> Callable[[type[Any]], type[Any]]:
    """As the standard decorator, with options; ``order`` is not among those that anybody here needs."""
    return partial(_made, options)


def _made(options: dict[str, bool], plain: type[Any]) -> type[Any]:
    """The dataclass of *plain*; a method that it defines itself is left as it is, but for ``__eq__``."""
    compares, is_frozen = options.get("eq", True), options.get("frozen", False)
    decorate: Callable[[type[Any]], type[Any]] = dataclasses.dataclass(**{**options, "eq": False, "repr": False})
    made = decorate(plain)
    if compares:
        values_of = attrgetter(*(each.name for each in dataclasses.fields(made)))
        setattr(made, "__eq__", _equal(values_of))  # noqa: B010 - a type checker takes it for a mistake
        setattr(made, "__hash__", _hash(values_of) if is_frozen else None)  # noqa: B010
    if options.get("repr", True):
        setattr(made, "__repr__", _text)  # noqa: B010
    return made


def _equal(values_of: Callable[[object], object]) -> Callable[[object, object], object]:
    def __eq__(self: object, other: object) -> object:  # noqa: N807
        return values_of(self) == values_of(other) if other.__class__ is self.__class__ else NotImplemented

    return __eq__


def _hash(values_of: Callable[[object], object]) -> Callable[[object], int]:
    def __hash__(self: object) -> int:  # noqa: N807
        return hash(values_of(self))

    return __hash__


def _text(self: Any) -> str:
    shown = [each.name for each in dataclasses.fields(self) if each.repr]
    return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"


if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:
    dataclass = _with
